"""How many events may wait for a client: a capacity that follows how fast they are sent, and the statistics it follows."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final

from transmissions.settings import LessThanOrEquals, Range, Record, Unit

from .window import Shares

FOR_ALL: Final = 32 << 20
"""Bytes that may wait for all clients: the whole 64 KiB for each of five hundred that do not read, and half for a thousand."""
_PARTS: Final = 2048
"""One of so many parts of that is each log's own: where others hold all, its events need not wait one by one."""


class BufferLimits(Record):
    """The buffer in front of a client."""

    initial: Annotated[int, Range(ge=1), LessThanOrEquals("maximum")] = 256
    "How many events may wait at first."
    minimum: Annotated[int, Range(ge=1), LessThanOrEquals("initial")] = 64
    "How few it comes down to for a slow client."
    maximum: Annotated[int, Range(ge=1)] = 2048
    "How many it goes up to."
    growth: Annotated[float, Range(gt=1)] = 1.5
    "By how much it grows at a time."
    shrink: Annotated[float, Range(gt=0, lt=1)] = 0.75
    "To how much of itself it shrinks at a time."
    slow_send: Annotated[float, Range(gt=0), Unit("ms")] = 100
    "From when on a send is slow."
    window: Annotated[int, Range(ge=2)] = 50
    "How many sends are looked back at."
    memory: Annotated[int, Range(ge=1), Unit("bytes")] = 65536
    "How many bytes may wait; an event larger than that passes alone."
    largest: Annotated[int, Range(ge=1024), Unit("bytes")] = 1_000_000
    "How large an event may be; of a result that is larger an error is told instead."
    adaptive: bool = True
    "Whether the capacity follows the client."


class DynamicBuffer:
    """A capacity between two bounds. Times are in seconds."""

    def __init__(self, limits: BufferLimits) -> None:
        self.limits = limits
        self.capacity = limits.initial
        self.peak = self.resizes = 0
        self.reset_stats()

    def reset_stats(self) -> None:
        """Begin counting anew; the capacity stays."""
        self.total = self.dropped = self.sends = self.slow_sends = 0
        self.average_send = 0.0
        self._slow = Shares(self.limits.window)
        self._drops = Shares(self.limits.window)

    def record_send(self, seconds: float, events: int = 1, sends: int = 1) -> None:
        """Count a send, or some that took so long on average, and the events that went with it."""
        self.total += events
        self.sends += sends
        self.average_send += (seconds - self.average_send) * sends / self.sends
        is_slow = seconds * 1000 > self.limits.slow_send
        self.slow_sends += is_slow * sends
        self._slow.add(is_slow, sends)
        self._drops.add(False, events)

    def record_drop(self) -> None:
        """Count an event that was dropped."""
        self.total += 1
        self.dropped += 1
        self._drops.add(True)

    def record_waiting(self, count: int) -> None:
        """Note how many wait."""
        self.peak = max(self.peak, count)

    @property
    def is_under_backpressure(self) -> bool:
        """Whether more than half of the latest sends were slow; not before half a window was seen."""
        seen = self._slow.seen
        return seen >= self.limits.window / 2 and self._slow.count > seen / 2

    def adapt(self) -> bool:
        """Change the capacity if the client gives reason to; say whether it did.

        A slow client gets less, so that it is not far behind; one that is fast enough though events were dropped gets more.
        What is looked at are the latest events, not all there ever were, or a bad beginning would count for ever.
        """
        if not self.limits.adaptive or not (self._slow.count or self._drops.count):
            return False
        capacity = self.capacity
        if self.is_under_backpressure:
            capacity = max(self.limits.minimum, self._scaled(self.limits.shrink))
        elif self._drops.count > self._drops.seen / 100:
            capacity = min(self.limits.maximum, self._scaled(self.limits.growth))
        changed = capacity != self.capacity
        self.capacity = capacity
        self.resizes += changed
        return changed

    @property
    def threshold(self) -> int:
        """From how many waiting events on a client is warned and what is not essential is dropped: 800 of 1024."""
        return max(1, self.capacity * 25 // 32)

    def stats(self) -> dict[str, Any]:
        """Return the figures; times in milliseconds."""
        return {
            "current_size": self.capacity,
            "peak_size": self.peak,
            "total_messages": self.total,
            "dropped_messages": self.dropped,
            "slow_sends": self.slow_sends,
            "average_send_time_ms": round(self.average_send * 1000, 3),
            "resizes": self.resizes,
        }

    def _scaled(self, factor: float) -> int:
        """Return the capacity times a factor; one that is none, which only code can give, changes nothing."""
        size = self.capacity * factor
        return math.ceil(size) if math.isfinite(size) and size > 0 else self.capacity


class Memory:
    """The bytes that wait in all logs together, and how many may; a log in which nothing waits may always have one event.

    No log may have more than is still free: so the many that are full at once share it alike, whichever was first, and the few
    that are never notice.
    """

    def __init__(self, limit: int = FOR_ALL) -> None:
        self.limit = limit
        self.used = 0
        self._part = limit // _PARTS

    def has_room(self, size: int) -> bool:
        """Whether so many may wait in one log, with those that do."""
        return size <= self.limit - self.used or size <= self._part
