"""The events of one run: those that wait for the client, and those that were sent and may be asked for again."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from .envelope import ESSENTIAL, Event, make
from .errors import SerializationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .buffer import DynamicBuffer
    from .pressure import Pressure
    from .spool import Kept


class EventLog:
    """Events in order, numbered from 1; put by the run, taken by one connection at a time.

    An essential event waits for room, and then the run waits, and with it everything in front of it. One that is not is left
    out when the client is behind, and counted. What tells of a connection only is no matter of this log.
    """

    def __init__(self, buffer: DynamicBuffer, pressure: Pressure, kept: Kept, *, may_drop: bool = True) -> None:
        self.buffer = buffer
        self.pressure = pressure
        self.last = 0
        """The number of the latest event."""
        self.is_ended = False
        self.peak = 0.0
        """The fullest it was, as a share of its capacity."""
        self._kept = kept
        self._may_drop = may_drop
        self._waiting: deque[Event] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def utilization(self) -> float:
        """How full it is, from 0 to 1: by events or by bytes, whichever is more."""
        limits = self.buffer.limits
        return min(1.0, max(len(self._waiting) / self.buffer.capacity, self._bytes / limits.memory))

    async def put(self, name: str, fields: Mapping[str, Any], bare: object = None) -> bool:
        """Add an event and return True, or leave it out and return False. One task puts.

        Raises:
            SerializationFailed: JSON has no words for it.

        """
        if not ESSENTIAL.get(name, True) and self._may_drop and self._is_behind():
            self.pressure.record_drop(time.monotonic())
            self.buffer.record_drop()
            self.buffer.adapt()
            return False
        try:
            event = make(name, fields, self.last + 1, bare)
        except ValueError as error:
            raise SerializationFailed(f"an event {name} cannot be written as JSON: {error}") from error
        while self._is_full(len(event.body)):
            self._room.clear()
            await self._room.wait()
        self.last += 1
        self._append(event)
        return True

    async def wait(self, otherwise: Callable[[], bool]) -> None:
        """Wait until an event waits, none will come, or something else is the case that `poke` was called for."""
        while not (self._waiting or self.is_ended or otherwise()):
            self._changed.clear()
            await self._changed.wait()

    def poke(self) -> None:
        """Have those who wait look again."""
        self._changed.set()

    def take_now(self) -> Event | None:
        """Return the next event if one waits."""
        if not self._waiting:
            return None
        event = self._waiting.popleft()
        self._bytes -= len(event.body)
        self._kept.add(event)  # Now, not when it was sent: a send that fails may have come through.
        self._room.set()
        return event

    def sent(self, seconds: float) -> None:
        """Note how long a send took."""
        self.pressure.record_send(seconds)
        self.buffer.record_send(seconds)
        self.buffer.adapt()
        self._room.set()

    def since(self, seq: int) -> list[Event] | None:
        """Return the events behind a number that were taken already; None if some of them are not kept any more."""
        taken = self.last - len(self._waiting)
        if seq > taken:
            return None
        return list(self._kept.since(seq)) if seq == taken or 0 < self._kept.first <= seq + 1 else None

    def all_kept(self) -> list[Event]:
        """Return all that was taken and is kept."""
        return list(self._kept.since(0))

    def end(self) -> None:
        """Say that no more events come."""
        self.is_ended = True
        self._changed.set()

    def close(self) -> None:
        """Forget everything, and let nobody wait."""
        self.end()
        self._waiting.clear()
        self._kept.clear()
        self._room.set()

    def _append(self, event: Event) -> None:
        self._waiting.append(event)
        self._bytes += len(event.body)
        self.buffer.record_waiting(len(self._waiting))
        self.peak = max(self.peak, self.utilization)
        self._changed.set()

    def _is_full(self, size: int) -> bool:
        if not self._waiting or self.is_ended:
            return False
        return len(self._waiting) >= self.buffer.capacity or self._bytes + size > self.buffer.limits.memory

    def _is_behind(self) -> bool:
        count = len(self._waiting)
        behind = count > self.buffer.threshold or self._is_full(0)
        return behind or self.pressure.should_drop(count, under_backpressure=self.buffer.is_under_backpressure)
