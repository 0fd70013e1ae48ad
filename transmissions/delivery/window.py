"""The latest so many of something: as a deque each, they would be a tenth of what a connection takes."""

from __future__ import annotations

from array import array


class Shares:
    """How many of the latest were so; each is one bit."""

    __slots__ = ("_bits", "_mask", "_size", "seen")

    def __init__(self, size: int) -> None:
        self._size = size
        self._mask = (1 << size) - 1
        self._bits = 0
        self.seen = 0
        """How many there are, at most as many as are looked at."""

    def add(self, is_so: bool, times: int = 1) -> None:
        """Count the next."""
        times = min(times, self._size)
        if is_so or self._bits:
            self._bits = (self._bits << times | ((1 << times) - 1 if is_so else 0)) & self._mask
        if self.seen < self._size:
            self.seen = min(self._size, self.seen + times)

    @property
    def count(self) -> int:
        """How many were so."""
        return self._bits.bit_count()


class Times:
    """How long the latest took, to the microsecond."""

    __slots__ = ("_next", "_size", "_sum", "_times")

    def __init__(self, size: int) -> None:
        self._size = size
        self._next = self._sum = 0
        self._times = array("Q")

    def __len__(self) -> int:
        return len(self._times)

    def add(self, seconds: float) -> None:
        """Count the next."""
        time = round(seconds * 1e6)
        self._sum += time
        if len(self._times) < self._size:
            self._times.append(time)
            return
        self._sum -= self._times[self._next]
        self._times[self._next] = time
        self._next = (self._next + 1) % self._size

    @property
    def average(self) -> float:
        """Their mean, in seconds."""
        return self._sum / len(self._times) / 1e6 if self._times else 0.0
