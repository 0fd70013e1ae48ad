"""What is kept of a command's output: all of it, its tail, or nothing but its size."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import ExecutionContext


class Capture:
    """The bytes of one output."""

    def __init__(self, context: ExecutionContext) -> None:
        self.total = 0
        """Bytes written."""
        self._pieces: deque[bytes] = deque()
        self._kept = 0
        self._limit = {"all": None, "tail": context.capture_limit, "none": 0}[context.capture]

    def add(self, data: bytes) -> None:
        """Keep some bytes."""
        self.total += len(data)
        if self._limit == 0:
            return
        self._pieces.append(data)
        self._kept += len(data)
        while self._limit is not None and self._kept - len(self._pieces[0]) >= self._limit:
            self._kept -= len(self._pieces.popleft())

    def bytes(self) -> bytes:
        """Return what was kept."""
        whole = b"".join(self._pieces)
        return whole if self._limit is None else whole[max(0, len(whole) - self._limit) :]
