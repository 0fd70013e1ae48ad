"""Numbers by key, for millions of keys: 24 bytes for each where a dict takes four times that."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

_FIRST = 64
MANY = 1 << 14
"""Room for what a whole archive may have: 200 KB, and ten thousand keys are put in once, not once for each doubling."""


class NumberTable:
    """Numbers by key. Of a key only its hash of 64 bits is kept, so keys cannot be listed."""

    __slots__ = ("_hashes", "_mask", "_most", "_numbers", "_used")

    def __init__(self, room: int = _FIRST) -> None:
        """Make an empty table; `room` is a power of two."""
        self._make(room)

    def _make(self, room: int) -> None:
        self._hashes = array("q", bytes(8 * room))
        self._numbers = array("i", bytes(4 * room))
        self._mask = room - 1
        self._most = 2 * self._mask // 3
        self._used = 0

    def get(self, key: Hashable, missing: int = -1) -> int:
        """Return the number of a key."""
        place = self._find(hash(key) or 1)
        return self._numbers[place] if self._hashes[place] else missing

    def __contains__(self, key: Hashable) -> bool:
        return bool(self._hashes[self._find(hash(key) or 1)])

    def __setitem__(self, key: Hashable, number: int) -> None:
        self._put(hash(key) or 1, number)
        if self._used > self._most:
            self._make_room()

    def add(self, key: Hashable, number: int = 1) -> bool:
        """Give a key a number, unless it has one; return whether it had none."""
        hashed = hash(key) or 1
        place = self._find(hashed)
        if self._hashes[place]:
            return False
        self._used += 1
        self._hashes[place], self._numbers[place] = hashed, number
        if self._used > self._most:
            self._make_room()
        return True

    def _find(self, hashed: int) -> int:
        """Return where a hash stands, or the free place where it would."""
        hashes, mask = self._hashes, self._mask
        place = hashed & mask
        while (there := hashes[place]) and there != hashed:
            place = (place + 1) & mask
        return place

    def _put(self, hashed: int, number: int) -> None:
        place = self._find(hashed)
        self._used += not self._hashes[place]
        self._hashes[place], self._numbers[place] = hashed, number

    def _make_room(self) -> None:
        hashes, numbers = self._hashes, self._numbers
        self._make(2 * len(hashes))
        for hashed, number in zip(hashes, numbers, strict=True):
            if hashed:
                self._put(hashed, number)
