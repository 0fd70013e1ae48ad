"""What may come out of a processor besides one plain message, and how it goes on: lists, generators, awaitables, failures."""

from __future__ import annotations

import inspect
import logging
from itertools import chain
from typing import TYPE_CHECKING, Any

from .channel import ITEMS
from .context import Context
from .message import keep_messages, not_a_message
from .pace import Pace, clock
from .supervisor import FAILED, Raised, Supervisor, attempt, attempt_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .channel import Outlet
    from .message import Message
    from .plan import NodePlan
    from .processor import Processor
    from .services import TransmissionServices


class Outcomes:
    """The part of a node that sends on what its processor gives."""

    def __init__(self, plan: NodePlan, processor: Processor, services: TransmissionServices) -> None:
        state = services.state
        self.plan = plan
        self.processor = processor
        self.services = services
        self.state = state
        self.counts = state.counts[plan.path]
        self.pace = Pace()
        """How much of a generator is taken at once."""
        log = logging.getLogger(f"transmissions.{plan.path.replace('/', '.')}")
        context = Context(plan.path, state.plan, state.folders, log, services)
        processor.attach(context)
        self.supervisor = Supervisor(plan, state, self.counts)
        self._process: Callable[[Message], Any] = processor.process

    async def spread(self, message: Message | None, result: Any, out: list[Message], rest: Outlet) -> list[Message]:
        """Add a result of any kind to `out`, and return the list to go on with; a full list goes to `rest` first."""
        if result is FAILED or result is None:
            return out
        if isinstance(result, dict):
            out.append(result)
        elif isinstance(result, list | tuple) and len(out) + len(result) <= ITEMS:
            checked = attempt(keep_messages, result := list(result))
            out.extend(result)
            if isinstance(checked, Raised):
                await self.supervisor.recover(message, checked.error, None)
        elif is_several(result):
            return await self._draw(message, iter(result), out, rest)
        elif inspect.isawaitable(result):
            settled = await attempt_async(result)
            if isinstance(settled, Raised):
                settled = await self.supervisor.recover(message, settled.error, self._again)
            return await self.spread(message, settled, out, rest)
        else:
            await self.supervisor.recover(message, not_a_message(result), None)
        return out

    def leaving(self, out: list[Message]) -> list[Message]:
        """Count messages that leave the node, and show them to a tap."""
        self.counts.sent += len(out)
        if self.state.taps and self.plan.path in self.state.taps:
            self.state.taps[self.plan.path].show(self.plan.path, out)
        return out

    async def take(self, iterator: Iterator[Any], out: list[Message]) -> bool:
        """Take as many messages as are quick and small, and return whether there may be more."""
        return self.pace.take(iterator, out)

    async def _deliver(self, out: list[Message], rest: Outlet) -> None:
        """Send messages on in the middle of a step; what happens behind is not this node's time."""
        count, began = len(out), clock()
        await rest.put_many(self.leaving(out))
        seconds = clock() - began
        self.pace.adapt(count, seconds)
        self.counts.busy -= seconds
        if self.pace.is_due:
            await self.pace.breathe()

    async def _draw(self, message: Message | None, iterator: Iterator[Any], out: list[Message], rest: Outlet) -> list[Message]:
        fresh = len(out)  # How much of `out` is older than this iterator; -1 once something of it has gone on.
        more: Any = True
        while more:
            if len(out) >= self.pace.size:
                older = len(out) == fresh
                await self._deliver(out, rest)
                out, fresh = [], 0 if older else -1
            more = await attempt_async(self.take(iterator, out))
            if isinstance(more, Raised):
                again = self._again if len(out) == fresh else None  # What has gone on must not come again.
                return await self.spread(message, await self.supervisor.recover(message, more.error, again), out, rest)
        return out

    def _again(self, message: Message) -> Any:
        """Process a message once more, as far as the first result, which is where a generator begins to work."""
        return primed(self._process(message))


def primed(result: Any) -> Any:
    """Return a result with its first message made, if it is a generator."""
    if not inspect.isgenerator(result):
        return result
    first = next(result, None)
    return [] if first is None else chain([first], result)


def is_several(result: Any) -> bool:
    """Whether a result is to be gone through; texts could be, and mappings, and would give what is no message."""
    return hasattr(result, "__iter__") and not isinstance(result, str | bytes) and not hasattr(result, "keys")
