"""Find the code blocks in somebody else's Markdown, in one pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .nested_fences import Fenced, nested_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

INSIDE: Final = r"(?:[ \t]{0,12}(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*[ \t]*"
"""What may stand in front of a block that is in a quotation or a list."""
_FENCE: Final = re.compile(rf"\n(?=[ \t>*+\-\d`~])({INSIDE})(`{{3,}}(?=[^`\n]*\n)|~{{3,}})([^\n]*)(?=\n)")


def code_blocks(framed: str) -> Iterator[Fenced]:
    """Yield the code blocks of a text that has a line end before and behind it."""
    at = 0
    while opening := _FENCE.search(framed, at):
        if opening[1]:  # It may be in a list or a quotation; a fence at the margin is in none, which is seen at once.
            yield from nested_blocks(framed, at)
            return
        mark, start, code = opening[2], opening.start(), opening.end() + 1
        closing = re.compile(rf"\n {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*(?=\n)").search(framed, opening.end())
        at = closing.end() if closing else len(framed)
        yield Fenced(start, at, "", mark, opening[3], code, is_inside=False, is_closed=closing is not None)
