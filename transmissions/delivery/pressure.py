"""Whether a client keeps up, and what is left out for one that does not."""

from __future__ import annotations

from collections import deque
from typing import Final

_LOWEST: Final = 100
_HIGHEST: Final = 5000
_FEW: Final = 10
"""Sends before a connection may be called slow."""
_EVERY: Final = 100
"""Events between two looks at the threshold."""
_SLOW_SHARE: Final = 0.5
_DROP_SHARE: Final = 0.15


class Pressure:
    """What one connection shows of its speed. Times are in seconds."""

    def __init__(self, slow_send: float = 0.1, threshold: float = 1000, window: int = 100) -> None:
        self.threshold = threshold
        self.slow_sends = self.sent = self.dropped = 0
        self.last_drop: float | None = None
        """When something was dropped last, on the monotonic clock."""
        self._slow_send = slow_send
        self._since = 0
        self._times: deque[float] = deque(maxlen=window)
        self._outcomes: deque[bool] = deque(maxlen=window)

    def record_send(self, seconds: float, events: int = 1) -> None:
        """Count a send, and the events that went with it."""
        self.sent += events
        self.slow_sends += seconds > self._slow_send
        self._times.append(seconds)
        self._count(events, delivered=True)

    def record_drop(self, at: float) -> None:
        """Count an event that was left out."""
        self.dropped += 1
        self.last_drop = at
        self._count(1, delivered=False)

    @property
    def average_send(self) -> float:
        """The mean of the latest sends."""
        return sum(self._times) / len(self._times) if self._times else 0.0

    @property
    def is_slow(self) -> bool:
        """Whether half of the latest sends took too long, or all of them on average."""
        if len(self._times) < _FEW:
            return False
        slow = sum(seconds > self._slow_send for seconds in self._times)
        return slow / len(self._times) > _SLOW_SHARE or self.average_send > self._slow_send

    def should_drop(self, waiting: int, *, under_backpressure: bool = False) -> bool:
        """Whether an event that is not essential is left out while so many wait.

        The share of those left out is of the latest events only: of all there ever were, it could not come down again.
        """
        limit = self.threshold / 2 if self.is_slow else self.threshold
        return waiting > limit or (waiting > 0 and (under_backpressure or self._drop_share() > _DROP_SHARE))

    def _drop_share(self) -> float:
        return 1 - sum(self._outcomes) / len(self._outcomes) if self._outcomes else 0.0

    def _count(self, events: int, *, delivered: bool) -> None:
        self._outcomes.extend([delivered] * min(events, _EVERY))
        self._since += events
        if self._since >= _EVERY:
            self._since = 0
            share = 1 - self._drop_share()
            factor = 1.1 if share > 0.95 else 0.9 if share < 0.8 else 1.0  # noqa: PLR2004 - as the seed has them
            self.threshold = min(_HIGHEST, max(_LOWEST, self.threshold * factor))
