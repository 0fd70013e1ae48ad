"""A run that is delivered: its events, whoever takes them, and what a client may do to it.

The order of things. A run begins when it is asked for, and puts `metadata` before anything else. Each final message is a
`result`, or, if it names an event in its field `event`, that; each dead letter or skipped input an `error`; what is printed
an `output`; then comes one `summary`. One connection at a time takes events; a later one takes over. Without any the run goes
on until its buffer is full, and is cancelled when nobody came back within `grace`. Paused, its sources give nothing more, and
it takes no results out of the pipe; cancelled, it stops, and its summary says so. All is kept until `grace` after it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from transmissions.api_replies import new_id
from transmissions.errors import RunTimeout, TransmissionsError
from transmissions.supervisor import Raised, attempt_async

from .bell import Bell
from .budget import Spending
from .ending import PATIENCE, Ending
from .errors import in_words
from .figures import metadata, progress, status, summary
from .lifecycle import Dropped, FirstResult
from .outlet import Outlet
from .telling import Telling
from .terms import Surroundings, Terms, log_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions.message import Message
    from transmissions.running import Run

_LOG: Final = logging.getLogger(__name__)


class LiveRun:
    """One run and its events. `clean` takes secrets and folders out of what is told of errors."""

    def __init__(
        self,
        identity: dict[str, str],
        open_run: Callable[[], Run],
        terms: Terms,
        around: Surroundings | None = None,
        clean: Callable[[str], str] = str,
    ) -> None:
        self.id = new_id()
        """A name nobody chose, unlike the request id."""
        self.name = identity["request_id"]
        self.identity = identity
        self.terms = terms
        self.state = "waiting"
        """waiting, running, paused, complete, partial, cancelled or failed."""
        self.reason = ""
        """Why it is ended before its time."""
        self.summary: dict[str, Any] = {}
        self._around = around or Surroundings.none()
        self.lifecycle = self._around.lifecycle
        self.log = log_of(terms, self._around, self._drop)
        self._telling = Telling(self.name, self.log, self.lifecycle, clean, lambda: progress(self))
        self.counts, self.said = self._telling.counts, self._telling.said
        self.counts.total = terms.counted[1] if terms.counted else None
        self._spending = Spending(terms.budget, partial(self.drain, at_once=True))
        self._open_run, self._clean = open_run, clean
        self._began, self._over = time.monotonic(), 0.0
        self._going, self.ending = Bell(), Ending(self.id, self._conclude)
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._taker: object | None = None

    @property
    def is_over(self) -> bool:
        """Whether the run has ended; its events may still wait."""
        return self.state in {"complete", "partial", "cancelled", "failed"}

    @property
    def is_attached(self) -> bool:
        """Whether a connection takes its events."""
        return self._taker is not None

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return (self._over or time.monotonic()) - self._began

    @property
    def throughput(self) -> float:
        """Results for each second so far."""
        return round(self.counts.done / max(self.seconds, 1e-6), 2)

    def start(self) -> None:
        """Begin."""
        self.state = "running"
        self.log.begin(metadata(self))
        self._task = asyncio.create_task(self._work(), name=f"live {self.id}")
        self._spending.begin()
        self._leaving = asyncio.get_running_loop().call_later(self.terms.grace, self._leave)

    def attach(self, taker: object) -> object | None:
        """Let a connection take events from now on; return the one that did before."""
        before, self._taker = self._taker, taker
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        return before

    def detach(self, taker: object) -> None:
        """Know that a connection is gone; if no other comes, so will the run be."""
        if self._taker is taker:
            self._taker = None
            self._leaving = asyncio.get_running_loop().call_later(self.terms.grace, self._leave)

    def pause(self) -> None:
        """Hold its sources, and take no more results out of the pipe, which stops what else makes messages when it is full."""
        if self.state == "running":
            self.state = "paused"
            if self._run is not None:
                self._run.state.hold()

    def resume(self) -> None:
        """Go on."""
        if self.state == "paused":
            self.state = "running"
            self._going.ring()
            if self._run is not None:
                self._run.state.let_go()

    def cancel(self) -> None:
        """Stop the run; a summary will say so."""
        if not self.is_over:
            self.state = "cancelled"
            self._going.ring()
            self._stop()

    def drain(self, reason: str, *, at_once: bool = False) -> None:
        """Stop its sources and let what is on its way arrive, or stop it at once; the summary says why."""
        if not self.is_over:
            self.reason = reason
            self.resume()
            if at_once:
                self._stop()
            elif self._run is not None:
                self._run.drain()

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
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=PATIENCE)
            self._task.cancel()

    def status(self) -> dict[str, Any]:
        """Return what can be said of it."""
        return status(self)

    def _stop(self) -> None:
        if self._run is not None:
            self._run.stop()
            self.ending.is_due()

    async def _work(self) -> None:
        try:
            await self.log.give_way()
            outcome = await attempt_async(self._deliver())
            await self.ending.come(outcome.error if isinstance(outcome, Raised) else None)
        finally:
            self._spending.close()
            self.ending.close()
            self.log.end()
            self._around.ended(self)

    async def _conclude(self, error: BaseException | None) -> None:
        await self._fail(error)
        if not self.is_over:
            self.state = "partial" if self.counts.failed or self.reason else "complete"
        self._over = time.monotonic()
        self.summary = summary(self)
        await self.log.put("summary", self.summary)
        self.log.end()

    async def _deliver(self) -> None:
        if self.is_over:
            return
        self._run = run = self._open_run()
        if run.timeout:
            self.ending.is_due(run.timeout)
        self._telling.listen(run)
        if self.state == "paused":
            run.state.hold()
        if self.reason:
            run.drain()
        try:
            # What waits belongs into the log, which knows how much its client may have: here are as many pipes as clients.
            await run.into(Outlet(self._tell, self._is_told, self.log.waits))
        finally:
            await self._telling.tell_rest()

    def _is_told(self, message: Message) -> bool:
        """Tell a message where nothing is to be waited for, or told besides: four coroutines for each were a tenth of it."""
        if self.state != "running" or self.counts.first_result is None or self._spending.is_over:
            return False
        if not self._telling.is_told(message):
            return False
        self._spending.look(self.log.size)
        return True

    async def _tell(self, message: Message) -> None:
        while self.state == "paused":
            await self._going.wait()
        if self.is_over or self.log.is_closed or self._spending.is_over:
            return
        if self.counts.first_result is None:
            self.counts.first_result = self.seconds
            self.lifecycle.tell(FirstResult(self.name, self.seconds))
        await self._telling.message(message)
        if self._telling.is_progress_due:
            await self._telling.tell_progress()
        self._spending.look(self.log.size)

    async def _fail(self, error: BaseException | None) -> None:
        if error is None or self.state == "cancelled" or (self.reason and isinstance(error, RunTimeout)):
            return
        self.state = "failed"
        if not isinstance(error, TransmissionsError):
            _LOG.error("run %s failed by a fault of the server", self.id, exc_info=error)
        await self._telling.error(in_words(error, self._run.timeout if self._run else None, self._clean), self.terms.failure)

    def _leave(self) -> None:
        if not self.is_over:
            _LOG.info("run %s is ended: nobody came for it", self.id)
        self.cancel()
        self.log.close()
        self._around.gone(self)

    def _drop(self) -> None:
        self.lifecycle.tell(Dropped(self.name, getattr(self._taker, "protocol", "")))
