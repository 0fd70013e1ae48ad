"""Events that were sent, kept for a client that lost them: the latest in memory, more in a temporary file.

A client that goes away loses what its system had taken for it, and that may be megabytes. So that much is kept of each run,
and no more: in two halves by turns, of which the older is emptied when the younger is full. All runs of a server share one
file, as to make one takes longer than most runs. What does not fit on the disk is not kept, and a client that asks for it is
told so.
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
    from collections.abc import Iterator, Sequence

_LOG: Final = logging.getLogger(__name__)
_BLOCK: Final = 1 << 16
"""Bytes of the file that belong to one half of one run."""
_SPARE: Final = 128
"""Blocks at its end that stay for whoever comes next: to let them go for each run would cost it as much as to write them."""
_AT_ONCE: Final = 512
"""Blocks that are let go at once, which takes milliseconds; of more, the runs at work would notice."""


class Disk:
    """A file without a name, in blocks, that is there as long as anybody has one, to little behind the last of them."""

    def __init__(self) -> None:
        self._file = -1
        self._taken = bytearray()
        """A byte for each block: 1 where somebody has it."""

    def take(self) -> int:
        """Return the place of a block that nobody has, the first of them.

        Raises:
            OSError: there can be no file.

        """
        if self._file < 0:
            self._file = _unnamed()
        block = self._taken.find(0)
        if block < 0:
            block = len(self._taken)
            self._taken.append(0)
        self._taken[block] = 1
        return block * _BLOCK

    def give_back(self, places: Sequence[int]) -> None:
        """Know that nobody has some blocks any more."""
        for place in places:
            self._taken[place // _BLOCK] = 0
        used, length = self._taken.rfind(1) + 1, len(self._taken)
        with contextlib.suppress(OSError):
            if length and not used:
                file, self._file, self._taken = self._file, -1, bytearray()
                os.close(file)
            elif length > used + _SPARE:
                del self._taken[max(used + _SPARE, length - _AT_ONCE) :]
                os.ftruncate(self._file, len(self._taken) * _BLOCK)

    def write(self, data: bytes, place: int) -> None:
        """Write into a block.

        Raises:
            OSError: there is no room.

        """
        while data:
            written = os.pwrite(self._file, data, place)
            data, place = data[written:], place + written

    def read(self, size: int, place: int) -> bytes:
        """Return what is in a block.

        Raises:
            OSError: the disk failed.

        """
        return os.pread(self._file, size, place)


class _Half:
    """Events on a disk, one after the other, and where each ends."""

    __slots__ = ("_disk", "_ends", "_places", "first", "size")

    def __init__(self, disk: Disk) -> None:
        self.first = 0
        self.size = 0
        self._disk = disk
        self._places: list[int] = []
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
        data = b"".join(records)
        while len(self._places) * _BLOCK < self.size + len(data):
            self._places.append(self._disk.take())
        done = 0
        for place, length in self._spans(self.size, len(data)):
            self._disk.write(data[done : done + length], place)
            done += length
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
            spans = self._spans(begin, self._ends[position] - begin)
            head, _, body = b"".join([self._disk.read(length, place) for place, length in spans]).partition(b"\n")
            name, timestamp = head.decode().split(" ")
            events.append(Event(name, self.first + position, body, timestamp))
            size += len(body)
        return events

    def clear(self) -> None:
        """Forget everything."""
        self._disk.give_back(self._places)
        self._places, self._ends = [], array("Q")
        self.first = self.size = 0

    def _spans(self, begin: int, size: int) -> Iterator[tuple[int, int]]:
        """Yield where on the disk some bytes of this half are: places and lengths."""
        while size:
            block, offset = divmod(begin, _BLOCK)
            length = min(size, _BLOCK - offset)
            yield self._places[block] + offset, length
            begin, size = begin + length, size - length


class Kept:
    """What was sent, by its number: the latest in memory, few and small enough; about `size` bytes of older ones on a disk.

    Of what is in memory the older half goes there at once: a system call for each event would cost more than the event.
    """

    def __init__(self, ring: int = 128, memory: int = 16384, size: int = 16 << 20, disk: Disk | None = None) -> None:
        disk = disk or Disk()
        self._ring: list[Event] = []
        self._bytes = 0
        self._most = ring
        self._memory = memory
        self._half = size // 2
        self._old, self._young = _Half(disk), _Half(disk)

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept; 0 if none is."""
        for half in (self._old, self._young):
            if half:
                return half.first
        return self._ring[0].seq if self._ring else 0

    def add(self, events: Sequence[Event], size: int) -> None:
        """Keep the next events, whose bodies are so many bytes together."""
        self._ring.extend(events)
        self._bytes += size
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
