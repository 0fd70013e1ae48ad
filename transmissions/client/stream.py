"""One run at a server, as a client sees it.

The order of things. A run is asked for, and its events are read. When the connection ends before the summary, it is made
again after a while, and the server is asked for what comes behind the last event. Ways of failing in a row are counted; an
event that is new begins the count anew. The summary ends it; whatever the server would say then is not read.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self

from .errors import Disconnected, StreamError
from .events import KINDS, Event, Heartbeat, Metadata, Record, Reset, Summary, read
from .metrics import StreamMetrics
from .wire import Broken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from .handlers import Handlers
    from .options import Options
    from .transports import Batch, Http, WebSocket

    Control = Callable[[str, str], Awaitable[dict[str, Any]]]


class Stream:
    """An asynchronous iterator of events, to be read once. `control` does something to a run of a name."""

    def __init__(
        self,
        open_transport: Callable[[], Http | WebSocket],
        options: Options,
        handlers: Handlers,
        control: Control,
        since: int = 0,
    ) -> None:
        self.metrics = StreamMetrics()
        self.summary: Summary | None = None
        self.last = since
        """The number of the latest event."""
        self._open_transport = open_transport
        self._transport: Http | WebSocket | None = None
        self._options = options
        self._handlers = handlers
        self._control = control
        self._batches: AsyncGenerator[list[Event], None] | None = None
        self._ready: deque[Event] = deque()
        self._limit: asyncio.Timeout | None = None
        self._gap: Disconnected | None = None
        self._failure: StreamError = Disconnected("no connection was made")
        self._furthest = since
        self._attempt = 0
        self._is_enveloped = self._is_bare = self._is_missing = self._is_over = self._is_left = False
        self._began = 0.0

    @property
    def request_id(self) -> str:
        """The name of the run at the server."""
        if self._transport is None:
            raise StreamError("the run has not begun: no event was read")
        return self._transport.name

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if not self._ready:
            self._ready.extend(await self.step())
        event = self._ready.popleft()
        began = time.perf_counter()
        try:
            await self._handlers.handle(event, self.metrics)
        except asyncio.CancelledError:
            self._ready.appendleft(event)
            raise
        self.metrics.update_processing_time((time.perf_counter() - began) * 1000)
        return event

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Leave the run, even while a task waits for its next event; the server ends it if nobody comes back for it."""
        self._is_left = True
        self._ready.clear()
        if self._limit is not None:
            if not self._limit.expired():
                self._limit.reschedule(0)
        elif self._batches is not None:
            await self._batches.aclose()

    async def run(self) -> Summary | None:
        """Read to the end, and return the summary; an endpoint without envelopes sends none."""
        async for _ in self:
            pass
        return self.summary

    async def pause(self) -> dict[str, Any]:
        """Have the run wait, and return its state."""
        return await self._control(self.request_id, "pause")

    async def resume(self) -> dict[str, Any]:
        """Have it go on, and return its state."""
        return await self._control(self.request_id, "resume")

    async def cancel(self) -> dict[str, Any]:
        """Have it end, and return its state; what is on its way still comes, and then a summary."""
        return await self._control(self.request_id, "cancel")

    async def step(self) -> list[Event]:
        """Return the events that come next, several at once where several came.

        A task that is cancelled while it waits loses nothing: the next step goes on behind the last event.

        Raises:
            StopAsyncIteration: no more come.
            Refused: the server will not.
            Disconnected: the connection broke too often.
            StreamError: the run took longer than it may.

        """
        if self._is_left:
            raise StopAsyncIteration
        self._began = self._began or time.monotonic()
        self._batches = self._batches or self._persistently()
        try:
            async with asyncio.timeout_at(self._deadline()) as self._limit:
                return await anext(self._batches)
        except asyncio.CancelledError:
            self._batches = None
            raise
        except TimeoutError as error:
            if self._is_left:
                raise StopAsyncIteration from None
            raise StreamError(f"the run took longer than {self._options.timeout:g} s") from error
        finally:
            self._limit = None

    def _deadline(self) -> float | None:
        limit = self._options.timeout
        return None if limit is None else asyncio.get_running_loop().time() + limit - (time.monotonic() - self._began)

    async def _persistently(self) -> AsyncGenerator[list[Event], None]:
        transport = self._transport = self._transport or self._open_transport()
        while not self._is_over:
            async with aclosing(self._once(transport)) as batches:
                async for events in batches:
                    self._attempt = 0 if self._gets_on(events) else self._attempt
                    yield events
            if not self._is_over:
                self._attempt += 1
                await self._wait(self._attempt, self._failure)

    def _gets_on(self, events: list[Event]) -> bool:
        """Whether something came that was not there before: what comes anew behind a reset is no way forward."""
        furthest = self._furthest
        self._furthest = max(furthest, *(event.seq for event in events))
        if self._furthest > furthest:
            self._is_missing = False
            return True
        return not self._is_missing and any(isinstance(event, Heartbeat) for event in events)

    async def _once(self, transport: Http | WebSocket) -> AsyncGenerator[list[Event], None]:
        """Yield what comes over one connection, and know why no more did."""
        self._failure = Disconnected("the stream ended before its summary")
        try:
            async with aclosing(self._read(transport)) as batches:
                async for events in batches:
                    yield events
            self._is_over = self.summary is not None or self._is_bare
            if transport.was_closed_well and not self._is_over:
                self._failure = StreamError("the server closed the socket in good order before the summary")
        except StreamError as error:
            self._failure = error

    async def _read(self, transport: Http | WebSocket) -> AsyncGenerator[list[Event], None]:
        async with aclosing(transport.batches(self.last)) as batches:
            async for batch in batches:
                events = self._take(batch)
                if events:
                    yield events
                if self._gap is not None:
                    gap, self._gap, self._is_missing = self._gap, None, True
                    raise gap
                if self.summary is not None:
                    return

    async def _wait(self, attempt: int, failure: StreamError) -> None:
        # Of bare records on lines nobody can say which was the last.
        can_go_on = not self._is_bare or self.last > 0
        if attempt > self._options.backoff.tries or not failure.is_retryable or not can_go_on:
            raise failure
        await asyncio.sleep(self._options.backoff.delay(attempt, failure.retry_after))
        self.metrics.reconnects += 1

    def _take(self, batch: Batch) -> list[Event]:
        """Return what is new of what came, up to where something is missing."""
        now = time.monotonic()
        if self.metrics.ttfb_ms is None and batch:
            self.metrics.ttfb_ms = (now - self._began) * 1000
        events = []
        for arrived in batch:
            if isinstance(arrived, Broken):
                self.metrics.parse_errors += 1
                continue
            event = read(*arrived)
            if self._is_new(event):
                self.metrics.record(event, now)
                events.append(event)
            if self._gap is not None or self.summary is not None:
                break
        return events

    def _is_new(self, event: Event) -> bool:
        if isinstance(event, Summary):
            self.summary = event if self._follows(event.seq) else None
            return self.summary is not None
        if isinstance(event, Reset):
            self.last = event.first - 1
            self.metrics.resets += 1
        elif not self._is_enveloped and (isinstance(event, Record) or (not event.seq and event.name not in KINDS)):
            self._is_bare = True
            self.last = event.seq or self.last
        else:
            # What a newer server says besides does not make the rest a stream that may end anywhere.
            self._is_enveloped = self._is_enveloped or event.seq > 0 or isinstance(event, Metadata)
            return self._follows(event.seq)
        return True

    def _follows(self, seq: int) -> bool:
        """Whether an event is the next; one without a number always is."""
        if 0 < seq <= self.last:
            self.metrics.duplicates += 1
            return False
        if seq > self.last + 1:
            self._gap = Disconnected(f"event {self.last + 1} did not come, but {seq}")
            return False
        self.last = seq or self.last
        return True
