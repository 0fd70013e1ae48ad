"""Processes that read pages: off the loop, each with a limit of time and memory, shared by all runs of this process.

A process serves one page at a time. One that takes too long is killed, one that dies costs only its page, and another takes
its place. None outlives the process that started it, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import marshal
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .crawl_page import PageFault
from .page_serving import LENGTH, READY
from .shared import lent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .page_reading import Asked

_STARTING: Final = 60.0
"""Seconds in which a process has to be ready; a fifth of a second is usual."""
_PIECE: Final = 1 << 18
_GIVEN: Final = ("PYTHON", "LD_", "DYLD_", "LANG", "LC_", "TZ")
"""What of the environment the processes get: what Python needs. Keys are none of their business."""
_MALLOC: Final = {"MALLOC_MMAP_THRESHOLD_": "524288", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_ARENA_MAX": "1"}
"""For glibc: give large pieces back at once."""


class Limits(NamedTuple):
    """What a set of processes may use."""

    workers: int
    seconds: float
    memory: int
    """Bytes a process may take for its page."""
    kept: float = 0.0
    """Seconds for which the processes stay when nobody uses them."""


class _Gone(Exception):
    """A process is no more."""


class _Worker:
    """One process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._socket, other = socket.socketpair()
        self._socket.setblocking(False)
        environment = {name: value for name, value in os.environ.items() if name.startswith(_GIVEN)}
        command = [sys.executable, "-P", "-m", f"{__package__}.page_serving", str(other.fileno()), str(limits.memory)]
        with other:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(other.fileno(),),
                start_new_session=True,
                env=environment | _MALLOC,
            )
        self._is_ready = False

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    async def read(self, asked: Asked) -> dict[str, Any]:
        """Have a page read. Unless it returns, the process cannot be used any more.

        Raises:
            PageFault: it took too long, or the process died.

        """
        try:
            async with asyncio.timeout(_STARTING):
                while not self._is_ready:
                    self._is_ready = await self._receive() == READY
            async with asyncio.timeout(self._limits.seconds):
                return await self._exchange(asked)
        except TimeoutError:
            said = f"it was not read within {self._limits.seconds:g} s (:timeLimit)"
            raise PageFault("LIMIT_TIME", said, seconds=self._limits.seconds) from None
        except _Gone:
            raise self._death() from None

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._socket.close()

    async def _exchange(self, asked: Asked) -> dict[str, Any]:
        data = marshal.dumps(tuple(asked))
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, LENGTH.pack(len(data)) + data)
        except ConnectionError:
            raise _Gone from None
        answer: dict[str, Any] = await self._receive()
        return answer

    async def _receive(self) -> Any:
        (size,) = LENGTH.unpack(await self._take(LENGTH.size))
        return marshal.loads(await self._take(size))  # noqa: S302 - written by our own program

    async def _take(self, size: int) -> bytearray:
        data = bytearray(size)
        view, at = memoryview(data), 0
        loop = asyncio.get_running_loop()
        while at < size:
            try:
                got = await loop.sock_recv_into(self._socket, view[at : at + _PIECE])
            except ConnectionError:
                raise _Gone from None
            if not got:
                raise _Gone
            at += got
        return data

    def _death(self) -> PageFault:
        """Return what is to be said of a page whose process died: it was killed for its memory, or broke."""
        self._process.kill()
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return PageFault("LIMIT_MEMORY", "the system killed the process that read it, as it does where memory is short")
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return PageFault("PARSE_FAILED", f"the process that read it ended {how}")


class PageWorkers:
    """A number of processes, started as they are needed."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._turns = asyncio.Semaphore(limits.workers)

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [worker.pid for worker in (*self._idle, *self._busy)]

    def warm_up(self) -> None:
        """Start the first process, so that the first page need not wait for it."""
        if not self._idle and not self._busy:
            self._idle.append(_Worker(self.limits))

    async def read(self, asked: Asked) -> dict[str, Any]:
        """Have a page read.

        Raises:
            PageFault: it cannot be read, is too large to be, or took too long.

        """
        async with self._turns:
            worker = self._hire()
            try:
                answer = await worker.read(asked)
            except BaseException:  # Also if the run is cancelled: what it was at is nobody's business any more.
                self._dismiss(worker)
                raise
            self._release(worker, answer)
        if "fault" in answer:
            code, said, context = answer["fault"]
            raise PageFault(code, said, **context)
        return answer

    async def close(self) -> None:
        """End all processes."""
        for worker in (*self._idle, *self._busy):
            worker.end()
        self._idle.clear()
        self._busy.clear()

    def _hire(self) -> _Worker:
        while self._idle and not self._idle[-1].is_alive:
            self._idle.pop().end()
        worker = self._idle.pop() if self._idle else _Worker(self.limits)
        self._busy.add(worker)
        return worker

    def _release(self, worker: _Worker, answer: dict[str, Any]) -> None:
        if answer.get("fault", ("",))[0] == "LIMIT_MEMORY":  # It may hold on to what it took.
            self._dismiss(worker)
            return
        self._busy.discard(worker)
        self._idle.append(worker)

    def _dismiss(self, worker: _Worker) -> None:
        if worker in self._busy:
            self._busy.discard(worker)
            worker.end()


@contextlib.asynccontextmanager
async def page_workers(limits: Limits) -> AsyncIterator[PageWorkers]:
    """Give the processes with these limits, which all users in a loop share; they end when the last of them has left."""
    async with lent((PageWorkers, limits), lambda: PageWorkers(limits), PageWorkers.close, kept=limits.kept) as workers:
        workers.warm_up()
        yield workers
