"""The latest value of each key, set aside in a temporary file: 32 bytes of memory for each key."""

from __future__ import annotations

import json
from array import array
from typing import Any

from .number_table import NumberTable
from .spool import Spool


class LatestValues:
    """A JSON value by key."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._numbers = NumberTable()
        self._ends = array("q", [0])

    def replace(self, key: str, value: Any) -> Any:
        """Give a key a value, and return the one it had; None if it had none."""
        number = self._numbers.get(key)
        self._numbers[key] = len(self._ends) - 1
        data = json.dumps(value).encode("ascii")
        self._spool.put(data)
        self._ends.append(self._ends[-1] + len(data))
        if number < 0:
            return None
        start, end = self._ends[number : number + 2]
        return json.loads(self._spool.read(start, end - start))
