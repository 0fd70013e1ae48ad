"""A node: one processor at work. What is done about processors is done here, once: counting, timing, catching.

The loops over a batch are written out, for plain and for asynchronous processors, because they are what a run spends its time
in: one call more in each turn would cost as much as a trivial step. There are two for each. Most steps change a message and
return it; as long as they do, the batch itself goes on (15 ns a message less than a new list). The second loop goes on where
a result is something else.
"""

from __future__ import annotations

import inspect
from operator import length_hint
from typing import TYPE_CHECKING, Any

from .errors import NodeFailed
from .outcomes import Outcomes
from .pace import clock
from .processor import is_overridden
from .supervisor import FAULTS, is_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .channel import Outlet
    from .message import Message
    from .processor import Processor


class Node(Outcomes):
    """A processor at its place in a pipe. This class calls a plain `process`; the others do what differs."""

    async def open(self) -> None:
        """Set the processor up."""
        try:
            await self.processor.__aenter__()
        except FAULTS as error:
            if is_cancelled(error):
                raise
            failure = self.failure(error)
            raise failure from failure.cause

    async def close(self, reason: BaseException | None) -> BaseException | None:
        """Tear the processor down; return what went wrong, so that the others are torn down too."""
        try:
            await self.processor.__aexit__(type(reason) if reason else None, reason, reason.__traceback__ if reason else None)
        except FAULTS as error:
            return error
        return None

    def failure(self, error: BaseException) -> NodeFailed:
        """Say that this node failed apart from any message."""
        return NodeFailed(self.plan.path, self.plan.where, None, self.state.cleaned(error))

    async def step(self, batch: list[Message], rest: Outlet) -> list[Message]:
        """Process a batch and return what came out; when that is more than a batch, the first of it goes to `rest` at once."""
        counts, plain = self.counts, self._process
        process: Callable[[Message], Any] = self._timed
        counts.received += len(batch)
        out = batch
        messages = iter(batch)
        began = clock()
        for message in messages:
            try:
                result = process(message)
            except FAULTS as error:
                result = await self.supervisor.recover(message, error, self._again)
            process = plain  # Only the first message of a batch is timed by itself.
            if result is not message:
                same = batch[: len(batch) - length_hint(messages) - 1]
                out = await self._go_on(messages, await self._first(message, result, same, rest), rest)
        counts.busy += clock() - began
        return self.leaving(out)

    async def _first(self, message: Message, result: Any, out: list[Message], rest: Outlet) -> list[Message]:
        """Take the first result of a batch that is not its message."""
        self.counts.dropped += result is None
        return await self.spread(message, result, out, rest)

    async def _go_on(self, messages: Iterator[Message], out: list[Message], rest: Outlet) -> list[Message]:
        process, append = self._process, out.append
        dropped = 0
        for message in messages:
            try:
                result = process(message)
            except FAULTS as error:
                result = await self.supervisor.recover(message, error, self._again)
            if result.__class__ is dict:
                append(result)
            elif result is None:
                dropped += 1
            else:
                out = await self.spread(message, result, out, rest)
                append = out.append
        self.counts.dropped += dropped
        return out

    async def end_group(self, message: Message, rest: Outlet, *, is_broken: bool) -> None:
        """Let the processor end the group made from `message`; what collapses a broken one gives nothing in its place."""
        gives = not (is_broken and self.processor.collapses)
        await self._at_an_end(lambda: self.processor.end_group(message), message, rest, gives=gives)

    async def finish(self, rest: Outlet) -> None:
        """Let the processor give what is left at the end of the stream."""
        await self._at_an_end(self.processor.finish, None, rest)

    async def _at_an_end(self, make: Callable[[], Any], message: Message | None, rest: Outlet, *, gives: bool = True) -> None:
        try:
            result: Any = make()
            if inspect.isawaitable(result):
                result = await result
        except FAULTS as error:
            result = await self.supervisor.recover(message, error, None)
        out = await self.spread(message, result, [], rest)
        if out and gives:
            await rest.put_many(self.leaving(out))

    def _timed(self, message: Message) -> Any:
        began = clock()
        try:
            return self._process(message)
        finally:
            self.counts.latency.record(clock() - began)


class AsyncNode(Node):
    """Calls a processor with `async def process`; the loops are those of `Node` with `await`."""

    async def step(self, batch: list[Message], rest: Outlet) -> list[Message]:
        """Process a batch, one message after the other; see `Node.step`."""
        counts, plain = self.counts, self._process
        process: Callable[[Message], Any] = self._timed
        counts.received += len(batch)
        out = batch
        messages = iter(batch)
        began = clock()
        for message in messages:
            try:
                result = await process(message)
            except FAULTS as error:
                result = await self.supervisor.recover(message, error, self._again)
            process = plain
            if result is not message:
                same = batch[: len(batch) - length_hint(messages) - 1]
                out = await self._go_on(messages, await self._first(message, result, same, rest), rest)
        counts.busy += clock() - began
        return self.leaving(out)

    async def _go_on(self, messages: Iterator[Message], out: list[Message], rest: Outlet) -> list[Message]:
        process, append = self._process, out.append
        dropped = 0
        for message in messages:
            try:
                result = await process(message)
            except FAULTS as error:
                result = await self.supervisor.recover(message, error, self._again)
            if result.__class__ is dict:
                append(result)
            elif result is None:
                dropped += 1
            else:
                out = await self.spread(message, result, out, rest)
                append = out.append
        self.counts.dropped += dropped
        return out

    async def _timed(self, message: Message) -> Any:
        began = clock()
        try:
            return await self._process(message)
        finally:
            self.counts.latency.record(clock() - began)


def is_async(function: Any) -> bool:
    """Whether calling a method gives something to wait for."""
    return inspect.iscoroutinefunction(function)


def ends_groups(processor: type[Processor]) -> bool:
    """Whether a processor cares about the end of the group it stands in."""
    return processor.collapses or is_overridden(processor, "end_group")
