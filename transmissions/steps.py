"""The other ways a processor may work: on whole batches, or in a thread of its own."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import TYPE_CHECKING, Any

from .channel import ITEMS
from .errors import RunError
from .message import not_a_message
from .node import AsyncNode, Node, is_async
from .outcomes import is_several
from .pace import clock
from .processor import Source, WorksInBatches, follows, is_overridden
from .sources import AsyncSourceNode, SourceNode
from .supervisor import Raised, attempt, attempt_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .channel import Outlet
    from .message import Message
    from .plan import NodePlan
    from .processor import Processor
    from .services import TransmissionServices


class ThreadNode(Node):
    """Calls a plain `process` in a thread: one hop for a batch."""

    async def step(self, batch: list[Message], rest: Outlet) -> list[Message]:
        """Process a batch in a thread, then see to what came of each message."""
        self.counts.received += len(batch)
        began = clock()
        out: list[Message] = []
        for message, result in zip(batch, await in_thread(self._work, batch), strict=True):
            if isinstance(result, Raised):
                settled = await self.supervisor.recover(message, result.error, self._again)
            else:
                settled = result
            self.counts.dropped += settled is None
            out = await self.spread(message, settled, out, rest)
        self.counts.busy += clock() - began
        return self.leaving(out)

    async def take(self, iterator: Iterator[Any], out: list[Message]) -> bool:
        """Let a generator work in a thread too."""
        more: bool = await in_thread(self.pace.take, iterator, out)
        return more

    def _work(self, batch: list[Message]) -> list[Any]:
        return [attempt(self._timed, message) for message in batch]

    async def _again(self, message: Message) -> Any:
        return await in_thread(super()._again, message)


class ThreadSourceNode(SourceNode):
    """Pulls a source in a thread, for input that blocks."""

    async def take(self, iterator: Iterator[Any], out: list[Message]) -> bool:
        """Pull in a thread."""
        more: bool = await in_thread(self.pace.take, iterator, out)
        return more


class _Batches(Node):
    """Hands whole batches to `process_batch`, and falls back to single messages when that raises."""

    def __init__(self, plan: NodePlan, processor: Processor, services: TransmissionServices) -> None:
        super().__init__(plan, processor, services)
        assert isinstance(processor, WorksInBatches)
        self._process_batch: Callable[[list[Message]], Any] = processor.process_batch

    async def step(self, batch: list[Message], rest: Outlet) -> list[Message]:
        """Process a batch at once."""
        counts, count = self.counts, len(batch)
        began = clock()
        out = attempt(self._process_batch, batch)
        if out.__class__ is not list:
            out = await _settled(out)
        # Looking at every result would cost more than a trivial step.
        if isinstance(out, Raised) or (out and not (isinstance(out[0], dict) and isinstance(out[-1], dict))):
            return await self._one_by_one(batch, rest)
        seconds = clock() - began
        counts.received += count
        counts.busy += seconds
        counts.latency.record(seconds / count)
        if len(out) < count:
            counts.dropped += count - len(out)
        return self.leaving(out if len(out) <= ITEMS else await self.spread(None, iter(out), [], rest))

    async def _one_by_one(self, batch: list[Message], rest: Outlet) -> list[Message]:
        if is_overridden(self.processor, "process"):
            return await super().step(batch, rest)
        self.counts.received += len(batch)
        out: list[Message] = []
        for message in batch:
            result = await _settled(attempt(self._alone, message))
            if isinstance(result, Raised):
                result = await self.supervisor.recover(message, result.error, self._alone)
            self.counts.dropped += result == []
            out = await self.spread(message, result, out, rest)
        return self.leaving(out)

    def _alone(self, message: Message) -> Any:
        return self._process_batch([message])


async def _settled(out: Any) -> Any:
    """Return the list a `process_batch` gave, at once or later, or what it raised."""
    if inspect.isawaitable(out):
        out = await attempt_async(out)
    if out is None or isinstance(out, list | Raised):
        return out or []
    return attempt(list, out) if is_several(out) else Raised(not_a_message(out))


class BatchNode(_Batches):
    """Hands over whole batches; single messages go to a plain `process`."""


class AsyncBatchNode(_Batches, AsyncNode):
    """Hands over whole batches; single messages go to an asynchronous `process`."""


class ThreadBatchNode(_Batches, ThreadNode):
    """Hands over whole batches, in a thread."""

    def __init__(self, plan: NodePlan, processor: Processor, services: TransmissionServices) -> None:
        super().__init__(plan, processor, services)
        self._process_batch = functools.partial(in_thread, self._process_batch)


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a thread.

    A thread cannot be stopped, so a cancelled caller waits for it: nobody may tear down under it.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def make_node(plan: NodePlan, processor: Processor, services: TransmissionServices) -> Node:
    """Return the node that works the way the processor's class is written."""
    return _kind(plan, processor)(plan, processor, services)


def _kind(plan: NodePlan, processor: Processor) -> type[Node]:
    threaded = processor.placement == "thread"
    if isinstance(processor, Source):
        if inspect.isasyncgenfunction(processor.produce):
            return AsyncSourceNode
        return ThreadSourceNode if threaded else SourceNode
    if inspect.isasyncgenfunction(processor.process):
        raise RunError(f"{plan.where}: {plan.path}: process() is an asynchronous generator; use a plain one, or a Source")
    waits = is_async(processor.process)
    if follows(processor, WorksInBatches):
        return ThreadBatchNode if threaded else AsyncBatchNode if waits else BatchNode
    return AsyncNode if waits else ThreadNode if threaded else Node
