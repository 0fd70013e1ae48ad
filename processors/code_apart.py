"""Tell the code in a Markdown text from the rest, in one pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .fences import code_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TICKS: Final = re.compile(r"`+")
_GAP: Final = re.compile(r"\n[ \t]*\n")
_BLOCK: Final = re.compile(r"\n[ \t]*(?:>|</?[A-Za-z]|#{1,6}[ \t]|(?:[-*+]|\d{1,9}[.)])[ \t])")
"""A line that goes on with no paragraph, and so with no code span."""


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return the text with `change` applied to all that stands neither in a code block nor in a code span."""
    framed = f"\n{text}\n"
    done: list[str] = []
    at = 0
    for block in code_blocks(framed):
        done += (_outside_spans(framed[at : block.start], change), framed[block.start : block.end])
        at = block.end
    done.append(_outside_spans(framed[at:], change))
    return "".join(done)[1:-1]


def _outside_spans(text: str, change: Callable[[str], str]) -> str:
    if "`" not in text:
        return change(text)
    done: list[str] = []
    at = 0
    for gap in _GAP.finditer(text):
        # A code span ends at the latest with its paragraph. The gap's second line end begins the next one.
        done.append(_in_paragraph(text[at : gap.end() - 1], change))
        at = gap.end() - 1
    done.append(_in_paragraph(text[at:], change))
    return "".join(done)


def _in_paragraph(text: str, change: Callable[[str], str]) -> str:
    done: list[str] = []
    at = 0
    for start, end in _spans(text):
        done += (change(text[at:start]), text[start:end])
        at = end
    done.append(change(text[at:]))
    return "".join(done)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where code spans begin and end: from a run of ticks to the next as long."""
    runs = [found.span() for found in _TICKS.finditer(text)]
    later: dict[int, list[int]] = {}
    for index in range(len(runs) - 1, -1, -1):
        later.setdefault(runs[index][1] - runs[index][0], []).append(index)
    free = 0
    for index, (start, end) in enumerate(runs):
        same = later[end - start]
        same.pop()
        if index < free or is_escaped(text, start):
            continue
        if same and _BLOCK.search(text, end, runs[same[-1]][0]) is None:
            free = same[-1] + 1
            yield start, runs[same[-1]][1]


def is_escaped(text: str, start: int) -> bool:
    """Whether a backslash takes the sign there for what it is."""
    before = start
    while before and text[before - 1] == "\\":
        before -= 1
    return (start - before) % 2 == 1
