"""Whether a client keeps up, and what is left out for one that does not."""

from __future__ import annotations

from typing import Final

from .window import Shares, Times

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
        self._times = Times(window)
        self._slow = Shares(window)
        self._drops = Shares(window)

    def record_send(self, seconds: float, events: int = 1, sends: int = 1) -> None:
        """Count a send, or some that took so long on average, and the events that went with it."""
        self.sent += events
        is_slow = seconds > self._slow_send
        self.slow_sends += is_slow * sends
        for _ in range(sends):
            self._times.add(seconds)
        self._slow.add(is_slow, sends)
        self._count(events, dropped=False)

    def record_drop(self, at: float) -> None:
        """Count an event that was left out."""
        self.dropped += 1
        self.last_drop = at
        self._count(1, dropped=True)

    @property
    def average_send(self) -> float:
        """The mean of the latest sends."""
        return self._times.average

    @property
    def is_slow(self) -> bool:
        """Whether half of the latest sends took too long, or all of them on average."""
        if self._slow.seen < _FEW:
            return False
        return self._slow.count / self._slow.seen > _SLOW_SHARE or self.average_send > self._slow_send

    def should_drop(self, waiting: int, *, under_backpressure: bool = False) -> bool:
        """Whether an event that is not essential is left out while so many wait.

        The share of those left out is of the latest events only: of all there ever were, it could not come down again.
        """
        limit = self.threshold / 2 if self.is_slow else self.threshold
        return waiting > limit or (waiting > 0 and (under_backpressure or self._drop_share() > _DROP_SHARE))

    def _drop_share(self) -> float:
        return self._drops.count / self._drops.seen if self._drops.seen else 0.0

    def _count(self, events: int, *, dropped: bool) -> None:
        self._drops.add(dropped, events)
        self._since += events
        if self._since >= _EVERY:
            self._since = 0
            share = 1 - self._drop_share()
            factor = 1.1 if share > 0.95 else 0.9 if share < 0.8 else 1.0  # noqa: PLR2004 - as the seed has them
            self.threshold = min(_HIGHEST, max(_LOWEST, self.threshold * factor))
