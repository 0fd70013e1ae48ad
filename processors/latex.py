r"""Formulas as models write them, `\( … \)` and `\[ … \]`, as most readers of Markdown want them: `$ … $` and `$$ … $$`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .code_apart import outside_code

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGN: Final = re.compile(r"\\\\|\\[()\[\]$]|\$+|\n[ \t]*(?=\n)")
_CLOSES: Final = {"\\(": "\\)", "\\[": "\\]", "$$": "$$", "$": "$"}
_DOLLAR: Final = re.compile(r"(?<!\\)\$")
_FORMULA: Final = re.compile(r"[\\^_={}<>]")

Sign = tuple[str, int]
"""A delimiter and where it stands."""


def to_dollars(text: str) -> str:
    """Return Markdown with its formulas between dollars, and with dollars that are money escaped. Code is not touched."""
    return outside_code(text, _convert) if "$" in text or "\\(" in text or "\\[" in text else text


def _convert(text: str) -> str:
    done: list[str] = []
    at = 0
    for start, end, said in _changes(text):
        done += (text[at:start], said)
        at = end
    return "".join([*done, text[at:]]) if done else text


def _changes(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield stretches and what they become. A formula ends in the paragraph it begins in."""
    opened: Sign | None = None
    money: list[int] = []
    for found in _SIGN.finditer(text):
        sign, start = found[0], found.start()
        if opened and sign == _CLOSES[opened[0]]:
            closes = _is_formula(text, opened, start)
            yield from _formula(text, opened, found.end()) if closes else _escape(money)
            # A dollar that closes nothing may open something.
            opened, money = (None, []) if closes or sign != "$" else ((sign, start), [start])
        elif sign[0] == "\n":
            yield from _escape(money)
            opened, money = None, []
        elif sign == "$":
            money.append(start)
            opened = opened or (sign, start)
        elif sign in _CLOSES and (opened is None or opened[0] == "$"):
            yield from _escape(money)
            opened, money = (sign, start), []
    yield from _escape(money)


def _escape(money: list[int]) -> Iterator[tuple[int, int, str]]:
    """Escape dollars that are no delimiters."""
    return ((place, place + 1, "\\$") for place in money)


def _formula(text: str, opened: Sign, end: int) -> Iterator[tuple[int, int, str]]:
    sign, start = opened
    if sign not in ("\\(", "\\["):
        return
    inner = _DOLLAR.sub(r"\\$", text[start + len(sign) : end - len(sign)])
    yield start, end, f"$${inner}$$" if sign == "\\[" else f"${inner.strip()}$"


def _is_formula(text: str, opened: Sign, end: int) -> bool:
    """Whether what stands between two delimiters is a formula rather than the words between two prices."""
    sign, start = opened
    inner = text[start + len(sign) : end]
    if sign != "$":
        return inner.strip() != ""
    if not inner or inner[0].isspace() or inner[-1].isspace() or text[end + 1 : end + 2].isdigit():
        return False
    return not inner[0].isdigit() or " " not in inner or _FORMULA.search(inner) is not None
