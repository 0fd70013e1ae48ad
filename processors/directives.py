"""The directives that models in LibreChat write artifacts in: `:::artifact{…}`, most often with a code block inside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .ant_tags import artifact_of
from .plain_blocks import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Block

_OPENING: Final = re.compile(r" {0,3}:::+artifact\{(.*)\}\s*")
_NESTED: Final = re.compile(r" {0,3}:::+[a-z].*", re.DOTALL)
_CLOSING: Final = re.compile(r" {0,3}:::+\s*")
_FENCE: Final = re.compile(r" {0,3}+(`{3,}+|~{3,}+)\s*+([^`\s]*+)[^`]*+")
"""Nothing is tried twice: a long line of tildes with a backtick in it would be looked at in each way it can be cut up."""


class _Body(NamedTuple):
    """Which lines an artifact holds, and where the text goes on behind it."""

    language: str
    start: int
    end: int
    after: int


def has_directives(words: str) -> bool:
    """Whether a text may hold such directives."""
    return ":::artifact{" in words


def split_directives(words: str) -> Iterator[Block]:
    """Yield texts and artifacts in order. A directive that is only shown, in code, or that nothing closes is text."""
    lines = words.split("\n")
    at = place = 0
    unclosed: dict[str, int] = {}
    while place < len(lines):
        opening = _OPENING.fullmatch(lines[place])
        body = _body(lines, place + 1) if opening else None
        if opening and body:
            yield from _text(lines[at:place])
            block = artifact_of(opening[1], "\n".join(lines[body.start : body.end]))
            block["artifact"]["language"] = body.language or block["artifact"]["language"]
            yield block
            at = place = body.after
        else:
            place = _behind_code(lines, place, unclosed)
    yield from _text(lines[at:])


def _text(lines: list[str]) -> Iterator[Block]:
    words = "\n".join(lines).strip("\n")
    if words.strip():
        yield text(words, "") | {"sources": ()}


def _behind_code(lines: list[str], place: int, unclosed: dict[str, int]) -> int:
    """Return the line behind the code block that begins at `place`, or the next line; remember which fences nothing closes."""
    fence = _FENCE.fullmatch(lines[place])
    if fence is None or unclosed.get(fence[1][0], len(fence[1]) + 1) <= len(fence[1]):
        return place + 1
    end = next((number for number in range(place + 1, len(lines)) if _closes(lines[number], fence[1])), None)
    if end is None:
        unclosed[fence[1][0]] = len(fence[1])
    return place + 1 if end is None else end + 1


def _closes(line: str, mark: str) -> bool:
    line = line.strip()
    return len(line) >= len(mark) and not line.strip(mark[0])


def _body(lines: list[str], start: int) -> _Body | None:
    first = _filled(lines, start)
    fence = _FENCE.fullmatch(lines[first]) if first < len(lines) else None
    closings: list[int] = []
    depth = 1
    for place in range(first + 1 if fence else start, len(lines)):
        line = lines[place]
        if _OPENING.fullmatch(line):
            break
        if fence and _closes(line, fence[1]):
            # What it holds may have code blocks too: its own is closed where the directive is.
            after = _filled(lines, place + 1)
            if after < len(lines) and _CLOSING.fullmatch(lines[after]):
                return _Body(fence[2], first + 1, place, after + 1)
        elif _CLOSING.fullmatch(line):
            closings.append(place)
            depth -= 1
            if not fence and depth == 0:
                return _Body("", start, place, place + 1)
        elif _NESTED.fullmatch(line):
            depth += 1
    return _Body(fence[2] if fence else "", first + 1 if fence else start, closings[0], closings[0] + 1) if closings else None


def _filled(lines: list[str], place: int) -> int:
    """Return the first line from `place` on that is not empty."""
    while place < len(lines) and not lines[place].strip():
        place += 1
    return place
