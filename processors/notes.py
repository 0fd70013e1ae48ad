"""The last line of a page: what a user writes below it is kept when the page is written again."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = "write below this line; it is kept"
_MARKER: Final = re.compile(rb"(?:<!--|%%) notes ~([^\s:]+): [^\n]*(?:-->|%%)")


def notes_marker(short: str, opening: str = "<!--", closing: str = "-->") -> str:
    """Return the last line of the page whose conversation has this short id, as a comment of its flavour."""
    return f"{opening} notes ~{short}: {_WORDS} {closing}"


def is_marker(line: bytes) -> bool:
    """Whether a line is such a last line."""
    return _MARKER.fullmatch(line) is not None


def has_line(page: bytes, marker: bytes) -> bool:
    """Whether a page has the last line of the same conversation, in whatever flavour."""
    return _line_in(page, marker) is not None


def notes_below(page: bytes, marker: bytes) -> tuple[bytes, bytes]:
    """Return a page up to and with its last line, and what stands below; `marker` is the line of any flavour.

    A page without such a line is all page.
    """
    line = _line_in(page, marker)
    return (page[: line.end()], page[line.end() :]) if line else (page, b"")


def _line_in(page: bytes, marker: bytes) -> re.Match[bytes] | None:
    found = _MARKER.fullmatch(marker)
    assert found is not None
    return re.search(rb"^(?:<!--|%%) notes ~" + re.escape(found[1]) + rb": [^\n]*\n?", page, re.MULTILINE)
