"""Find the code blocks in somebody else's Markdown, in one pass."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .nested_fences import Fenced, nested_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

INSIDE: Final = r"(?:[ \t]{0,12}(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*[ \t]*"
"""What may stand in front of a block that is in a quotation or a list."""
_FENCE: Final = re.compile(rf"\n(?=[ \t>*+\-\d`~])({INSIDE})(`{{3,}}(?=[^`\n]*\n)|~{{3,}})([^\n]*)(?=\n)")


def code_blocks(framed: str, first: int = 0) -> Iterator[Fenced]:
    """Yield the code blocks of a text that has a line end before and behind it; none begins before `first`."""
    at, end = 0, len(framed) - 1
    while at < end and (opening := _FENCE.search(framed, max(at, first))):
        if opening[1]:  # It may be in a list or a quotation; a fence at the margin is in none, which is seen at once.
            yield from nested_blocks(framed, at)
            return
        mark, start, code = opening[2], opening.start(), opening.end() + 1
        closed = _end_of(framed, mark, code)
        at = closed if closed >= 0 else len(framed)
        yield Fenced(start, at, "", mark, opening[3], code, False, closed >= 0)


def _end_of(framed: str, mark: str, code: int) -> int:
    """Return the line end behind the fence that closes the code which begins at `code`; -1 if there is none."""
    # A sign alone is found in a tenth of what three take, and most often it is the fence.
    near = framed.find(mark[0], code)
    if near >= 0 and framed.startswith(f"\n{mark}\n", near - 1):
        return near + len(mark)
    near = framed.find(mark, near) if near >= 0 else -1
    # The pattern costs four times as much as passing over the code like this.
    closing = _closing(mark).search(framed, framed.rfind("\n", code - 1, near)) if near >= 0 else None
    return closing.end() if closing else -1


@lru_cache(maxsize=64)
def _closing(mark: str) -> re.Pattern[str]:
    return re.compile(rf"\n {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*(?=\n)")
