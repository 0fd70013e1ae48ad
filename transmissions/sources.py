"""Sources at work: they are pulled, never pushed, so that they stop when nobody takes and end when a run is drained."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from .message import GroupEnd
from .node import Node
from .outcomes import primed
from .pace import clock
from .supervisor import FAILED, Raised, attempt, attempt_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from .channel import Outlet
    from .message import Message


class SourceNode(Node):
    """Pulls a plain `produce`, a batch at a time, and sends every batch on before the next."""

    marks_groups = False
    """Whether anything behind cares where a group ends; set when the pipe is put together."""

    async def step(self, batch: list[Message], rest: Outlet) -> list[Message]:
        """Produce from every message; everything goes to `rest` as it comes."""
        self.counts.received += len(batch)
        for message in batch:
            if self.desk.draining:
                self.counts.dropped += 1
            elif await self._produce(message, rest) and self.marks_groups:
                await rest.put_token(GroupEnd(self.plan.depth + 1, message))
        return []

    async def _produce(self, message: Message, rest: Outlet) -> bool:
        """Send what is made of a message; return whether that began a group: not if it failed before its first message."""
        made = attempt(self.processor.produce, message)  # type: ignore[attr-defined]
        if isinstance(made, Raised):
            made = await self.supervisor.recover(message, made.error, self._again)
        while made is not FAILED:
            if hasattr(made, "__aiter__"):
                sent, failure = await self._pump(aiter(made), rest)
            else:
                sent, failure = await self._pull(iter(made or ()), rest)
            if failure is None:
                return True
            made = await self.supervisor.recover(message, failure, None if sent else self._again)
            if sent:
                return True
        return False

    async def _pull(self, iterator: Iterator[Any], rest: Outlet) -> tuple[int, Exception | None]:
        """Return how many messages were sent, and the error that ended them."""
        sent, more = 0, True
        try:
            while more is True and not self.desk.draining:
                out: list[Message] = []
                began = clock()
                more = await attempt_async(self.take(iterator, out))
                sent += len(out)
                await self._send(out, began, rest)
        finally:
            if inspect.isgenerator(iterator):
                iterator.close()
        return sent, more.error if isinstance(more, Raised) else None

    async def _send(self, out: list[Message], began: float, rest: Outlet) -> None:
        count, seconds = len(out), clock() - began
        self.counts.busy += seconds
        if count:
            self.counts.latency.record(seconds / count)
            await rest.put_many(self.leaving(out))
            self.pace.adapt(count, clock() - began)
            if self.pace.is_due:
                await self.pace.breathe()

    async def _pump(self, iterator: AsyncIterator[Any], rest: Outlet) -> tuple[int, Exception | None]:
        """Do for an asynchronous source what `_pull` does for a plain one: message by message, as they come."""
        sent = 0
        waiting = _Interruptible(self.desk.interrupts)
        try:
            while not self.desk.draining:
                began = clock()
                message = await waiting.next(iterator)
                self.counts.busy += clock() - began
                if message is None:
                    break
                sent += 1
                await rest.put_many(self.leaving([message]))
        except _Broken as broken:
            return sent, broken.error
        finally:
            if inspect.isasyncgen(iterator):
                await iterator.aclose()
        return sent, None

    def _again(self, message: Message) -> Any:
        return primed(self.processor.produce(message))  # type: ignore[attr-defined]


class AsyncSourceNode(SourceNode):
    """Pulls an asynchronous `produce`. It ends its segment, so that what comes message by message goes on in batches."""


class _Broken(Exception):
    """An asynchronous source raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class _Interruptible:
    """Waits for an asynchronous iterator's next item, and gives up when the run is drained meanwhile."""

    def __init__(self, interrupts: set[Any]) -> None:
        self._interrupts = interrupts
        self._task = asyncio.current_task()
        self._interrupted = False

    async def next(self, iterator: AsyncIterator[Any]) -> Any:
        """Return the next item, or None when there is none or the run is drained."""
        self._interrupts.add(self._interrupt)
        try:
            return await anext(iterator)
        except StopAsyncIteration:
            return None
        except asyncio.CancelledError:
            # A drain asked for this, unless somebody else has cancelled the task too.
            if self._interrupted and self._task and not self._task.uncancel():
                return None
            raise
        except Exception as error:
            raise _Broken(error) from error
        finally:
            self._interrupts.discard(self._interrupt)

    def _interrupt(self) -> None:
        if self._task and not self._interrupted:
            self._interrupted = True
            self._task.cancel()
