"""The engine's services to the processors of one transmission, and the calls they make to others."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final

from .channel import Pressure
from .errors import RunError
from .message import END, Barrier, Token
from .near import suggestion
from .terms import local_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from .channel import Outlet
    from .message import Message
    from .plan import TransmissionPlan
    from .state import RunState

    Feed = Callable[[Outlet], Awaitable[None]]

DEEPEST: Final = 32
"""How many calls may be open inside each other."""


class TransmissionServices:
    """What `Context` talks to: one for every transmission at work."""

    def __init__(self, state: RunState, trail: tuple[str, ...]) -> None:
        self.state = state
        self.trail = trail
        """The names of the transmissions that called each other, this one last."""
        self.pressures: dict[str, Pressure] = {}
        self.interrupts = state.interrupts if len(trail) == 1 else set()
        self._calls: dict[tuple[str, str], Call] = {}

    @property
    def draining(self) -> bool:
        """Whether sources are to stop; not those that work for a message which is on its way."""
        return self.state.draining and len(self.trail) == 1

    @property
    def is_held(self) -> bool:
        """Whether sources are to wait until `turn` says otherwise; those that work for a message on its way never are."""
        return self.state.is_held and len(self.trail) == 1

    async def turn(self) -> None:
        """Wait until the run goes on, or is drained."""
        await self.state.turn()

    def emit(self, event: str, fields: dict[str, Any]) -> None:
        """Tell subscribers of `event`."""
        self.state.emit(event, fields)

    def reject(self, node: str, message: Any, error: BaseException, fields: dict[str, Any]) -> None:
        """Write a dead letter."""
        self.state.reject(node, message, error, fields)

    def skip(self, node: str, reason: str, fields: dict[str, Any]) -> None:
        """Count input that was skipped, and why."""
        self.state.skip(node, reason, fields)

    def scrub(self, function: Callable[[str], str]) -> None:
        """Send every text that is told through `function`."""
        self.state.scrub(function)

    def show(self, node: str, text: str) -> None:
        """Print data."""
        self.state.show(node, text)

    @property
    def whiteboard(self) -> dict[str, Any]:
        """What the processors of the run have written for each other."""
        return self.state.whiteboard

    @property
    def command(self) -> tuple[str, ...]:
        """The words behind `--`."""
        return self.state.command

    def writes(self, node: str, path: Path, *, alone: bool = False) -> None:
        """Tell which file or folder may be written; `alone` by one node, since another would leave only its own part.

        Raises:
            RunError: another one writes it.

        """
        if alone:
            other, services = self.state.writers.setdefault(os.path.realpath(path), (node, self))
            if (other, services) != (node, self):
                which = "another call of it" if other == node else other
                raise RunError(f"'{path}' is written by {which}, too, and only one of both would be left; give each its own")
        if self.state.is_heard("writes"):
            self.state.emit("writes", {"node": node, "path": str(path)})

    def halt(self, node: str, reason: str) -> None:
        """Drain the run."""
        self.state.emit("halt", {"node": node, "reason": reason})
        self.state.drain()

    def snapshot(self) -> dict[str, Any]:
        """Return everything counted so far."""
        return self.state.snapshot()

    def pressure(self, node: str) -> Pressure:
        """Return how often writing behind the node's segment had to wait."""
        return self.pressures.get(node) or Pressure()

    async def call(self, node: str, transmission: str, message: Message) -> list[Message]:
        """Run another transmission on one message; it stays ready for the node's next call."""
        plan = self._find(transmission)
        key = (node, plan.name)
        while True:
            if key not in self._calls or self._calls[key].is_over:
                if len(self.trail) > DEEPEST:
                    way = " → ".join((*self.trail[:3], "…", plan.name))
                    raise RunError(f"transmissions call each other more than {DEEPEST} deep: {way}")
                self._calls[key] = Call(plan, self.state, self.trail)
            call = self._calls[key]
            async with call.line:
                if not call.is_over:  # A message in front may have ended it; that is no failure of those in line.
                    return await call.answer([message])

    async def close(self) -> None:
        """End all calls: their streams end, and their processors finish."""
        while self._calls:
            node, name = key = next(iter(self._calls))
            call = self._calls.pop(key)
            late = [] if call.is_told else await call.end()
            if late:
                self.state.skip(node, f"{len(late)} messages left '{name}' only at its end, when no call waited for them", {})

    def lose(self) -> None:
        """Let go of files that were written alone; after a call the run has failed, whatever becomes of the message."""
        lost = {path: node for path, (node, services) in self.state.writers.items() if services is self}
        for path, node in lost.items():
            del self.state.writers[path]
            if len(self.trail) > 1:
                self.state.fail_at_the_end(
                    RunError(f"what {node} wrote to '{path}' is undone: a failure ended '{self.trail[-1]}'")
                )

    async def abort(self) -> None:
        """Cancel all calls."""
        while self._calls:
            await self._calls.pop(next(iter(self._calls))).abort()

    def _find(self, name: str) -> TransmissionPlan:
        plans = {plan.name: plan for plan in self.state.plan.transmissions}
        found = plans.get(name) or plans.get(local_name(name))
        if found is None:
            raise RunError(f"there is no transmission '{name}'{suggestion(name, plans)}")
        return found


class Call:
    """A transmission kept at work for one that calls it: messages go in, and their results come back."""

    def __init__(self, plan: TransmissionPlan, state: RunState, trail: tuple[str, ...]) -> None:
        from .transmission import Transmission  # the two need each other

        self.pressure = Pressure()
        self._answers: list[Message] = []
        self._number = 0
        self._answered = asyncio.Event()
        self._opened = asyncio.Event()
        self._closing = asyncio.Event()
        self.is_told = False
        """Whether a caller was told what ended it, so that it is that one's failure."""
        self.line = asyncio.Lock()
        """Held by whoever has messages in it."""
        transmission = Transmission(plan, state, self, trail)
        self._head = transmission.head
        self._task = asyncio.create_task(transmission.run(self._feed), name=f"call {plan.name}")

    @property
    def is_over(self) -> bool:
        """Whether the transmission has failed or ended."""
        return self._task.done()

    async def ready(self) -> None:
        """Wait until all processors are set up."""
        await self._wait_for(self._opened)

    async def answer(self, messages: list[Message]) -> list[Message]:
        """Send messages in and return everything they become; whoever does so holds the `line`."""
        self._number += 1
        self._answers = []
        self._answered.clear()
        await self._head.put_many(messages)
        await self._head.put_token(Barrier(self._number))
        try:
            await self._wait_for(self._answered)
        except asyncio.CancelledError:
            await self.abort()  # Late answers must not be taken for those of the next call.
            raise
        answers, self._answers = self._answers, []
        return answers

    async def _wait_for(self, event: asyncio.Event) -> None:
        """Wait for an event, or raise what the transmission has failed with."""
        waiting = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait([waiting, self._task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self.is_over:
            self.is_told = True
            await self._task

    async def put_many(self, messages: list[Message]) -> None:
        """Take what comes out at the end of the pipe."""
        self._answers.extend(messages)

    async def put_token(self, token: Token) -> None:
        """Notice that everything has come out."""
        if isinstance(token, Barrier) and token.number == self._number:
            self._answered.set()

    async def end(self) -> list[Message]:
        """End the stream and wait until the processors have finished; return the messages they still gave."""
        self._closing.set()
        await self._task
        return self._answers

    async def abort(self) -> None:
        """Cancel the transmission."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()

    async def _feed(self, head: Outlet) -> None:
        self._opened.set()
        await self._closing.wait()
        await head.put_token(END)
