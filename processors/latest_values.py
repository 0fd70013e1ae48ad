"""The latest value of each key, set aside in a temporary file: 32 bytes of memory for each key."""

from __future__ import annotations

import pickle
from array import array
from typing import Any, Final

from .number_table import MANY, NumberTable
from .spool import Spool

_AT_ONCE: Final = 256
"""Values that are set aside together."""


class LatestValues:
    """A value of plain data by key."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._numbers = NumberTable(MANY)
        self._ends = array("q", [0])
        self._waiting: list[bytes] = []
        """The last values, which are not in the file yet."""

    def get(self, key: str) -> Any:
        """Return the value of a key; None if it has none."""
        number = self._numbers.get(key)
        return None if number < 0 else pickle.loads(self._read(number))  # noqa: S301 - nobody else writes to the file

    def replace(self, key: str, value: Any) -> Any:
        """Give a key a value, and return the one it had; None if it had none."""
        earlier = self.get(key)
        self[key] = value
        return earlier

    def __setitem__(self, key: str, value: Any) -> None:
        self._numbers[key] = len(self._ends) - 1
        self._waiting.append(pickle.dumps(value))
        self._ends.append(self._ends[-1] + len(self._waiting[-1]))
        if len(self._waiting) >= _AT_ONCE:  # More, where there was no room for them.
            self._spool.put(b"".join(self._waiting))
            self._waiting.clear()

    def _read(self, number: int) -> bytes:
        late = number - (len(self._ends) - 1 - len(self._waiting))
        if late >= 0:
            return self._waiting[late]
        start, end = self._ends[number : number + 2]
        return self._spool.read(start, end - start)
