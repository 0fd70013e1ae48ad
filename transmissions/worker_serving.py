"""What a process of workers does: one transmission at work, batches in, results and accounts out."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from .accounts import Account, WorkerState, fault_of
from .frames import decode, encode, pieces, read_frame
from .homes import install_homes, load_class
from .pace import RareCollections, clock
from .plan import TransmissionPlan, find_workers
from .services import Call
from .supervisor import Raised, attempt, attempt_async

if TYPE_CHECKING:
    from .context import Folders
    from .frames import Frame
    from .message import Message
    from .plan import Plan


class Order(NamedTuple):
    """What a process is told first: the run it works for, and its part of it."""

    plan: Plan
    path: str
    """Of the workers."""
    folders: Folders
    level: int
    """From which on log records are wanted."""
    taps: dict[str, int]
    """How many messages are still to be shown of a node."""


async def serve(requests: int, answers: int) -> None:
    """Answer what comes through one pipe into the other, until told to end or until the pipe ends."""
    inbox = _Inbox(requests)
    first = await inbox.get()
    if first is None:
        return
    with RareCollections(), contextlib.suppress(BrokenPipeError):  # Then nobody waits for the answer.
        await _Serving(decode(first.parts[0]), answers).work(inbox)


class _Inbox:
    """What comes through a pipe.

    Until something comes, the tasks that steps have started go on. Then it is read to its end, waiting if need be: it is
    there, or on its way. While a batch is worked on nothing is read, so what comes meanwhile comes in one piece.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def get(self) -> Frame | None:
        """Wait for the next frame, or None at the end."""
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, came.set)
        try:
            await came.wait()
        finally:
            loop.remove_reader(self._descriptor)
        return read_frame(self._descriptor)


class _Serving:
    def __init__(self, order: Order, answers: int) -> None:
        install_homes(order.plan.homes)
        self._answers = answers
        self._state = WorkerState(
            order.plan, order.folders, lambda node: load_class(node.implementation).from_plan(node.settings), order.taps
        )
        self._state.log_to(order.level)
        self._order = order

    async def work(self, inbox: _Inbox) -> None:
        call = await attempt_async(self._open())
        if isinstance(call, Raised):
            self._fail(None, call)
            return
        gc.freeze()  # What was imported is there to the end: a collection need not look at it.
        gc.enable()
        self._say(("ready",))
        while (frame := await inbox.get()) is not None:
            kind, *words = frame.head
            if kind == "end":
                await self._end(call)
                return
            if not await self._answer(call, words[0], frame.parts):
                return
        await call.abort()

    async def _open(self) -> Call:
        workers = next(filter(None, (find_workers(one.pipe, self._order.path) for one in self._order.plan.transmissions)))
        call = Call(TransmissionPlan(workers.path, "", False, workers.pipe, workers.where), self._state, ())
        await call.ready()
        return call

    async def _answer(self, call: Call, number: int, parts: list[memoryview]) -> bool:
        """Work on a batch and say what became of it; return whether there can be another."""
        began = clock()
        messages = attempt(lambda: [decode(part) for part in parts])
        if isinstance(messages, Raised):
            self._say(("refused", number, f"a message cannot be read again: {messages.error!r}"))
            return True
        results = await attempt_async(call.answer(messages))
        if isinstance(results, Raised):
            self._fail(number, results)
            return False
        account = self._state.take()
        packed = attempt(_packed, ("done", number, clock() - began), account, results)
        if isinstance(packed, Raised):
            packed = pieces(("refused", number, f"a result cannot be sent: {packed.error!r}"))
        self._write(packed)
        return True

    async def _end(self, call: Call) -> None:
        results = await attempt_async(call.end())
        if isinstance(results, Raised):
            self._fail(None, results)
            return
        packed = attempt(_packed, ("ended",), self._state.take(), results)
        if isinstance(packed, Raised):
            self._fail(None, packed)
        else:
            self._write(packed)

    def _fail(self, number: int | None, raised: Raised) -> None:
        fault = tuple(fault_of(raised.error))
        account = self._state.take()
        sayable = [one for one in account.told if not isinstance(attempt(encode, one), Raised)]
        self._say(("failed", number, fault, tuple(account._replace(told=sayable))))

    def _say(self, head: tuple[Any, ...]) -> None:
        self._write(pieces(head))

    def _write(self, data: list[bytes]) -> None:
        # Nothing else waits here, and the other side always reads; so this may block.
        rest = memoryview(b"".join(data))
        while rest:
            rest = rest[os.write(self._answers, rest) :]


def _packed(head: tuple[Any, ...], account: Account, results: list[Message]) -> list[bytes]:
    return pieces((*head, tuple(account)), [encode(results)] if results else [])
