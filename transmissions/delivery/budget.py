"""How much a request may take: of time, and of bytes that are delivered. A run that has spent it is ended, and says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Budget(NamedTuple):
    """What a client asked to be spent at most; None for as much as the server allows."""

    milliseconds: int | None = None
    size: int | None = None
    """Bytes of events. The one that goes beyond it is still sent."""

    def told(self) -> dict[str, Any]:
        """Return what the summary says of it: nothing if there is none."""
        limits = {"duration_ms": self.milliseconds, "bytes": self.size}
        return {"limits": limits} if any(limits.values()) else {}


class Spending:
    """What one run has spent. `end` is called once, with what is used up: `time limit` or `byte limit`."""

    def __init__(self, budget: Budget, end: Callable[[str], object]) -> None:
        self.is_over = False
        self._budget = budget
        self._end = end
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Begin to count the time."""
        if self._budget.milliseconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._budget.milliseconds / 1000, self._spent, "time limit")

    def look(self, size: int) -> None:
        """Look at how many bytes it is by now."""
        if self._budget.size is not None and size >= self._budget.size:
            self._spent("byte limit")

    def close(self) -> None:
        """Count no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _spent(self, what: str) -> None:
        if not self.is_over:
            self.is_over = True
            self._end(what)
