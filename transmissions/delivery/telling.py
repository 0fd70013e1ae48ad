"""What happens in a run, told as events: its final messages, what it prints, and what goes wrong in it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from transmissions.errors import NodeFailed, RunTimeout, TransmissionsError, describe

from .envelope import ESSENTIAL
from .errors import DeadLetter, DeliveryError, PipelineFailed, SerializationFailed, SkippedInput, TimedOut
from .lifecycle import GateDecided, StreamError

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
HEARD: Final = ("error", "skip", "output", "gate")
"""Events of a run that are told, or counted: `gate` says how a page is read, as `decision`."""


class Counts:
    """How many results and errors were told."""

    def __init__(self) -> None:
        self.done = self.failed = 0
        self.total: int | None = None
        """How many results there will be, if an app has said so in an event."""
        self.first_result: float | None = None
        """Seconds from the beginning to the first."""

    @property
    def success_rate(self) -> float:
        """The share of results, from 0 to 1."""
        ended = self.done + self.failed
        return round(self.done / ended, 4) if ended else 1.0


class Telling:
    """Puts the events of one run into its log. `clean` takes secrets and folders out of what is told of errors."""

    def __init__(self, name: str, log: EventLog, lifecycle: Lifecycle, clean: Callable[[str], str]) -> None:
        self.counts = Counts()
        self._name = name
        self._log = log
        self._lifecycle = lifecycle
        self._clean = clean
        self._heard: deque[tuple[str, dict[str, Any]]] = deque()
        self._unheard = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_telling = False

    async def message(self, message: Message) -> None:
        """Tell a final message: as a result, or as the event it names."""
        name = message.get("event")
        if isinstance(name, str) and name.isidentifier() and name not in _OWN:
            await self._event(name, message)
            return
        counts = self.counts
        done = counts.done + 1
        progress = {"completed": done, "total": counts.total, "success_rate": round(done / (done + counts.failed), 4)}
        if await self._put("result", {"index": counts.done, "result": message, "progress": progress}, message):
            counts.done = done

    async def _event(self, name: str, message: Message) -> None:
        total = message.get("total_urls")
        self.counts.total = total if isinstance(total, int) else self.counts.total
        # The number is ours: a field of that name would have clients ask for the wrong events.
        await self._put(name, {key: value for key, value in message.items() if key not in {"event", "seq"}}, message)

    async def _put(self, name: str, fields: dict[str, Any], message: Message) -> bool:
        try:
            return await self._log.put(name, fields, message)
        except SerializationFailed as error:
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
        for event in HEARD:
            run.on(event, self._hear)

    async def tell_rest(self) -> None:
        """Tell what was heard and is not told yet."""
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
        # What is skipped tells so itself, and what stops the run is told at its end.
        if event == "error" and fields.get("policy") != "deadLetter":
            return
        if len(self._heard) < _HEARD:
            self._heard.append((event, fields))
            self._tell_soon()
        elif event != "output":
            self._unheard += 1

    def _tell_soon(self) -> None:
        if not self._is_telling and self._loop is not None:
            self._is_telling = True
            self._loop.call_soon_threadsafe(self._begin)  # A step that works in a thread is heard there.

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._tell_heard())

    async def _tell_heard(self) -> None:
        while self._heard:
            await self._tell(*self._heard.popleft())
        self._is_telling = False

    async def _tell(self, event: str, fields: dict[str, Any]) -> None:
        if event == "output":
            await self._put("output", fields, {"output": fields.get("text")})
            return
        said = self._clean(str(fields.get("error") or fields.get("reason") or event))
        kind = DeadLetter if event == "error" else SkippedInput
        await self.error(kind(said, node=str(fields.get("node", ""))))


def in_words(error: BaseException, timeout: float | None, clean: Callable[[str], str]) -> DeliveryError:
    """Return what is told of the failure of a run that may take so many seconds."""
    if isinstance(error, DeliveryError):
        return error
    if isinstance(error, NodeFailed):
        return PipelineFailed(clean(describe(error.cause)), node=error.node)
    if isinstance(error, RunTimeout) and timeout:
        return TimedOut.after(timeout)
    if isinstance(error, TransmissionsError):
        return PipelineFailed(clean(describe(error)))
    return PipelineFailed("a fault of the server; its log says more")
