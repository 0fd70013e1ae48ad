"""Answers of an API saved as they came over the wire: server-sent events, whose `data:` lines are JSON."""

from __future__ import annotations

import re
from typing import Final

GLANCE: Final = 1 << 12
"""How many bytes tell whether a file holds such events."""
_BEGINS: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|(?:event|id|retry)?:[^\r\n]*+[\r\n])*+data:[ ]?\{")
_DATA: Final = re.compile(rb"^data:[ ]?(\{.*)$", re.MULTILINE)


def holds_events(head: bytes) -> bool:
    """Whether a file begins as such a stream does: fields of events, and the first `data` is an object."""
    return _BEGINS.match(head[:GLANCE]) is not None


def data_of(head: bytes) -> bytes:
    """Return the objects of a stream's beginning, one to a line."""
    return b"\n".join(_DATA.findall(head))


def object_in(line: str) -> tuple[str, int]:
    """Return the object in a line and the place it begins at; no text for a line that holds none."""
    data = line.removeprefix("data:")
    text = data.lstrip(" ") if data != line else ""
    return (text, len(line) - len(text)) if text.startswith("{") else ("", 0)
