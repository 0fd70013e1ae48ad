"""Sources at work: they are pulled, never pushed, so that they stop when nobody takes and end when a run is drained."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Final

from .message import GroupEnd, keep_messages, not_a_message
from .node import Node
from .outcomes import is_several, primed
from .pace import clock
from .processor import Source
from .pulling import Pull
from .supervisor import FAILED, FAULTS, Raised, attempt, attempt_async, is_cancelled
from .waiting import NO_PATIENCE, PATIENCE, MayWait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

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
            if self.services.draining:
                self.counts.dropped += 1
            else:
                is_whole = await self._produce(message, rest)
                if self.marks_groups and is_whole is not None:
                    await rest.put_token(GroupEnd(self.plan.depth + 1, message, is_broken=not is_whole))
        return []

    async def _produce(self, message: Message, rest: Outlet) -> bool | None:
        """Send what is made of a message; return whether that was all of it, None if it failed before the first."""
        made = attempt(self._made_of, message)
        if isinstance(made, Raised):
            made = await self.supervisor.recover(message, made.error, self._again)
        while made is not FAILED:
            again: Callable[[Message], Any] | None = self._again
            if hasattr(made, "__aiter__"):
                sent, failure = await self._pump(aiter(made), rest)
            else:
                sent, failure = await self._pull(iter(made or ()), rest)
            if isinstance(failure, MayWait):
                again = None  # A pipe gives nothing twice.
                sent, failure = await self._pull_apart(message, rest)
            if failure is None:
                return True
            made = await self.supervisor.recover(message, failure, None if sent else again)
            if sent:
                return False
        return None

    async def _pull(self, iterator: Iterator[Any], rest: Outlet) -> tuple[int, BaseException | None]:
        """Return how many messages were sent, and the error that ended them."""
        sent, more = 0, True
        try:
            while more is True and not self.services.draining:
                if self.services.is_held:
                    await self.services.turn()
                    continue
                out: list[Message] = []
                began = clock()
                # What is opened later than before the first message has its reader wait here.
                PATIENCE.set(None if sent else NO_PATIENCE)
                more = await attempt_async(self.take(iterator, out))
                PATIENCE.set(None)
                if isinstance(more, Raised) and isinstance(more.error, MayWait):
                    out = []  # It begins again.
                sent += len(out)
                await self._send(out, began, rest)
        finally:
            closed = attempt(iterator.close) if inspect.isgenerator(iterator) else None
        fault = more if isinstance(more, Raised) else closed
        return sent, fault.error if isinstance(fault, Raised) else None

    async def _pull_apart(self, message: Message, rest: Outlet) -> tuple[int, BaseException | None]:
        """Do what `_pull` does in a thread. Once the run is drained nothing more is read, and what was read is sent."""
        sent = 0
        pull = attempt(Pull, lambda: iter(self._made_of(message) or ()), self.pace)
        if isinstance(pull, Raised):
            return sent, pull.error
        self.services.interrupts.add(pull.patience.give_up)
        try:
            if self.services.draining:
                pull.patience.give_up()
            while batch := await pull.batch():
                if self.services.is_held:
                    await self.services.turn()
                checked = attempt(keep_messages, batch)
                sent += len(batch)
                await self._send(batch, clock(), rest)
                if isinstance(checked, Raised):
                    return sent, checked.error
        finally:
            self.services.interrupts.discard(pull.patience.give_up)
            await pull.end()
        return sent, pull.error

    async def _send(self, out: list[Message], began: float, rest: Outlet) -> None:
        count, seconds = len(out), clock() - began
        self.counts.busy += seconds
        if count:
            self.counts.latency.record(seconds / count)
            await rest.put_many(self.leaving(out))
            self.pace.adapt(count, clock() - began)
            if self.pace.is_due:
                await self.pace.breathe()

    async def _pump(self, iterator: AsyncIterator[Any], rest: Outlet) -> tuple[int, BaseException | None]:
        """Do for an asynchronous source what `_pull` does for a plain one: as messages come, alone or several together."""
        sent = 0
        waiting = _Interruptible(self.services.interrupts)
        try:
            while not self.services.draining:
                began = clock()
                message = await waiting.next(iterator)
                self.counts.busy += clock() - began
                if message is _OVER:
                    break
                came = message if isinstance(message, list) else [message]
                strange = [one for one in came if not isinstance(one, dict)]
                if strange:
                    return sent, not_a_message(strange[0])
                if self.services.is_held:
                    await self.services.turn()  # What had been asked for before still comes, and waits here.
                sent += len(came)
                await rest.put_many(self.leaving(came))
                del message, came  # Waiting for the next message must not keep these.
        except _Broken as broken:
            return sent, broken.error
        finally:
            closed = await attempt_async(iterator.aclose()) if inspect.isasyncgen(iterator) else None
        return sent, closed.error if isinstance(closed, Raised) else None

    def _again(self, message: Message) -> Any:
        return primed(self._made_of(message))

    def _made_of(self, message: Message) -> Any:
        assert isinstance(self.processor, Source)
        made: Any = self.processor.produce(message)
        if made is None or hasattr(made, "__aiter__") or is_several(made):
            return made
        raise not_a_message(made, "messages belong, in a list or from a generator")


class AsyncSourceNode(SourceNode):
    """Pulls an asynchronous `produce`. It ends its segment, so that what comes message by message goes on in batches."""


_OVER: Final = object()


class _Broken(Exception):
    """An asynchronous source raised."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Interruptible:
    """Waits for an asynchronous iterator's next item, and gives up when the run is drained meanwhile."""

    def __init__(self, interrupts: set[Any]) -> None:
        self._interrupts = interrupts
        self._task = asyncio.current_task()
        self._interrupted = False

    async def next(self, iterator: AsyncIterator[Any]) -> Any:
        """Return the next item, or _OVER when there is none or the run is drained."""
        self._interrupts.add(self._interrupt)
        try:
            return await anext(iterator)
        except StopAsyncIteration:
            return _OVER
        except asyncio.CancelledError as error:
            # A drain asked for this, unless somebody else has cancelled the task too.
            if self._interrupted and self._task and not self._task.uncancel():
                return _OVER
            if is_cancelled(error):
                raise
            raise _Broken(error) from error
        except FAULTS as error:
            raise _Broken(error) from error
        finally:
            self._interrupts.discard(self._interrupt)

    def _interrupt(self) -> None:
        if self._task and not self._interrupted:
            self._interrupted = True
            self._task.cancel()
