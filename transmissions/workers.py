"""Workers: a stretch of a pipe on which several processes work, the run's own among them.

How they behave. Code that differs from this is a bug.

*Order.* Results leave in the order in which their messages came, and tokens keep their places among them. What a message
becomes is passed on once it is whole. Two messages whose `key` is equal are worked on one after the other, as they came.

*Processes.* The run's own works from the first message on. The others are started once it has worked for `PATIENCE`, so that
small runs do not pay for them, or at once where the files that the arguments name have `MUCH`: not for one process, on a
machine with one, in a transmission that is called, or on a system without POSIX's processes. One that is still starting at
the end of the stream is given up. Each has the whole inner pipe, made from the plan; its steps see an `__aenter__`, a
`finish()` and an `__aexit__` of their own.

*Sharing.* A batch is some milliseconds of work and at most half a megabyte; a process has two, and more as long as they are
less than 60 ms of work and two megabytes: enough that it does not wait while this one does something else, and so little that
nobody idles at the end. What none of the others has room for is worked on here. A message travels as plain data (see
`frames`); one that cannot, because it holds an open file, say, is worked on here, and so is one of more than eight megabytes,
which would only be held twice. Between entry and exit are at most some batches for each process, and no more than eight
megabytes of results.

*Accounts.* What a step does through its context arrives when its batch is passed on, as if it had been done here: events, dead
letters, skips, halts, log records, taps, counts and latencies. Those of different processes may come in another order than
their messages. Buffers inside have figures for this process only, and a step sees the `snapshot()` of its own.

*Failure.* A message that fails where the policy is to stop ends the run as it would have here. A process that is lost (killed,
out of memory) has its batches done again here and is not replaced; one warning says so. Steps in workers must bear that: what
such a process wrote is written again. One that is lost while its steps finish is an error.

*End.* At the end of the stream each process finishes and is waited for. Where the run fails or is cancelled, the end of its
pipe tells it to tear its steps down after the batch at hand; it is killed if that takes longer than five seconds. Where the
run's own process is killed, the others notice in the same way.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from .accounts import settle
from .channel import ITEMS
from .fields import get_field
from .frames import decode, encode
from .message import END, Barrier, Token
from .pace import clock
from .plan import walk
from .segment import Segment
from .supervisor import Raised, attempt
from .worker_desk import Batch, Desk, size_at
from .worker_process import Process
from .worker_serving import Order

if TYPE_CHECKING:
    from .channel import Channel, Outlet
    from .message import Message
    from .plan import WorkersPlan
    from .state import RunState
    from .worker_desk import Gather

_LOG = logging.getLogger(__name__)
PATIENCE: Final = 0.03
"""Seconds of work here before others are started: a third of what a start takes, as one that is late is not waited for."""
MUCH: Final = 16 << 20
"""Bytes of input that are surely more work than to start a process."""
WORTH: Final = 2e-5
"""Seconds of work on a message from which on it is sent to others; to send it costs half as much."""
_HERE: Final = 0.005
_THERE: Final = 0.02
"""Seconds of work in a batch, about. What is worked on here is shorter, because meanwhile nobody is given anything."""
_WEIGHT: Final = 1 << 19
_LARGE: Final = 1 << 23
_LINE: Final = 40
"""Batches in line for each process."""


class WorkersSegment(Segment):
    """The task that divides messages among processes and passes on what they become."""

    def __init__(
        self, plan: WorkersPlan, inlet: Channel, outlet: Outlet, head: Outlet, gather: Gather, state: RunState
    ) -> None:
        super().__init__([], inlet, outlet)
        self.plan = plan
        self.processes = plan.processes
        self._desk = Desk(plan.path)
        self._head = head
        self._gather = gather
        self._state = state
        self._line: deque[Batch | Token] = deque()
        self._processes: list[Process] = []
        self._worked = 0.0
        self._patience = PATIENCE

    async def run(self) -> None:
        """Work until the end of the stream."""
        try:
            if sum(map(size_at, self._state.folders.roots)) > MUCH:
                await self._start()
            async with asyncio.TaskGroup() as tasks:
                others = [tasks.create_task(self._work_here()), tasks.create_task(self._pass_on())]
                await self._share()
                for task in others:
                    task.cancel()
        finally:
            for process in self._processes:
                await process.leave()

    async def _share(self) -> None:
        while (item := await self.inlet.get_many(self._size(_THERE))) is not END:
            if isinstance(item, Token):
                self._line.append(item)
                self._desk.ring()
                continue
            waiting = deque(item)
            del item
            while waiting:
                await self._give(waiting)
        await self._desk.until(lambda: not self._line)
        await self._finish()

    async def _give(self, waiting: deque[Message]) -> None:
        """Give the first of the messages that wait to whoever has room for them."""
        if self._worked > self._patience:
            await self._start()
        desk, key = self._desk, self._key(waiting[0])
        await desk.until(lambda: self._has_room() and key not in desk.keys)
        await asyncio.sleep(0)  # Answers may have come.
        await desk.until(lambda: not desk.here or self._free())
        process, batch = self._free(), Batch()
        if process:
            self._pack(batch, waiting)
        if process and batch.packed:
            self._line.append(batch)
            process.send(batch)
            return
        await desk.until(lambda: not desk.here)
        size = self._size(_HERE)
        while len(batch.messages) < size and self._may_take(waiting):
            batch.messages.append(self._take(batch, waiting))
        self._line.append(batch)
        desk.here.append(batch)
        desk.ring()

    def _has_room(self) -> bool:
        return len(self._line) < _LINE * (1 + len(self._processes)) and self._desk.held < _LARGE

    def _free(self) -> Process | None:
        if self._desk.pace < WORTH:
            return None
        return min((process for process in self._processes if process.is_free), key=lambda one: one.load, default=None)

    def _size(self, seconds: float) -> int:
        return max(1, min(ITEMS, int(seconds / self._desk.pace))) if self._desk.pace else 1

    def _pack(self, batch: Batch, waiting: deque[Message]) -> None:
        """Take as many messages as make a batch for a process, and none that cannot be sent."""
        size = self._size(_THERE)
        while len(batch.packed) < size and batch.weight < _WEIGHT and self._may_take(waiting):
            data = attempt(encode, waiting[0])
            if isinstance(data, Raised) or len(data) > _LARGE:
                return
            batch.packed.append(data)
            batch.weight += len(data)
            self._take(batch, waiting)

    def _may_take(self, waiting: deque[Message]) -> bool:
        return bool(waiting) and self._key(waiting[0]) not in self._desk.keys

    def _take(self, batch: Batch, waiting: deque[Message]) -> Message:
        key = self._key(waiting[0])
        if key is not None:
            self._desk.keys.add(key)
            batch.keys.append(key)
        return waiting.popleft()

    def _key(self, message: Message) -> Any:
        """Return what must not be worked on twice at a time; None if the message may be worked on at any time."""
        if self.plan.key is None:
            return None
        value = get_field(message, self.plan.key, None)
        return repr(value) if isinstance(attempt(hash, value), Raised) else value

    async def _start(self) -> None:
        self._patience = math.inf
        taps = {node.path: self._state.taps[node.path].left for node in walk(self.plan.pipe) if node.path in self._state.taps}
        level = logging.getLogger("transmissions").getEffectiveLevel()
        order = Order(self._state.plan, self.plan.path, self._state.folders, level, taps)
        for _ in range(self.plan.processes - 1):
            process = Process(self._desk, self._state)
            self._processes.append(process)
            try:
                await process.start(order)
            except OSError as error:
                self._processes.remove(process)
                _LOG.warning("%s: no process could be started: %s", self.plan.path, error.strerror)
                return

    async def _work_here(self) -> None:
        desk = self._desk
        while True:
            await desk.until(lambda: desk.here)
            batch, began = desk.here[0], clock()
            batch.gave = await self._gather.what_becomes_of(batch.messages, Barrier(0), self._head)
            desk.here.popleft()
            seconds = clock() - began
            self._worked += seconds
            desk.settle(batch, seconds)

    async def _pass_on(self) -> None:
        line = self._line
        while True:
            await self._desk.until(lambda: line and (isinstance(line[0], Token) or line[0].is_done))
            first = line[0]
            if isinstance(first, Token):
                await self.outlet.put_token(first)
            else:
                await self._deliver(first)
            line.popleft()
            self._desk.ring()

    async def _deliver(self, batch: Batch) -> None:
        if batch.account:
            settle(batch.account, self._state)
        if batch.error:
            raise batch.error from batch.error.__cause__
        self._desk.held -= batch.weight
        await self.outlet.put_many(batch.gave or _unpacked(batch.gave_packed))

    async def _finish(self) -> None:
        """End the inner pipes, this process's first, and pass on what their steps still give."""
        await self.outlet.put_many(await self._gather.what_becomes_of([], END, self._head))
        for process in self._processes:
            process.tell_end()
        for process in self._processes:
            await process.end()
            if process.last:
                account, parts = process.last
                settle(account, self._state)
                await self.outlet.put_many(_unpacked(parts))
        await self.outlet.put_token(END)


def _unpacked(parts: list[memoryview]) -> list[Message]:
    """Return the results that are in one part, or none."""
    return decode(parts[0]) if parts else []
