"""Files that may keep whoever reads them waiting, as pipes and terminals do: how waiting is allowed, and how it is given up."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path


class MayWait(BaseException):
    """A file that may keep its reader waiting was to be opened where nobody may wait.

    No `Exception`: it is for the engine, which begins again in a thread.
    """


class GivenUp(BaseException):
    """Waiting was given up. No `Exception`: a processor has nothing to mend here."""


class Patience:
    """Waits for input in one thread until another gives it up."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self.has_ended = False
        """Whether somebody who wanted more was sent away: all that is raised after that comes of it."""

    def wait(self, descriptor: int) -> None:
        """Wait until there is something to read, or nobody is left who could write it.

        Raises:
            GivenUp: waiting was given up; nothing was read.

        """
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._reader, select.POLLIN)
        if any(ready == self._reader for ready, _ in poll.poll()):
            self.has_ended = True
            raise GivenUp

    def give_up(self) -> None:
        """Have nothing more read."""
        os.write(self._writer, b"\0")

    def close(self) -> None:
        """Let go of the descriptors."""
        os.close(self._reader)
        os.close(self._writer)


NO_PATIENCE: Final = object()
"""In place of patience where waiting would keep others waiting, who can have the work done in a thread."""
PATIENCE: Final[ContextVar[Any]] = ContextVar("patience", default=None)
"""Who waits for what is read here: a Patience, NO_PATIENCE, or None where reading just blocks."""


def open_input(path: Path) -> io.BufferedReader:
    """Open a file to read its bytes; see `Context.open_input`."""
    patience = PATIENCE.get()
    if patience is None or stat.S_ISREG(path.stat().st_mode):
        return path.open("rb")
    if patience is NO_PATIENCE:
        raise MayWait
    # Opening a FIFO waits for somebody who writes; like this, the first read does.
    return _Patient(_Waiting(path, os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), patience))


class _Waiting(io.RawIOBase):
    """A file that is read with patience."""

    def __init__(self, path: Path, descriptor: int, patience: Patience) -> None:
        self.name = str(path)
        self._descriptor = descriptor
        self._patience = patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            self._patience.wait(self._descriptor)
            with contextlib.suppress(BlockingIOError):  # Somebody else has read it.
                return os.readv(self._descriptor, [buffer])

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class _Patient(io.BufferedReader):
    """Gives what is there rather than wait for as much as was asked for; only all there is has to be waited for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size) if size is None or size < 0 else self.read1(size)
