"""Events that were sent, kept for a client that lost them: the latest in memory, more in a temporary file.

A client that goes away loses what its system had taken for it, and that may be megabytes. So the file holds that much, and
no more: it is two files by turns, and the older is emptied when the younger is full. What does not fit on the disk is not
kept, and a client that asks for it is told so.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from array import array
from typing import TYPE_CHECKING, Final

from .envelope import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOG: Final = logging.getLogger(__name__)


class _Half:
    """Events in a file, one after the other, and where each ends."""

    def __init__(self) -> None:
        self.first = 0
        self.size = 0
        self._file = -1
        self._ends = array("Q")

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def last(self) -> int:
        """The number of the latest event here."""
        return self.first + len(self._ends) - 1

    def add(self, events: Sequence[Event]) -> None:
        """Append events; the first is the one after the last.

        Raises:
            OSError: there is no room. What was here is, and nothing else.

        """
        records = [f"{event.name} {event.timestamp}\n".encode() + event.body for event in events]
        if self._file < 0:
            self._file = _unnamed()
        _write(self._file, b"".join(records), self.size)
        if not self._ends:
            self.first = events[0].seq
        for record in records:
            self.size += len(record)
            self._ends.append(self.size)

    def after(self, seq: int, most: int) -> list[Event]:
        """Return the events from one on, until they are `most` bytes.

        Raises:
            OSError: the disk failed.

        """
        events: list[Event] = []
        size = 0
        for position in range(seq + 1 - self.first, len(self)):
            if size >= most:
                break
            begin = self._ends[position - 1] if position else 0
            head, _, body = os.pread(self._file, self._ends[position] - begin, begin).partition(b"\n")
            name, timestamp = head.decode().split(" ")
            events.append(Event(name, self.first + position, body, timestamp))
            size += len(body)
        return events

    def clear(self) -> None:
        """Forget everything."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.close(self._file)
        self._file, self._ends = -1, array("Q")
        self.first = self.size = 0


class Kept:
    """What was sent, by its number: the latest in memory, few and small enough; about `size` bytes of older ones in files.

    Of what is in memory the older half goes to the file at once: a system call for each event would cost more than the event.
    """

    def __init__(self, ring: int = 128, memory: int = 16384, size: int = 16 << 20) -> None:
        self._ring: list[Event] = []
        self._bytes = 0
        self._most = ring
        self._memory = memory
        self._half = size // 2
        self._old, self._young = _Half(), _Half()

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept; 0 if none is."""
        for half in (self._old, self._young):
            if half:
                return half.first
        return self._ring[0].seq if self._ring else 0

    def add(self, events: Sequence[Event]) -> None:
        """Keep the next events."""
        self._ring.extend(events)
        self._bytes += sum([len(event.body) for event in events])
        if len(self._ring) > self._most or self._bytes > self._memory:
            self._spill()

    def after(self, seq: int, most: int) -> list[Event]:
        """Return the events that came after one, until they are `most` bytes; none of them may be missing."""
        for half in (self._old, self._young):
            if half and half.first <= seq + 1 <= half.last:
                return half.after(seq, most)
        if not self._ring:
            return []
        events: list[Event] = []
        for event in self._ring[max(0, seq + 1 - self._ring[0].seq) :]:
            events.append(event)
            most -= len(event.body)
            if most <= 0:
                break
        return events

    def clear(self) -> None:
        """Forget everything."""
        self._ring.clear()
        self._bytes = 0
        self._old.clear()
        self._young.clear()

    def _spill(self) -> None:
        count, left = 0, len(self._ring)
        while count < left and (left - count > self._most // 2 or self._bytes > self._memory // 2):
            self._bytes -= len(self._ring[count].body)
            count += 1
        events, self._ring = self._ring[:count], self._ring[count:]
        try:
            self._young.add(events)
        except OSError as error:
            _LOG.warning("what was sent cannot be kept for clients that come back: %s", error.strerror)
            self._old.clear()
            self._young.clear()
        if self._young.size > self._half:
            self._old.clear()
            self._old, self._young = self._young, self._old


def _unnamed() -> int:
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def _write(file: int, data: bytes, place: int) -> None:
    while data:
        written = os.pwrite(file, data, place)
        data, place = data[written:], place + written
