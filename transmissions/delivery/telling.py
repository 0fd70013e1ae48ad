"""What happens in a run, told as events: its final messages, what it prints, and what goes wrong in it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from .counts import Counts
from .envelope import ESSENTIAL, Result
from .errors import DeadLetter, DeliveryError, SerializationFailed, SkippedInput
from .lifecycle import GateDecided, StreamError
from .said import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions.message import Message
    from transmissions.running import Run

    from .eventlog import EventLog
    from .lifecycle import Lifecycle

_HEARD: Final = 4096
"""Errors and printed texts that may wait to be told: in the middle of the engine nobody can wait for room."""
_OWN: Final = frozenset(ESSENTIAL) - {"result", "progress", "error", "output"}
"""Names an app's messages cannot take for events of theirs."""
_EVERY: Final = 1.0
"""Seconds between two events `progress`, at least."""
_RESULTS: Final = 10
"""Results and errors between two: each of them says itself how far the run is."""
_SELDOM: Final = 5.0
"""Seconds after which fewer will do."""
HEARD: Final = ("error", "skip", "output", "progress", "summary", "gate")
"""Events of a run that are told, or counted: `gate` says how a page is read, as `decision`."""


class Telling:
    """Puts the events of one run into its log.

    `clean` takes secrets and folders out of what is told of errors; `progress` makes what is told of how far the run is.
    """

    def __init__(
        self,
        name: str,
        log: EventLog,
        lifecycle: Lifecycle,
        clean: Callable[[str], str],
        progress: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self.counts = Counts()
        self.said = Said(clean)
        self._progress = progress
        self._told, self._enough = 0.0, 0
        self._later: asyncio.TimerHandle | None = None
        self._name = name
        self._log = log
        self._lifecycle = lifecycle
        self._clean = clean
        self._heard: list[tuple[str, dict[str, Any]]] = []
        self._unheard = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_telling = False
        self._line = asyncio.Lock()

    async def message(self, message: Message) -> None:
        """Tell a final message: as a result, or as the event it names."""
        if self._heard:
            await self._tell_heard()  # What a step printed over a message comes in front of it.
        name = message.get("event")
        if isinstance(name, str) and name.isidentifier() and name not in _OWN:
            await self._event(name, message)
            return
        if await self._put("result", self._result(message), message):
            self.counts.done += 1

    def is_told(self, message: Message) -> bool:
        """Tell a final message that is a plain result, if there is room for it, and say whether it is told."""
        if self._heard or "event" in message:
            return False
        try:
            is_told = self._log.is_put("result", self._result(message), message)
        except SerializationFailed:
            return False  # `message` tells of that
        self.counts.done += is_told
        if is_told and self.is_progress_due:
            self._log.is_put("progress", self._far())
        return is_told

    @property
    def is_progress_due(self) -> bool:
        """Whether how far the run is was told long enough ago, and before enough results."""
        seconds = time.monotonic() - self._told
        return seconds >= _EVERY and (self.counts.ended >= self._enough or seconds >= _SELDOM)

    async def tell_progress(self) -> None:
        """Tell how far the run is."""
        await self._log.put("progress", self._far())

    def _far(self) -> dict[str, Any]:
        self._told, self._enough = time.monotonic(), self.counts.ended + _RESULTS
        return self._progress()

    def _result(self, message: Message) -> Result:
        counts = self.counts
        if counts.failed:
            return Result(counts.done, message, counts.ended + 1, counts.total, counts.next_rate)
        return Result(counts.done, message, counts.done + 1, counts.total, 1.0)

    async def _event(self, name: str, message: Message) -> None:
        total = message.get("total_urls")
        self.counts.total = total if isinstance(total, int) else self.counts.total
        # The number is ours: a field of that name would have clients ask for the wrong events.
        fields = {key: value for key, value in message.items() if key not in {"event", "seq"}}
        if name == "result":
            counts = self.counts
            figures = {"completed": counts.ended + 1, "total": counts.total, "success_rate": counts.next_rate}
            is_told = await self._put(name, {"progress": figures, **fields}, message)
            self.counts.done += is_told
        elif name == "error":
            await self._own_error(fields, message)
        else:
            await self._put(name, fields, message)

    async def _own_error(self, fields: dict[str, Any], message: Message) -> None:
        """Tell an error that an app puts into words of its own."""
        given = fields.get("error")
        error: dict[str, Any] = given if isinstance(given, dict) else {"message": str(given)}
        category, kind = str(error.get("category", "")), str(error.get("type", ""))
        if await self._put("error", {"message": error.get("message"), **fields}, message):
            self.counts.failed += 1
            self._lifecycle.tell(StreamError(self._name, category, kind, error.get("retryable") is True))

    async def _put(self, name: str, fields: dict[str, Any] | Result, message: Message) -> bool:
        try:
            return await self._log.put(name, fields, message)
        except SerializationFailed as error:
            if isinstance(message.get("url"), str):
                error.context["url"] = message["url"]
            await self.error(error)
            return False

    async def error(self, error: DeliveryError, bare: Callable[[str], object] | None = None) -> None:
        """Tell that something went wrong; `bare` makes what is sent of it where there are no envelopes."""
        self.counts.failed += 1
        told = error.told()
        self._lifecycle.tell(StreamError(self._name, error.category, told["type"], error.retryable))
        record = bare(told["message"]) if bare else {"error": told["message"]}
        await self._log.put("error", {"message": told["message"], "error": told}, record)

    def listen(self, run: Run) -> None:
        """Tell what goes wrong in a run, and what it prints, soon after it happens."""
        self._loop = asyncio.get_running_loop()
        hear = self._hear
        for event in HEARD:
            run.on(event, hear)

    async def tell_rest(self) -> None:
        """Tell what was heard and is not told yet."""
        if self._later is not None:
            self._later.cancel()
        self._loop = None  # no timer begins any more
        if self._task is not None:
            await self._task
        await self._tell_heard()
        if self._unheard:
            await self.error(DeadLetter(f"{self._unheard} more errors came at once, and are not told one by one"))
            self.counts.failed += self._unheard - 1

    def _hear(self, event: str, fields: dict[str, Any]) -> None:
        if event == "gate":
            self._lifecycle.tell(GateDecided(str(fields.get("decision", ""))))
            return
        if event in {"progress", "summary"}:
            self._hear_figures(event, fields)
            return
        # What is skipped tells so itself, what stops the run is told at its end, and some a final message tells.
        if (event == "error" and fields.get("policy") != "deadLetter") or fields.get("told") is True:
            return
        if len(self._heard) < _HEARD:
            self._heard.append((event, fields))
            self._tell_soon()
        elif event != "output":
            self._unheard += 1

    def _hear_figures(self, event: str, fields: dict[str, Any]) -> None:
        if "unit" in fields:
            return  # how far one step is with its input, for a bar on a terminal
        self.said.hear(event, fields)
        total = fields.get("total")
        self.counts.total = total if isinstance(total, int) and event == "progress" else self.counts.total
        if event == "progress" and self._later is None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._have_progress_told)

    def _have_progress_told(self) -> None:
        if self._later is None and self._loop is not None:
            wait = max(0.0, self._told + _EVERY - time.monotonic())
            self._later = self._loop.call_later(wait, self._tell_progress)

    def _tell_progress(self) -> None:
        self._later = None
        self._heard.append(("progress", {}))
        self._tell_soon()

    def _tell_soon(self) -> None:
        if not self._is_telling and self._loop is not None:
            self._is_telling = True
            self._loop.call_soon_threadsafe(self._begin)  # A step that works in a thread is heard there.

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._tell_heard())

    async def _tell_heard(self) -> None:
        async with self._line:
            while self._heard:
                await self._tell(*self._heard.pop(0))
            self._is_telling = False

    async def _tell(self, event: str, fields: dict[str, Any]) -> None:
        if event == "progress":
            if time.monotonic() - self._told >= _EVERY:
                await self.tell_progress()
            else:
                self._have_progress_told()  # a timer may be early, and something may have been told meanwhile
            return
        if event == "output":
            await self._put("output", fields, {"output": fields.get("text")})
            return
        said = self._clean(str(fields.get("error") or fields.get("reason") or event))
        kind = DeadLetter if event == "error" else SkippedInput
        await self.error(kind(said, node=str(fields.get("node", ""))))
