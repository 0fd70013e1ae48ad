"""The events of one run: those that wait for the client, and those that were sent and may be asked for again."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from transmissions.channel import Pressure as Waits
from transmissions.errors import RunError

from .bell import Bell
from .buffer import Memory
from .envelope import ESSENTIAL, Event, Result, encode, now, numbered
from .errors import EventTooLarge, SerializationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .buffer import DynamicBuffer
    from .pressure import Pressure
    from .spool import Kept

_OUR_OWN: Final = frozenset({"metadata", "progress", "error", "summary"})
"""Events that are told however large they are."""
_TURNS: Final = 16
"""Turns of the loop that the first event may take to its client; it takes one to six."""


class EventLog:
    """Events in order, numbered from 1 without gaps; put by the run, taken by one connection at a time.

    An essential event waits for room, and then the run waits, and with it everything in front of it. One that is not is left
    out when the client is behind, and counted; it takes no number. What tells of a connection only is no matter of this log.
    """

    def __init__(
        self,
        buffer: DynamicBuffer,
        pressure: Pressure,
        kept: Kept,
        *,
        may_drop: bool = True,
        bare: bool = False,
        memory: Memory | None = None,
        dropped: Callable[[], object] | None = None,
    ) -> None:
        self.buffer = buffer
        self.pressure = pressure
        self.waits = Waits()
        """How often there was no room."""
        self.last = 0
        """The number of the latest event."""
        self.is_ended = False
        """Whether no more events come."""
        self.is_closed = False
        """Whether everything is forgotten, and nothing is taken any more."""
        self.flushes = 0
        self.size = 0
        """The bytes of all events so far."""
        self.bare = bare
        self._kept = kept
        self._may_drop = may_drop
        self._memory = memory or Memory()
        self._waiting: list[Event] = []
        self._bytes = 0
        self.fullest = 0.0
        """The fullest it was, as a share."""
        self.filled = 0.0
        """How full it was when something was taken, on average."""
        self._takes = 0
        self._dropped = dropped
        self.sent_at_once: Callable[[Event], bool] | None = None
        """Sends an event that comes alone while its connection waits, and says whether it did; else the connection is woken."""
        self._changed = Bell()
        self._room = Bell()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def taken(self) -> int:
        """The number of the latest event that a connection took."""
        return self.last - len(self._waiting)

    @property
    def utilization(self) -> float:
        """How full it is, from 0 to 1: by events or by bytes, whichever is more."""
        return min(1.0, max(len(self._waiting) / self.buffer.capacity, self._bytes / self.buffer.limits.memory))

    async def put(self, name: str, fields: Mapping[str, Any] | Result, record: object = None) -> bool:
        """Add an event and return True, or leave it out and return False. `record` is what is sent of it without envelopes.

        Raises:
            SerializationFailed: JSON has no words for it, or too many.

        """
        if self.is_ended or self._leaves_out(name):
            return False
        body, timestamp = self._written(name, fields, record)
        if self._is_full(size := len(body)):
            body = b""  # The run holds what it is made of: while that waits, it is not to be there twice.
            while self._is_full(size):
                self.waits.note()
                await self._room.wait()
            body, timestamp = self._written(name, fields, record)
        if self.is_ended:
            return False
        self._append(name, body, timestamp)
        return True

    def is_put(self, name: str, fields: Mapping[str, Any] | Result, record: object = None) -> bool:
        """Add an event, if there is room for it now, and say whether it is added. Raises as `put` does."""
        if self._waiting and self._leaves_out(name):
            return False
        body, timestamp = self._written(name, fields, record)
        if self.is_closed or (self._waiting and self._is_full(len(body))):
            return False
        self._append(name, body, timestamp)
        return True

    def begin(self, fields: Mapping[str, Any]) -> None:
        """Add the first event, for which there is always room."""
        self._append("metadata", *self._written("metadata", fields, None))

    def _written(self, name: str, fields: Mapping[str, Any] | Result, record: object) -> tuple[bytes, str]:
        """Return an event as JSON without its number, and its time."""
        try:
            timestamp = now()
            if self.bare:
                body = b"" if record is None else encode(record)
            elif isinstance(fields, Result):
                body = fields.written(timestamp)
            else:
                body = encode({**fields, "timestamp": timestamp})
        except RunError as error:
            raise SerializationFailed(f"an event {name} cannot be written: {error}") from error
        if len(body) > (largest := self.buffer.limits.largest) and name not in _OUR_OWN:
            raise EventTooLarge(f"a {name} of {len(body)} bytes is larger than {largest}, and is not sent")
        return body, timestamp

    async def wait(self, seq: int, otherwise: Callable[[], bool]) -> None:
        """Wait until there is an event behind a number, none will come, or something else is the case that `poke` tells of."""
        while not (self.last > seq or self.is_ended or otherwise()):
            await self._changed.wait()

    async def give_way(self) -> None:
        """Let the first event out before the loop is kept busy; who is not there yet to take it is not waited for."""
        for _ in range(_TURNS):
            if self.flushes or self.is_closed:
                break
            await asyncio.sleep(0)

    def poke(self) -> None:
        """Have those who wait look again."""
        self._changed.ring()

    def take(self, seq: int, most: int) -> list[Event]:
        """Return the next events behind a number that `place` gave or this, until they are `most` bytes."""
        if seq < self.taken:
            return self._kept.after(seq, most)
        self.buffer.record_waiting(len(self._waiting))
        self._note_how_full(self.utilization)
        count = size = 0
        for event in self._waiting:
            if size >= most:
                break
            count += 1
            size += len(event.body)
        events, self._waiting = self._waiting[:count], self._waiting[count:]
        self._bytes -= size
        self._memory.used -= size
        self._kept.add(events, size)  # Now, not when they were sent: a send that fails may have come through.
        self._room.ring()
        return events

    def place(self, seq: int) -> int | None:
        """Return the number of the latest event a client has; None if what comes behind it is not kept any more."""
        if seq == self.taken or 0 < self._kept.first <= seq + 1 <= self.taken:
            return seq
        return None

    @property
    def oldest(self) -> int:
        """The number in front of the oldest event that can be taken."""
        return self._kept.first - 1 if self._kept.first else self.taken

    def sent(self, seconds: float, events: int, sends: int = 1) -> None:
        """Note how long a send took, or some did on average, and how many events went with it."""
        self.pressure.record_send(seconds, events, sends)
        self.buffer.record_send(seconds, events, sends)
        if self.buffer.adapt():
            self._room.ring()

    def end(self) -> None:
        """Say that no more events come."""
        self.is_ended = True
        self._changed.ring()

    def close(self) -> None:
        """Forget everything, and let nobody wait."""
        self.is_closed = True
        self.end()
        self._waiting.clear()
        self._memory.used -= self._bytes
        self._bytes = 0
        self._kept.clear()
        self._room.ring()

    def _note_how_full(self, share: float) -> None:
        self._takes += 1
        self.fullest = max(self.fullest, share)
        self.filled += (share - self.filled) / self._takes

    def _leaves_out(self, name: str) -> bool:
        if ESSENTIAL.get(name, True) or not self._may_drop or not self._is_behind():
            return False
        self.pressure.record_drop(time.monotonic())
        self.buffer.record_drop()
        if self._dropped is not None:
            self._dropped()
        if self.buffer.adapt():
            self._room.ring()
        return True

    def _append(self, name: str, body: bytes, timestamp: str) -> None:
        self.last += 1
        make = Event if self.bare else numbered
        event = make(name, self.last, body, timestamp)
        size = len(event.body)
        self.size += size
        if not self._waiting and self.sent_at_once is not None and self.sent_at_once(event):
            self._kept.add([event], size)
            return
        self._waiting.append(event)
        self._bytes += size
        self._memory.used += size
        self._changed.ring()

    def _is_full(self, size: int) -> bool:
        if not self._waiting or self.is_closed:
            return False
        held = self._bytes + size
        return len(self._waiting) >= self.buffer.capacity or held > self.buffer.limits.memory or not self._memory.has_room(held)

    def _is_behind(self) -> bool:
        count = len(self._waiting)
        behind = count > self.buffer.threshold or self._is_full(0)
        return behind or self.pressure.should_drop(count, under_backpressure=self.buffer.is_under_backpressure)
