"""One client of one run: takes events from its log and sends them, watched that it does not stand still."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from typing import TYPE_CHECKING, Final, NamedTuple

from .envelope import LAST, Event, make
from .errors import BackpressureExceeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from .live import LiveRun

    Encode = Callable[..., bytes]
    Send = Callable[[bytes], Awaitable[None]]

_WARNINGS: Final = 5.0
"""Seconds between two warnings, at least."""
_GATHERED: Final = 1 << 16
"""Bytes that are sent at once where more events wait: each send is a system call, and for the client a wake-up."""


class Pace(NamedTuple):
    """How long a connection may take. Seconds."""

    heartbeat: float = 30.0
    """Between two events, so that nothing in between takes the connection for dead."""
    send: float = 5.0
    """For one send; a client that takes nothing for so long is cut off."""
    longest: float = 300.0
    """For the whole connection; a client may come back for the rest."""


class Connection:
    """A client's connection while it lasts."""

    def __init__(self, live: LiveRun, protocol: str, encode: Encode, pace: Pace) -> None:
        self.id = uuid.uuid4().hex
        self.live = live
        self.protocol = protocol
        self.bytes = self.messages = 0
        self.ended = ""
        """Why it ended: complete, replaced, expired, slow, gone."""
        self._encode = encode
        self._pace = pace
        self._began = time.monotonic()
        self._warned = 0.0
        self._is_replaced = False

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self._began

    def replace(self) -> None:
        """End it, because the same client has come again."""
        self._is_replaced = True
        self.live.log.poke()

    async def deliver(self, send: Send, since: int | None = None) -> None:
        """Send events until there are no more, those behind `since` first if it is given.

        Raises:
            BackpressureExceeded: the client took nothing for too long.

        """
        before = self.live.attach(self)
        if isinstance(before, Connection):
            before.replace()
        try:
            for event in self._missed(since):
                await self._send(send, [event])
            await self._follow(send)
        except asyncio.CancelledError:
            self.ended = self.ended or "gone"
            raise
        finally:
            self.live.detach(self)

    def _missed(self, since: int | None) -> list[Event]:
        if since is None:
            return []
        events = self.live.log.since(since)
        if events is None:
            # What is lost is said, and the rest is sent: the client decides whether that will do.
            return [make("reset", {"since": since, "last": self.live.log.last}), *self.live.log.all_kept()]
        return events

    async def _follow(self, send: Send) -> None:
        async for events in self._batches():
            await self._send(send, events)
            if events[-1].name == LAST:
                self.ended = "complete"
                return
        self.ended = self.ended or "complete"

    async def _batches(self) -> AsyncIterator[list[Event]]:
        """Yield what waits, and a heartbeat where nothing does."""
        log = self.live.log
        while not self._is_replaced:
            left = self._pace.longest - self.seconds
            if left <= 0:
                self.ended = "expired"
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(self._pace.heartbeat, left)):
                    await log.wait(lambda: self._is_replaced)
            event = None if self._is_replaced else log.take_now()
            if event is not None:
                yield self._gathered(event)
            elif log.is_ended:
                return
            elif not self._is_replaced:
                yield [self._heartbeat()]
        self.ended = "replaced"

    def _gathered(self, first: Event) -> list[Event]:
        events, size = [first], len(first.body)
        while size < _GATHERED and (more := self.live.log.take_now()) is not None:
            events.append(more)
            size += len(more.body)
        return [*events, *self._warning()]

    async def _send(self, send: Send, events: list[Event]) -> None:
        data = b"".join([self._encode(event, bare=self.live.terms.bare) for event in events])
        if not data:
            return
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._pace.send):
                await send(data)
        except TimeoutError as error:
            self.ended = "slow"
            raise BackpressureExceeded(f"the client took nothing for {self._pace.send:g} s") from error
        seconds = time.monotonic() - began
        self.bytes += len(data)
        self.messages += len(events)
        for _ in events:
            self.live.log.sent(seconds / len(events))

    def _heartbeat(self) -> Event:
        stats = {
            "bytes_sent": self.bytes,
            "messages_sent": self.messages,
            "avg_send_time_ms": round(self.live.log.pressure.average_send * 1000, 3),
            "connection_duration_seconds": round(self.seconds, 3),
        }
        return make("heartbeat", {"session_id": self.live.identity.get("session_id"), "connection_stats": stats})

    def _warning(self) -> list[Event]:
        log = self.live.log
        now = time.monotonic()
        if len(log) <= log.buffer.threshold or now - self._warned < _WARNINGS:
            return []
        self._warned = now
        warning = {
            "type": "slow_client",
            "message": f"{len(log)} of {log.buffer.capacity} events wait to be sent",
            "buffer_utilization": round(log.utilization, 4),
            "avg_send_time_ms": round(log.pressure.average_send * 1000, 3),
            "suggested_actions": ["read faster", "ask for less at once", "ask for a larger buffer: X-Buffer-Size"],
        }
        metrics = {
            "buffer_used": len(log),
            "buffer_capacity": log.buffer.capacity,
            "pending_messages": len(log),
            "slow_sends_count": log.pressure.slow_sends,
        }
        return [make("backpressure_warning", {"connection_id": self.id, "warning": warning, "current_metrics": metrics})]


@contextlib.asynccontextmanager
async def watched(work: Coroutine[None, None, None], gone: Coroutine[None, None, None]) -> AsyncIterator[Callable[[], None]]:
    """Do some work until it ends or the client is gone, whichever comes first; then the other is cancelled.

    What is given raises what the work failed with.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(gone)
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        yield lambda: working.result() if working.done() else None
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
