"""Which figures a message belongs to, and when they are complete: by number, by time, by sessions."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .moments import can_be_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .figures import Cell
    from .keys import Key

_NEVER: Final = -math.inf


class Window:
    """The figures of one key in one stretch."""

    __slots__ = ("cells", "end", "heads", "is_open", "start", "taken")

    def __init__(self, heads: Sequence[Any], cells: list[Cell], start: float, end: float) -> None:
        self.heads = heads
        self.cells = cells
        self.start = start
        self.end = end
        self.taken = 0
        self.is_open = True

    def merge(self, other: Window) -> None:
        """Take in one that began to be filled later."""
        for cell, more in zip(self.cells, other.cells, strict=True):
            cell.merge(more)
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)
        self.taken += other.taken
        other.is_open = False


class _Windows(ABC):
    """The open windows of all keys."""

    def __init__(self, size: float, lateness: float, most: int, make_cells: Callable[[], list[Cell]]) -> None:
        self._size = size
        self._lateness = lateness
        self._most = most
        self._make_cells = make_cells
        self._count = 0
        self.latest = _NEVER
        """The latest time of a message."""

    @abstractmethod
    def window_of(self, key: Key, moment: float, heads: Sequence[Any]) -> Window | None:
        """Return the window of a message; None if that was closed already."""

    @abstractmethod
    def closed(self) -> Iterator[Window]:
        """Yield the windows that are complete, and let go of them."""

    @abstractmethod
    def rest(self) -> Iterator[Window]:
        """Yield the windows that are open."""

    def _open(self, heads: Sequence[Any], start: float, end: float) -> Window:
        if self._count >= self._most:
            raise RunError(f"more than {self._most} groups are open at once (:maxGroups)")
        self._count += 1
        return Window(heads, self._make_cells(), start, end)

    def _reached(self, moment: float) -> float:
        """Take note of a message's time; return up to when windows are complete."""
        self.latest = max(self.latest, moment)
        return self.latest - self._lateness


class CountWindows(_Windows):
    """A window for each key, closed after so many messages; without a size never."""

    def __init__(self, size: float, lateness: float, most: int, make_cells: Callable[[], list[Cell]]) -> None:
        super().__init__(size, lateness, most, make_cells)
        self._windows: dict[Key, Window] = {}
        self._latest_key: Key = ()

    def window_of(self, key: Key, moment: float, heads: Sequence[Any]) -> Window:
        """Return the window of a message."""
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = self._open(heads, math.nan, math.nan)
        window.taken += 1
        self._latest_key = key
        return window

    def closed(self) -> Iterator[Window]:
        """Yield the window of the latest message, if it is full."""
        if self._size and self._windows[self._latest_key].taken >= self._size:
            self._count -= 1
            yield self._windows.pop(self._latest_key)

    def rest(self) -> Iterator[Window]:
        """Yield the open windows in order of their first messages."""
        yield from self._windows.values()


class TimeWindows(_Windows):
    """Windows one after the other, as long as each other."""

    def __init__(self, size: float, lateness: float, most: int, make_cells: Callable[[], list[Cell]]) -> None:
        super().__init__(size, lateness, most, make_cells)
        self._windows: dict[float, dict[Key, Window]] = {}
        self._starts: list[float] = []

    def window_of(self, key: Key, moment: float, heads: Sequence[Any]) -> Window | None:
        """Return the window of a message; None if its time is over."""
        start = math.floor(moment / self._size) * self._size
        if not (can_be_told(start) and can_be_told(start + self._size)):
            raise RunError("the window of the message's time would begin or end outside the years 1 to 9999")
        if start + self._size <= self._reached(moment):
            return None
        if start not in self._windows:
            self._windows[start] = {}
            heappush(self._starts, start)
        windows = self._windows[start]
        if key not in windows:
            windows[key] = self._open(heads, start, start + self._size)
        return windows[key]

    def closed(self) -> Iterator[Window]:
        """Yield the windows whose time is over, the earliest first."""
        while self._starts and self._starts[0] + self._size <= self.latest - self._lateness:
            windows = self._windows.pop(heappop(self._starts))
            self._count -= len(windows)
            yield from windows.values()

    def rest(self) -> Iterator[Window]:
        """Yield the open windows, the earliest first."""
        for start in sorted(self._windows):
            yield from self._windows[start].values()


class SessionWindows(_Windows):
    """Windows that last while messages of their key follow each other closely enough; `end` is the time of the last one."""

    def __init__(self, size: float, lateness: float, most: int, make_cells: Callable[[], list[Cell]]) -> None:
        super().__init__(size, lateness, most, make_cells)
        self._windows: dict[Key, list[Window]] = {}
        self._ends: list[tuple[float, int, Key, Window]] = []
        """Times at which windows may be over, each as it was when it was written down."""
        self._numbers = count()

    def window_of(self, key: Key, moment: float, heads: Sequence[Any]) -> Window | None:
        """Return the window of a message, which may join two; None if its time is over and it follows none that is open."""
        over = self._reached(moment)
        windows = self._windows.get(key, [])
        near = [one for one in windows if one.start - self._size < moment < one.end + self._size]
        if not near and moment < over:
            return None
        window = near[0] if near else self._open(heads, moment, moment)
        for other in near[1:]:
            window.merge(other)
            self._count -= 1
        window.start, window.end = min(window.start, moment), max(window.end, moment)
        self._windows[key] = [one for one in windows if one not in near] + [window]
        heappush(self._ends, (window.end + self._size, next(self._numbers), key, window))
        return window

    def closed(self) -> Iterator[Window]:
        """Yield the windows no message can join any more."""
        while self._ends and self._ends[0][0] <= self.latest - self._lateness:
            end, _, key, window = heappop(self._ends)
            if window.is_open and window.end + self._size == end:
                self._close(key, window)
                yield window

    def _close(self, key: Key, window: Window) -> None:
        window.is_open = False
        self._count -= 1
        self._windows[key].remove(window)
        if not self._windows[key]:
            del self._windows[key]

    def rest(self) -> Iterator[Window]:
        """Yield the open windows, the earliest first."""
        yield from sorted((one for windows in self._windows.values() for one in windows), key=lambda window: window.start)
