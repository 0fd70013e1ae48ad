"""A run that is delivered: its events, whoever takes them, and what a client may do to it.

The order of things. A run begins when it is asked for, and puts `metadata` before anything else. Each final message is a
`result`, or, if it names an event in its field `event`, that; each dead letter or skipped input an `error`; then comes one
`summary`. One connection at a time takes events; a later one takes over. Without any the run goes on until its buffer is
full, and is cancelled when nobody came back within `grace`. Paused, it takes no more results out of the pipe, which fills and
stops its sources; cancelled, it stops, and its summary says so. What was sent is kept until `grace` after the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions.errors import NodeFailed, TransmissionsError, describe

from .buffer import BufferLimits, DynamicBuffer
from .errors import DeliveryError, PipelineFailed, SerializationFailed, TimedOut
from .eventlog import EventLog
from .pressure import Pressure
from .spool import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions.message import Message
    from transmissions.running import Run

_LOG: Final = logging.getLogger(__name__)
_EVERY: Final = 0.5
"""Seconds between two events `progress`, at least."""


class Terms(NamedTuple):
    """How a run is delivered."""

    buffer: BufferLimits
    may_drop: bool = True
    """Whether events that are not essential may be left out."""
    ring: int = 128
    """Events that were sent, kept in memory."""
    replay: int = 16 << 20
    """Bytes of older ones kept in a file."""
    grace: float = 30.0
    """Seconds a client has to come back."""
    bare: bool = False
    """Whether results are sent as they are, without an envelope."""


class LiveRun:
    """One run and its events."""

    def __init__(self, identity: dict[str, str], open_run: Callable[[], Run], terms: Terms) -> None:
        self.id = identity["request_id"]
        self.identity = identity
        self.terms = terms
        self.state = "waiting"
        """waiting, running, paused, complete, partial, cancelled or failed."""
        self.began = time.time()
        self.done = self.failed = 0
        self.total: int | None = None
        """How many results there will be, if an app has said so in an event."""
        self.first_result: float | None = None
        pressure = Pressure(terms.buffer.slow_send / 1000)
        kept = Kept(terms.ring, terms.replay)
        self.log = EventLog(DynamicBuffer(terms.buffer), pressure, kept, may_drop=terms.may_drop)
        self._open_run = open_run
        self._clock = time.monotonic()
        self._told = 0.0
        self._going = asyncio.Event()
        self._going.set()
        self._errors: asyncio.Queue[dict[str, Any]] = asyncio.Queue(256)
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._taker: object | None = None

    @property
    def is_over(self) -> bool:
        """Whether the run has ended; its events may still wait."""
        return self.state in {"complete", "partial", "cancelled", "failed"}

    def start(self) -> None:
        """Begin."""
        self.state = "running"
        self._task = asyncio.create_task(self._work(), name=f"live {self.id}")
        self._wait_for_a_client()

    def attach(self, taker: object) -> object | None:
        """Let a connection take events from now on; return the one that did before."""
        before, self._taker = self._taker, taker
        if self._leaving is not None:
            self._leaving.cancel()
        return before

    def detach(self, taker: object) -> None:
        """Know that a connection is gone; if no other comes, so will the run be."""
        if self._taker is taker:
            self._taker = None
            self._wait_for_a_client()

    def holds(self, taker: object) -> bool:
        """Whether a connection is the one that takes."""
        return self._taker is taker

    def pause(self) -> None:
        """Take no more results out of the pipe, which stops its sources when its buffers are full."""
        if self.state == "running":
            self.state = "paused"
            self._going.clear()

    def resume(self) -> None:
        """Go on."""
        if self.state == "paused":
            self.state = "running"
            self._going.set()

    def cancel(self) -> None:
        """Stop the run; a summary will say so."""
        if not self.is_over:
            self.state = "cancelled"
            self._going.set()
            if self._run is not None:
                self._run.stop()

    def kill(self) -> None:
        """End the processes that work for it, at once."""
        if self._run is not None:
            self._run.state.kill()

    async def close(self) -> None:
        """Stop, and forget everything."""
        self.cancel()
        self.log.close()
        if self._leaving is not None:
            self._leaving.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def status(self) -> dict[str, Any]:
        """Return what can be said of it."""
        return {
            **self.identity,
            "state": self.state,
            "completed": self.done,
            "failed": self.failed,
            "total": self.total,
            "waiting": len(self.log),
            "last_event": self.log.last,
            "attached": self._taker is not None,
            "duration_seconds": round(time.monotonic() - self._clock, 3),
        }

    async def _work(self) -> None:
        try:
            await self.log.put("metadata", self._metadata())
            await self._deliver()
        except DeliveryError as error:
            await self._fail(error)
        except TransmissionsError as error:
            await self._fail(_told(error))
        finally:
            self.state = self.state if self.is_over else "partial" if self.failed else "complete"
        await self.log.put("summary", self._summary())
        self.log.end()

    async def _deliver(self) -> None:
        self._run = self._open_run()
        self._run.on("error", self._hear)
        self._run.on("skip", self._hear)
        async with self._run as run:
            async for message in run:
                await self._going.wait()
                if self.state == "cancelled":
                    return
                await self._tell_errors()
                await self._tell(message)
        await self._tell_errors()

    async def _tell(self, message: Message) -> None:
        name = message.get("event")
        if isinstance(name, str) and name.isidentifier() and name not in {"metadata", "summary"}:
            self.total = message.get("total_urls", self.total) if isinstance(message.get("total_urls"), int) else self.total
            await self.log.put(name, {key: value for key, value in message.items() if key != "event"}, message)
            return
        self.first_result = self.first_result or time.monotonic() - self._clock
        fields = {"index": self.done, "result": message, "progress": self._progress()}
        try:
            await self.log.put("result", fields, message)
        except SerializationFailed as error:
            await self._fault(error.told())
            return
        self.done += 1
        if time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            await self.log.put("progress", {**self._progress(), "phase": self.state})

    async def _tell_errors(self) -> None:
        while not self._errors.empty():
            await self._fault(self._errors.get_nowait())

    async def _fault(self, error: dict[str, Any]) -> None:
        self.failed += 1
        await self.log.put("error", {"message": error["message"], "error": error}, {"error": error["message"]})

    async def _fail(self, error: DeliveryError) -> None:
        if self.state == "cancelled":
            return
        self.state = "failed"
        await self._fault(error.told())

    def _hear(self, event: str, fields: dict[str, Any]) -> None:
        # In the middle of the engine nobody can wait; of very many errors at once the later are counted only.
        said = str(fields.get("error") or fields.get("reason") or event)
        if self._errors.full():
            self.failed += 1
            return
        kind = "DeadLetter" if event == "error" else "Skipped"
        self._errors.put_nowait({**PipelineFailed(said, node=fields.get("node", "")).told(), "type": kind})

    def _wait_for_a_client(self) -> None:
        self._leaving = asyncio.get_running_loop().call_later(self.terms.grace, self._leave)

    def _leave(self) -> None:
        if self._taker is None:
            _LOG.info("run %s is ended: nobody came for it", self.id)
            self.cancel()
            self.log.close()

    def _metadata(self) -> dict[str, Any]:
        limits = self.log.buffer.limits
        info = {
            "capacity": self.log.buffer.capacity,
            "current_size": 0,
            "used": 0,
            "max_memory_bytes": limits.memory,
            "backpressure_threshold": self.log.buffer.threshold,
            "adaptive_sizing_enabled": limits.adaptive,
        }
        targets = {"ttfb_target_ms": 500, "slow_client_threshold_ms": limits.slow_send, "buffer_flush_interval_ms": 0}
        return {**self.identity, "buffer_info": info, "performance_config": targets}

    def _progress(self) -> dict[str, Any]:
        ended = self.done + self.failed
        seconds = time.monotonic() - self._clock
        return {
            "completed": self.done,
            "total": self.total,
            "success_rate": round(self.done / ended, 4) if ended else 1.0,
            "throughput_per_second": round(self.done / seconds, 2) if seconds else 0.0,
        }

    def _summary(self) -> dict[str, Any]:
        milliseconds = round((time.monotonic() - self._clock) * 1000)
        buffer = self.log.buffer
        return {
            "status": self.state,
            "total": self.done + self.failed,
            "successful": self.done,
            "failed": self.failed,
            "total_time_ms": milliseconds,
            "total_processing_time_ms": milliseconds,
            "ttfb_ms": None if self.first_result is None else round(self.first_result * 1000),
            "buffer_statistics": {
                "peak_utilization": round(self.log.peak, 4),
                "messages_dropped": buffer.dropped,
                "backpressure_events": self.log.pressure.slow_sends,
                "buffer_resizes": buffer.resizes,
            },
        }


def _told(error: TransmissionsError) -> DeliveryError:
    node = error.node if isinstance(error, NodeFailed) else ""
    cause = error.cause if isinstance(error, NodeFailed) else error
    kind = TimedOut if getattr(error, "exit_code", 1) == 124 else PipelineFailed  # noqa: PLR2004 - the code of a time-out
    return kind(describe(cause), node=node) if node else kind(describe(cause))
