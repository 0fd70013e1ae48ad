"""Events that were sent, kept for a client that lost them: the latest in memory, more in a temporary file.

A client that goes away loses what its system had taken for it, and that may be megabytes. So the file holds that much, and
no more: it is two files by turns, and the older is emptied when the younger is full.
"""

from __future__ import annotations

import contextlib
import tempfile
from array import array
from collections import deque
from typing import IO, TYPE_CHECKING

from .envelope import Event

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Half:
    """Events in a file, one after the other, and where each ends."""

    def __init__(self) -> None:
        self.first = 0
        self.size = 0
        self._file: IO[bytes] | None = None
        self._ends = array("Q")

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, event: Event) -> None:
        """Append an event; the one after the last."""
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by clear()
        if not self._ends:
            self.first = event.seq
        head = f"{event.name} {event.timestamp} {len(event.bare)}\n".encode()
        self._file.write(head + event.body + event.bare)
        self.size += len(head) + len(event.body) + len(event.bare)
        self._ends.append(self.size)

    def read(self, seq: int) -> Iterator[Event]:
        """Yield the events from one on."""
        for position in range(max(0, seq - self.first), len(self)):
            assert self._file is not None
            begin = self._ends[position - 1] if position else 0
            self._file.seek(begin)
            head, _, data = self._file.read(self._ends[position] - begin).partition(b"\n")
            self._file.seek(0, 2)
            name, timestamp, bare = head.decode().rsplit(" ", 2)
            cut = len(data) - int(bare)
            yield Event(name, self.first + position, data[:cut], timestamp, data[cut:])

    def clear(self) -> None:
        """Forget everything."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._file, self._ends = None, array("Q")
        self.first = self.size = 0


class Kept:
    """What was sent, by its number: `ring` events in memory, about `size` bytes of older ones in files."""

    def __init__(self, ring: int = 128, size: int = 16 << 20) -> None:
        self._ring: deque[Event] = deque()
        self._most = ring
        self._half = size // 2
        self._old, self._young = _Half(), _Half()

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept; 0 if none is."""
        for half in (self._old, self._young):
            if half:
                return half.first
        return self._ring[0].seq if self._ring else 0

    def add(self, event: Event) -> None:
        """Keep the next event."""
        self._ring.append(event)
        if len(self._ring) > self._most:
            self._young.add(self._ring.popleft())
            if self._young.size > self._half:
                self._old.clear()
                self._old, self._young = self._young, self._old

    def since(self, seq: int) -> Iterator[Event]:
        """Yield the events that came after one, as far as they are kept."""
        for half in (self._old, self._young):
            if half:
                yield from half.read(seq + 1)
        yield from [event for event in self._ring if event.seq > seq]

    def clear(self) -> None:
        """Forget everything."""
        self._ring.clear()
        self._old.clear()
        self._young.clear()
