"""Find the code blocks in somebody else's Markdown, in one pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

INSIDE: Final = r"(?:[ \t]{0,12}(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*[ \t]*"
"""What may stand in front of a block that is in a quotation or a list."""
_FENCE: Final = re.compile(rf"\n(?=[ \t>*+\-\d`~])({INSIDE})(`{{3,}}(?=[^`\n]*\n)|~{{3,}})([^\n]*)(?=\n)")
_LIST: Final = re.compile(
    r"\n(?=[ \t\n*+\-\d])(?:[ \t]*(?=\n\S)|([ \t]*)(?!(?:[-*][ \t]*){3,}\n)(?:[-*+]|\d{1,9}[.)])(?=[ \t\n])([ \t]*))"
)
"""An empty line with a paragraph of the page itself below it, or the mark of a list's item."""
_INDENTED: Final = 4
"""Spaces that make a line code, so that no fence is one there."""


class Fenced(NamedTuple):
    """A code block in a text that has a line end before and behind it."""

    start: int
    """The line end before it."""
    end: int
    """The line end behind it."""
    prefix: str
    """What stands before its first fence: spaces, or the marks of a quotation or a list."""
    mark: str
    """The fence."""
    info: str
    """What stands behind the fence."""
    code: int
    """Where the first line of code begins."""
    is_inside: bool
    """Whether it is in a quotation or a list, and ends with that."""
    is_closed: bool
    """Whether it ends with a fence of its own."""


def code_blocks(framed: str) -> Iterator[Fenced]:
    """Yield the code blocks of a text that has a line end before and behind it."""
    inner, seen, at = 0, 0, 0
    while opening := _FENCE.search(framed, at):
        if opening[1]:  # A fence at the margin is in no list: looking for one takes as long as finding the fence.
            inner = _inner_column(framed, seen, opening.start() + 1, inner)
        seen, at, prefix = opening.start(), opening.end(), opening[1]
        column = len(prefix.expandtabs(_INDENTED))
        is_inside = (inner > 0 and column >= inner) or not (prefix.isspace() or prefix == "")
        if not is_inside and column >= _INDENTED:
            continue
        inner = inner if is_inside else 0
        end, is_closed = _end_of(framed, opening, is_inside)
        yield Fenced(opening.start(), end, prefix, opening[2], opening[3], opening.end() + 1, is_inside, is_closed)
        seen = at = end


def _inner_column(framed: str, start: int, end: int, inner: int) -> int:
    """Return the column where what is in the outermost list begins, behind a stretch; 0 outside of lists."""
    for found in _LIST.finditer(framed, start, end):
        if found[1] is None:
            inner = 0
        elif inner == 0 or len(found[1].expandtabs(_INDENTED)) < inner:
            before = found[0][1 : len(found[0]) - len(found[2])]
            inner = len(before.expandtabs(_INDENTED)) + (len(found[2]) if 1 <= len(found[2]) <= _INDENTED else 1)
    return inner


def _end_of(framed: str, opening: re.Match[str], is_inside: bool) -> tuple[int, bool]:
    """Return where the line that closes a code block ends, or what holds it does, or the text."""
    prefix, mark = opening[1], opening[2]
    before = r"[ \t>]*" if is_inside else " {0,3}"
    ends = rf"\n{before}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*(?=\n)"
    if is_inside:
        ends += r"|(?=\n[ \t]*[^\s>])" if ">" in prefix else rf"|(?=\n[ \t]{{0,{len(prefix) - 1}}}\S)"
    closing = re.compile(ends).search(framed, opening.end())
    return (closing.end(), closing[0] != "") if closing else (len(framed), False)
