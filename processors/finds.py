"""The kinds of secrets, and what was found of them: numbers, and how each may be shown to somebody who reviews them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from .secrets import Span

Kind = Literal[
    "anthropic",
    "openai",
    "aws",
    "github",
    "gitlab",
    "slack",
    "stripe",
    "google",
    "huggingface",
    "npm",
    "pypi",
    "jwt",
    "privateKey",
    "url",
    "credential",
    "email",
    "home",
]
KINDS: Final = get_args(Kind)

_SHOWN: Final = 4
_CONTEXT: Final = 24
_LETTER: Final = re.compile(r"\w")


class Finding(NamedTuple):
    """One secret, as it may be shown."""

    kind: str
    where: str
    """The way to it: `blocks[2].input.command`."""
    sample: str
    context: str


class Finds:
    """What was found: numbers by kind, and each secret if they are `listed`."""

    def __init__(self, *, listed: bool = False) -> None:
        self.counts: dict[str, int] = {}
        self.findings: list[Finding] = []
        self.way: list[str] = []
        """The keys and numbers that lead to the text at hand."""
        self._listed = listed

    def note(self, data: bytes, spans: list[Span], number: int) -> None:
        """Take one secret of a text down."""
        span = spans[number]
        self.counts[span.kind] = self.counts.get(span.kind, 0) + 1
        if self._listed:
            secret = data[span.start : span.end].decode(errors="replace")
            shown = secret[: min(_SHOWN, len(secret) // 3)]
            where = "".join(self.way).removeprefix(".")
            self.findings.append(
                Finding(span.kind, where, f"{shown}… ({len(secret)} characters)", _around(data, spans, number))
            )


def _around(data: bytes, spans: list[Span], number: int) -> str:
    """Return a little of the text around a secret, its letters masked, for there may be another that nobody knows."""
    floor = spans[number - 1].end if number else 0
    ceiling = spans[number + 1].start if number + 1 < len(spans) else len(data)
    before = data[max(floor, spans[number].start - _CONTEXT) : spans[number].start].decode(errors="replace")
    behind = data[spans[number].end : min(ceiling, spans[number].end + _CONTEXT)].decode(errors="replace")
    return f"{_LETTER.sub('x', before)}[…]{_LETTER.sub('x', behind)}"
