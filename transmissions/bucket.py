"""How often something may be done: the one limit of a rate, for messages of a pipe and for requests of a server alike."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_MAKE_UP: Final = 0.005
"""Seconds of lateness that may be made up: timers wake late, and without this a high rate is never reached."""


class Bucket:
    """A token bucket, full at first: `burst` tokens at once, and then `rate` for each second."""

    __slots__ = ("_due", "_interval", "_slack", "clock")

    def __init__(self, rate: float, burst: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._interval = 1 / rate
        self._slack = max((burst - 1) * self._interval, _MAKE_UP)
        self._due = float("-inf")

    @property
    def wait(self) -> float:
        """Seconds until there is a token; 0 if there is one."""
        return max(0.0, self._due - self._slack - self.clock())

    @property
    def is_full(self) -> bool:
        """Whether nothing is known any more of what was taken."""
        return self._due <= self.clock()

    def take(self) -> float:
        """Take a token, and return how many seconds to wait for it."""
        wait = self.wait
        self._due = max(self._due, self.clock()) + self._interval
        return wait
