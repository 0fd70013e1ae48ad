"""What comes over a connection, cut into events: lines of NDJSON, frames of Server-Sent Events, messages of a WebSocket.

Bytes may come in pieces of any size, and be cut anywhere.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from .errors import StreamError

LARGEST: Final = 64 << 20
"""Bytes of one event."""
_DIGITS: Final = 15
"""Of the number of an event."""
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class Arrived(NamedTuple):
    """An event as JSON, with its number and name where the protocol says them outside of the JSON."""

    data: Any
    seq: int = 0
    name: str = ""


class Broken(NamedTuple):
    """What should have been an event, and is not JSON."""

    text: str


class Lines:
    """Reads NDJSON."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Arrived | Broken]:
        """Return the events that are complete with some more bytes."""
        whole, feed, rest = data.rpartition(b"\n")
        if not feed:
            self._keep(rest)
            return []
        text = b"".join((*self._rest, whole))
        self._rest, self._size = [], 0
        self._keep(rest)
        return _read_all(text.split(b"\n"))

    def end(self) -> list[Arrived | Broken]:
        """Return what came behind the last line feed."""
        text, self._rest = b"".join(self._rest), []
        return _read_all([text])

    def _keep(self, rest: bytes) -> None:
        self._size = checked(self._size + len(rest))
        if rest:
            self._rest.append(rest)


class Frames:
    """Reads Server-Sent Events as the standard has them: any line end, a space or none, data on several lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._kept = 0
        self._data: list[bytes] = []
        self._event = ""
        self._seq = 0
        self._size = 0

    def feed(self, data: bytes) -> list[Arrived | Broken]:
        """Return the events that are complete with some more bytes."""
        # What is kept holds no line end, but perhaps half of one: it need not be searched again with each piece that comes.
        if not _LINE_END.search(data) and not (self._rest and self._rest[-1].endswith(b"\r")):
            self._keep(data)
            return []
        text = b"".join((*self._rest, data))
        # A carriage return at the very end may be half of a line end.
        held = text[-1:] if text.endswith(b"\r") else b""
        *lines, rest = _LINE_END.split(text[: len(text) - len(held)])
        self._rest, self._kept = [], 0
        self._keep(rest + held)
        return [event for line in lines for event in self._line(line)]

    def end(self) -> list[Arrived | Broken]:
        """Return nothing: a frame without its blank line is none."""
        return []

    def _keep(self, rest: bytes) -> None:
        self._kept += len(rest)
        checked(self._kept + self._size)
        if rest:
            self._rest.append(rest)

    def _line(self, line: bytes) -> list[Arrived | Broken]:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif field == b"id" and value.isdigit() and len(value) <= _DIGITS:
            self._seq = int(value)
        elif field == b"event":
            self._event = value.decode("utf-8", "replace")
        return []

    def _dispatch(self) -> list[Arrived | Broken]:
        text, seq, name = b"\n".join(self._data), self._seq, self._event
        self._data, self._seq, self._event, self._size = [], 0, "", 0
        return _read_all([text], seq, name)


def read_message(text: str) -> Arrived | Broken:
    """Return a message of a WebSocket."""
    try:
        return Arrived(json.loads(text))
    except (ValueError, RecursionError):
        return Broken(text[:100])


def checked(size: int) -> int:
    """Return a size that an event may have.

    Raises:
        StreamError: it may not.

    """
    if size > LARGEST:
        raise StreamError(f"an event is larger than {LARGEST >> 20} MiB")
    return size


def _read_all(texts: list[bytes], seq: int = 0, name: str = "") -> list[Arrived | Broken]:
    return [_read(text, seq, name) for text in texts if text and not text.isspace()]


def _read(text: bytes, seq: int, name: str) -> Arrived | Broken:
    try:
        return Arrived(json.loads(text), seq, name)
    except (ValueError, RecursionError):
        return Broken(text[:100].decode("utf-8", "replace"))
