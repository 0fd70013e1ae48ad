"""What is kept of a command's output: all of it, its tail, or nothing but its size."""

from __future__ import annotations

from collections import deque
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import ExecutionContext


class Capture:
    """The bytes of one output."""

    def __init__(self, context: ExecutionContext) -> None:
        self.total = 0
        """Bytes written."""
        self._whole = BytesIO()
        """All of them, copied while the processor has them at hand: to join pieces in the end takes twice as long, and twice
        the memory."""
        self._pieces: deque[bytes] = deque()
        """The last of them, where not all are kept."""
        self._kept = 0
        self._limit = {"all": None, "tail": context.capture_limit, "none": 0}[context.capture]

    def add(self, data: bytes) -> None:
        """Keep some bytes."""
        self.total += len(data)
        if self._limit is None:
            self._whole.write(data)
        elif self._limit:
            self._pieces.append(data)
            self._kept += len(data)
            while self._kept - len(self._pieces[0]) >= self._limit:
                self._kept -= len(self._pieces.popleft())

    def bytes(self) -> bytes:
        """Return what was kept."""
        if self._limit is None:
            return self._whole.getvalue()
        tail = b"".join(self._pieces)
        return tail[max(0, len(tail) - self._limit) :]
