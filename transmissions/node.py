"""A node: one processor at work. What is done about processors is done here, once: counting, timing, catching.

The loops over a batch are written out for plain and for asynchronous processors, because they are what a run spends its time
in: one call more in each turn would cost as much as a trivial step.
"""

from __future__ import annotations

import inspect
import logging
from itertools import chain
from typing import TYPE_CHECKING, Any

from .channel import ITEMS
from .context import Context
from .errors import NodeFailed
from .pace import Pace, clock
from .processor import is_overridden
from .supervisor import FAILED, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .channel import Outlet
    from .desk import Desk
    from .message import Message
    from .plan import NodePlan
    from .processor import Processor


class Node:
    """A processor at its place in a pipe. This class calls a plain `process`; the others do what differs."""

    def __init__(self, plan: NodePlan, processor: Processor, desk: Desk) -> None:
        self.plan = plan
        self.processor = processor
        board = desk.board
        self.desk = desk
        self.board = board
        self.counts = board.counts[plan.path]
        self.pace = Pace()
        """How much of a generator is taken at once."""
        log = logging.getLogger(f"transmissions.{plan.path.replace('/', '.')}")
        context = Context(plan.path, board.plan, board.folders, log, desk)
        processor.attach(context)
        self.supervisor = Supervisor(plan, context, board, self.counts)
        self._process: Callable[[Message], Any] = processor.process

    async def open(self) -> None:
        """Set the processor up."""
        try:
            await self.processor.__aenter__()
        except Exception as error:
            raise self.failure(error) from error

    async def close(self, reason: BaseException | None) -> Exception | None:
        """Tear the processor down; return what went wrong, so that the others are torn down too."""
        try:
            await self.processor.__aexit__(type(reason) if reason else None, reason, reason.__traceback__ if reason else None)
        except Exception as error:
            return error
        return None

    def failure(self, error: Exception) -> NodeFailed:
        """Say that this node failed apart from any message."""
        return NodeFailed(self.plan.path, self.plan.where, None, self.supervisor.named(error))

    async def step(self, batch: list[Message], rest: Outlet) -> list[Message]:
        """Process a batch and return what came out; when that is more than a batch, the first of it goes to `rest` at once."""
        counts, plain = self.counts, self._process
        process: Callable[[Message], Any] = self._timed
        counts.received += len(batch)
        out: list[Message] = []
        append = out.append
        dropped = 0
        began = clock()
        for message in batch:
            try:
                result = process(message)
            except Exception as error:
                result = await self.supervisor.recover(message, error, self._again)
            process = plain  # Only the first message of a batch is timed by itself.
            if result.__class__ is dict:
                append(result)
            elif result is None:
                dropped += 1
            else:
                out = await self.spread(message, result, out, rest)
                append = out.append
        counts.dropped += dropped
        counts.busy += clock() - began
        return self.leaving(out)

    async def end_group(self, message: Message, rest: Outlet) -> None:
        """Let the processor end the group made from `message`."""
        await self._at_an_end(lambda: self.processor.end_group(message), message, rest)

    async def finish(self, rest: Outlet) -> None:
        """Let the processor give what is left at the end of the stream."""
        await self._at_an_end(self.processor.finish, None, rest)

    async def _at_an_end(self, make: Callable[[], Any], message: Message | None, rest: Outlet) -> None:
        try:
            result: Any = make()
            if inspect.isawaitable(result):
                result = await result
        except Exception as error:
            await self.supervisor.recover(message, error, None)
            return
        if result is not None:
            out = self.leaving(await self.spread(message, result, [], rest))
            if out:
                await rest.put_many(out)

    async def spread(self, message: Message | None, result: Any, out: list[Message], rest: Outlet) -> list[Message]:
        """Add a result that is no plain dict to `out`, and return the list to go on with."""
        if result is FAILED or result is None:
            return out
        if isinstance(result, dict):
            out.append(result)
        elif isinstance(result, list | tuple) and len(out) + len(result) <= ITEMS:
            out.extend(result)
        elif hasattr(result, "__iter__") and not isinstance(result, str | bytes):
            return await self._draw(message, iter(result), out, rest)
        elif inspect.isawaitable(result):
            return await self._await(message, result, out, rest)
        else:
            await self.supervisor.recover(message, TypeError(f"a processor cannot return a {type(result).__name__}"), None)
        return out

    def leaving(self, out: list[Message]) -> list[Message]:
        """Count messages that leave the node, and show them to a tap."""
        self.counts.sent += len(out)
        if self.board.taps and self.plan.path in self.board.taps:
            self.board.taps[self.plan.path].show(self.plan.path, out)
        return out

    async def take(self, iterator: Iterator[Any], out: list[Message]) -> bool:
        """Take as many messages as are quick and small, and return whether there may be more."""
        return self.pace.take(iterator, out)

    async def deliver(self, out: list[Message], rest: Outlet) -> None:
        """Send messages on in the middle of a step; what happens behind is not this node's time."""
        count, began = len(out), clock()
        await rest.put_many(self.leaving(out))
        seconds = clock() - began
        self.pace.adapt(count, seconds)
        self.counts.busy -= seconds

    async def _draw(self, message: Message | None, iterator: Iterator[Any], out: list[Message], rest: Outlet) -> list[Message]:
        fresh = len(out)  # How much of `out` is older than this iterator; -1 once something of it has gone on.
        more = True
        while more:
            if len(out) >= self.pace.size:
                await self.deliver(out, rest)
                out, fresh = [], -1 if fresh < len(out) else 0
                await self.pace.breathe()
            try:
                more = await self.take(iterator, out)
            except Exception as error:
                again = self._again if len(out) == fresh else None  # What has gone on must not come again.
                return await self.spread(message, await self.supervisor.recover(message, error, again), out, rest)
        return out

    async def _await(self, message: Message | None, result: Any, out: list[Message], rest: Outlet) -> list[Message]:
        try:
            settled = await result
        except Exception as error:
            settled = await self.supervisor.recover(message, error, self._again)
        return await self.spread(message, settled, out, rest)

    def _timed(self, message: Message) -> Any:
        began = clock()
        try:
            return self._process(message)
        finally:
            self.counts.latency.record(clock() - began)

    def _again(self, message: Message) -> Any:
        """Process a message once more, as far as the first result, which is where a generator begins to work."""
        return primed(self._process(message))


class AsyncNode(Node):
    """Calls a processor with `async def process`."""

    async def step(self, batch: list[Message], rest: Outlet) -> list[Message]:
        """Process a batch, one message after the other; see `Node.step`, which this repeats with `await`."""
        counts, plain = self.counts, self._process
        process: Callable[[Message], Any] = self._timed
        counts.received += len(batch)
        out: list[Message] = []
        append = out.append
        dropped = 0
        began = clock()
        for message in batch:
            try:
                result = await process(message)
            except Exception as error:
                result = await self.supervisor.recover(message, error, self._again)
            process = plain
            if result.__class__ is dict:
                append(result)
            elif result is None:
                dropped += 1
            else:
                out = await self.spread(message, result, out, rest)
                append = out.append
        counts.dropped += dropped
        counts.busy += clock() - began
        return self.leaving(out)

    async def _timed(self, message: Message) -> Any:
        began = clock()
        try:
            return await self._process(message)
        finally:
            self.counts.latency.record(clock() - began)


def primed(result: Any) -> Any:
    """Return a result with its first message made, if it is a generator."""
    if not inspect.isgenerator(result):
        return result
    first = next(result, None)
    return [] if first is None else chain([first], result)


def is_async(function: Any) -> bool:
    """Whether calling a method gives something to wait for."""
    return inspect.iscoroutinefunction(function)


def ends_groups(processor: type[Processor]) -> bool:
    """Whether a processor cares about the end of the group it stands in."""
    return processor.collapses or is_overridden(processor, "end_group")
