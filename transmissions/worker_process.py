"""One process of workers, as the run sees it: started, given batches, heard, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from .accounts import Account, Fault, error_of
from .errors import RunError
from .frames import Receiver, encode, pieces
from .worker import GRACE

if TYPE_CHECKING:
    from .frames import Frame
    from .state import RunState
    from .worker_desk import Batch, Desk
    from .worker_serving import Order

_LOG = logging.getLogger(__name__)
_AHEAD: Final = 2
"""Batches a process may have in any case: one it works on, and one so that it need not wait for the next."""
_SOON: Final = 0.06
"""Seconds of work a process may have if that takes more batches: whoever gives them may be away for half of that."""
_MOST: Final = 32
"""Batches a process has at most."""
_HELD: Final = 1 << 21
"""Bytes of work a process may have; one that has more gets none."""
_PIPE: Final = 1 << 20
"""Bytes a pipe should hold, so that neither side waits while the other works; the system may grant less."""
_POLL: Final = 0.005


_PIECE: Final = 1 << 19
"""Bytes from which on glibc is to give memory back at once: else a process grows by 5 MiB over a gigabyte, by fragments."""
_MALLOPT: Final = {-3: _PIECE, -1: 1 << 22}
"""Where it begins, and how much may be free at the end, which glibc no longer finds out by itself once one of them is set."""
_MALLOC: Final = {"MALLOC_MMAP_THRESHOLD_": str(_PIECE), "MALLOC_TRIM_THRESHOLD_": str(1 << 20)}
"""The same for a process that is started; it keeps what its next message needs again, or that is faulted in for each."""


class Process:
    """A process, and the batches it has."""

    def __init__(self, desk: Desk, state: RunState) -> None:
        self._desk = desk
        self._state = state
        self._process: subprocess.Popen[bytes] | None = None
        self._reading: asyncio.ReadTransport | None = None
        self._writing: asyncio.WriteTransport | None = None
        self._batches: dict[int, Batch] = {}
        self._sent = 0
        self._is_ready = False
        self._is_told = False
        self._is_ended = False
        self._is_gone = False
        self.last: tuple[Account, list[memoryview]] | None = None
        """What it said at its end: its account, and what its steps still gave."""

    async def start(self, order: Order) -> None:
        """Start the program and tell it what it works for.

        Raises:
            OSError: the system refuses.

        """
        _give_back()
        inward, requests = os.pipe()
        answers, outward = os.pipe()
        shared = (inward, outward, *self._state.descriptors)
        try:
            command = [sys.executable, "-P", "-m", "transmissions.worker", *map(str, shared)]
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it takes 2 ms, which a thread would take as well
                command, stdin=subprocess.DEVNULL, pass_fds=shared, start_new_session=True, env=_MALLOC | os.environ
            )
        except OSError:
            os.close(requests)
            os.close(answers)
            raise
        finally:
            os.close(inward)
            os.close(outward)
        self._state.processes.add(self._process.pid)
        loop = asyncio.get_running_loop()
        for descriptor in (requests, answers):
            _widen(descriptor)
        self._reading, _ = await loop.connect_read_pipe(lambda: Receiver(self._hear), os.fdopen(answers, "rb", 0))
        self._writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(requests, "wb", 0))
        self._say(("order",), [encode(order)])

    @property
    def is_free(self) -> bool:
        """Whether it can take another batch. One that has a big message takes no second."""
        batches = self._batches.values()
        if not self._is_ready or len(batches) >= _MOST or sum(batch.weight for batch in batches) > _HELD:
            return False
        return len(batches) < _AHEAD or 0 < self.load * self._desk.pace < _SOON

    @property
    def load(self) -> int:
        """The messages it has."""
        return sum(map(len, self._batches.values()))

    def send(self, batch: Batch) -> None:
        """Give it a batch."""
        self._sent += 1
        self._batches[self._sent] = batch
        self._say(("batch", self._sent), batch.packed)

    def tell_end(self) -> None:
        """Have its steps finish; one that is still starting has had no work, and is not waited for."""
        if self._process and not self._is_ready and not self._is_gone:
            self._is_ended = True
            os.killpg(self._process.pid, signal.SIGKILL)
            return
        self._is_told = not self._is_gone
        self._say(("end",))

    async def end(self) -> None:
        """Wait until its steps have ended; what they said at their end is in `last`.

        The process itself takes another 25 ms, for which only `leave` waits.

        Raises:
            RunError: it was lost before it could say that.

        """
        await self._desk.until(lambda: self.last is not None or self._is_gone)
        self._is_ended = True
        if self.last is None and self._is_told:
            raise RunError(f"{self._desk.path}: a process of it was lost while its steps finished")

    async def leave(self) -> None:
        """End it, by force if it does not end by itself."""
        self._is_ended = True
        if self._writing and not self._writing.is_closing():
            self._writing.abort()
        if self._reading:
            self._reading.close()
        if self._process is None:
            return
        for _ in range(int(GRACE / _POLL)):
            if self._process.poll() is not None:
                break
            await asyncio.sleep(_POLL)
        else:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._state.processes.discard(self._process.pid)

    def _say(self, head: tuple[Any, ...], parts: list[bytes] | None = None) -> None:
        if self._writing is not None and not self._writing.is_closing():  # Else it is gone, as the end of its answers tells.
            self._writing.writelines(pieces(head, parts or []))

    def _hear(self, frame: Frame | None) -> None:
        if frame is None:
            self._end_of_answers()
            return
        kind, *words = frame.head
        getattr(self, f"_{kind}")(frame.parts, *words)
        self._desk.ring()

    def _ready(self, _parts: list[memoryview]) -> None:
        self._is_ready = True

    def _done(self, parts: list[memoryview], number: int, seconds: float, account: tuple[Any, ...]) -> None:
        batch = self._batches.pop(number)
        batch.gave_packed, batch.account = parts, Account(*account)
        self._desk.settle(batch, seconds)

    def _refused(self, _parts: list[memoryview], number: int, reason: str) -> None:
        _LOG.debug("%s: done again here, because %s", self._desk.path, reason)
        self._desk.do_here(self._batches.pop(number))

    def _failed(self, _parts: list[memoryview], number: int | None, fault: tuple[Any, ...], account: tuple[Any, ...]) -> None:
        error = error_of(Fault(*fault), self._state)
        self._is_ended = True
        batch = self._batches.pop(number) if number else None
        if batch is None:
            self._desk.fail(error)
            return
        batch.error, batch.account = error, Account(*account)
        self._desk.settle(batch, 0.0)

    def _ended(self, parts: list[memoryview], account: tuple[Any, ...]) -> None:
        self.last = (Account(*account), parts)

    def _end_of_answers(self) -> None:
        """See to what a process left that has gone."""
        self._is_ready, self._is_gone = False, True
        if not self._is_ended and not self._is_told:
            _LOG.warning("%s: a process of it is gone; its work is done again here, without it", self._desk.path)
        for batch in self._batches.values():
            self._desk.do_here(batch)
        self._batches.clear()
        self._desk.ring()


def _widen(descriptor: int) -> None:
    import contextlib
    import fcntl

    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE)


def _give_back() -> None:
    """Have this process give back large pieces, too: it holds what it sends to others."""
    import ctypes  # 4 ms, which only those need who share their work

    with contextlib.suppress(OSError, AttributeError):  # On other systems there is no such thing.
        for option, value in _MALLOPT.items():
            ctypes.CDLL(None).mallopt(option, value)
