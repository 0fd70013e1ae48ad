"""What happens in a run, as messages for a transmission of its own: to a webhook, a log, another system.

    :main a :EntryTransmission ; :pipe ( … ) ; :events [ :to :tell ; :only "error" , "end" ] .
    :tell a :Transmission ; :pipe ( :hook ) .

Events wait in a bounded queue, and the oldest go when it is full: whoever is told, however slowly, slows nothing. Where the
transmission fails it begins again after a while, which grows; that is logged once until it works again. When the run is over,
its last event is `end`; then the transmission has so long to finish as `patience` says.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, Self

from .channel import Pressure
from .errors import TransmissionsError, UsageError, describe
from .message import END
from .metrics import MetricsSettings, Reporter
from .terms import local_name
from .transmission import Transmission, first_cause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .channel import Outlet
    from .message import Message, Token
    from .plan import Plan
    from .state import RunState

_LOG: Final = logging.getLogger(__name__)
_SHORTEST: Final = 0.5
_LONGEST: Final = 60.0
"""Seconds before a transmission that failed begins again."""


async def told(work: Callable[[], Awaitable[None]], plan: Plan, state: RunState) -> None:
    """Do the work of a run, and report its figures and tell what happens in it meanwhile, as its plan says."""
    reporters = [Reporter(MetricsSettings.from_plan(fields), state) for fields in plan.metrics]
    try:
        async with asyncio.TaskGroup() as group, AsyncExitStack() as tellers:
            for fields in plan.events:
                await tellers.enter_async_context(Teller(fields, state))
            tasks = [group.create_task(reporter.run()) for reporter in reporters]
            await work()
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:
        cause = first_cause(errors)
        raise cause from cause.__cause__
    finally:
        for reporter in reporters:
            reporter.report(final=True)


class Teller:
    """Hands the events of a run to one transmission, from its first to its `end`."""

    def __init__(self, fields: dict[str, Any], state: RunState) -> None:
        self.dropped = self.failed = 0
        """Events that found no room, and how often the transmission failed."""
        self.pressure = Pressure()
        from .nodeterms import EventsTerms  # with much of what validates, which a run without events does without

        self._terms = EventsTerms.from_plan(fields)
        self._state = state
        name = local_name(self._terms.to)
        found = [one for one in state.plan.transmissions if one.name in {name, self._terms.to}]
        if not found:  # with --compat no more than a warning
            raise UsageError(f"there is no transmission '{name}' to tell what happens")
        self._plan = found[0]
        self._own = f"{self._plan.name}/"
        self._waiting: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._is_over = self._is_failing = False
        self._task: asyncio.Task[None] | None = None
        for event in self._terms.only or ("*",):
            state.listen(event, self._take)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work(), name=f"events to {self._plan.name}")
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._task is not None
        if not self._terms.only or "end" in self._terms.only:
            self._take("end", {"error": self._state.clean(_reason(error)) if error else None})
        self._is_over = True
        self._arrived.set()
        try:
            await asyncio.wait([self._task], timeout=self._terms.patience / 1000)
        finally:
            self._task.cancel()
        if self._waiting or self.dropped or not self._task.done():
            left = len(self._waiting) + self.dropped
            _LOG.warning(
                "%s was not told of all that happened: %s", self._plan.name, f"{left} events" if left else "it was slow"
            )
        await asyncio.wait([self._task])

    async def put_many(self, messages: list[Message]) -> None:  # noqa: ARG002 - an outlet's argument
        """Let go of what leaves the transmission: it works."""
        if self._is_failing:
            self._is_failing = False
            _LOG.warning("%s is told what happens again", self._plan.name)

    async def put_token(self, token: Token) -> None:
        """Pass over tokens."""

    def _take(self, event: str, fields: dict[str, Any]) -> None:
        if self._is_over or str(fields.get("node", "")).startswith(self._own):
            return  # What happens in there would never come to an end.
        if len(self._waiting) >= self._terms.limit:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append({**fields, "event": event, "time": time.time()})
        self._arrived.set()

    async def _work(self) -> None:
        wait = _SHORTEST
        while True:
            try:
                # Not as an entry: a drain stops sources, but what happened is still told.
                await Transmission(self._plan, self._state, self, ("events",)).run(self._feed)
            except TransmissionsError as error:
                wait = min(wait * 2, _LONGEST) if self._is_failing else _SHORTEST
                self._note(error)
                if not self._is_over:
                    await asyncio.sleep(wait)
            if self._is_over and not self._waiting:
                return

    def _note(self, error: TransmissionsError) -> None:
        self.failed += 1
        if not self._is_failing:
            self._is_failing = True
            _LOG.warning("%s cannot be told what happens: %s", self._plan.name, self._state.clean(describe(error)))

    async def _feed(self, head: Outlet) -> None:
        while True:
            while self._waiting:
                await head.put_many([self._waiting.popleft()])
            if self._is_over:
                break
            self._arrived.clear()
            await self._arrived.wait()
        await head.put_token(END)


def _reason(error: BaseException) -> str:
    return "the run was stopped" if isinstance(error, asyncio.CancelledError) else describe(error)
