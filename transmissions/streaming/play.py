r"""Commands that are only played: what they write, when, and how they end is known beforehand.

A recording is played so (see `recording_replay`), and so is a script in a test:

    launch = Script([(0.0, "stdout", "building\n"), (0.5, "stderr", "no rule\n")], returncode=2)
    result = await CommandRunner(launch=launch).run("make")
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, NamedTuple

from transmissions.errors import UsageError

from .config import StreamSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .config import ExecutionContext
    from .outlets import Readable


class Written(NamedTuple):
    """Bytes that a command writes."""

    at: float
    """Seconds since it started."""
    source: StreamSource
    data: bytes


class Exited(NamedTuple):
    """A command's end."""

    at: float
    returncode: int
    """As `subprocess` has it: negative for a signal."""


class Tempo(NamedTuple):
    """How fast to play."""

    speed: float = 1.0
    """Twice as fast is 2; `math.inf` is as fast as it is read."""
    idle_limit: float | None = None
    """Seconds that a pause may take at most, before `speed` shortens it."""

    def checked(self) -> Tempo:
        """Return it.

        Raises:
            UsageError: a figure makes no sense.

        """
        if not self.speed > 0:
            raise UsageError(f"speed must be above 0, not {self.speed}")
        if self.idle_limit is not None and not self.idle_limit >= 0:
            raise UsageError(f"idle_limit must not be negative: {self.idle_limit}")
        return self


class Played:
    """A process that is played; to a runner it is any other, and its one outlet keeps the order of both outputs.

    It takes no input. Whoever reads late gets what is due at once, and the end keeps its time. Where the events have no end,
    it ends as if killed.
    """

    def __init__(self, events: Iterator[Written | Exited], context: ExecutionContext, tempo: Tempo) -> None:
        self.outlets: Sequence[Readable] = [self]
        self.stdin: int | None = None
        self._events = events
        self._context = context
        self._tempo = tempo
        self._loop = asyncio.get_running_loop()
        self._at, self._due = 0.0, self._loop.time()
        self._returncode: int | None = None
        self._ended = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self.descriptor, self._bell = os.pipe()
        self._is_rung = self._is_closed = False
        self._next: Written | Exited = Exited(0.0, 0)
        self._advance()

    def read(self, size: int) -> tuple[StreamSource, bytes]:  # noqa: ARG002 - a pump's argument
        """Return what is written next, however long; no bytes at the end.

        Raises:
            BlockingIOError: it is not due yet.

        """
        event = self._next
        if self._loop.time() < self._due and self._returncode is None:
            self._wait()
            raise BlockingIOError
        if isinstance(event, Exited) or self._returncode is not None:
            self._finish(event.returncode if isinstance(event, Exited) else -signal.SIGKILL)
            return StreamSource.STDOUT, b""
        self._advance()
        return (StreamSource.STDOUT if self._context.order == "merged" else event.source), event.data

    def close(self) -> None:
        """Play no more."""
        if not self._is_closed:
            self._is_closed = True
            if self._timer:
                self._timer.cancel()
            os.close(self.descriptor)
            os.close(self._bell)

    def close_input(self) -> None:
        """Do nothing: there is no input."""

    async def exited(self) -> int:
        """Wait until all has been read, and return how it ended."""
        await self._ended.wait()
        assert self._returncode is not None
        return self._returncode

    async def end(self, grace: float) -> None:  # noqa: ARG002 - a runner's argument
        """End as a command does that is asked to."""
        self._finish(-signal.SIGTERM)
        self._ring()

    def forget(self) -> None:
        """Let go of the events."""
        self.close()
        closing = getattr(self._events, "close", None)
        if closing:
            closing()

    def _finish(self, returncode: int) -> None:
        if self._returncode is None:
            self._returncode = returncode
        self._ended.set()

    def _advance(self) -> None:
        self._next = next(filter(self._is_heard, self._events), Exited(self._at, -signal.SIGKILL))
        gap = max(0.0, self._next.at - self._at)
        self._at = self._next.at
        limit = self._tempo.idle_limit
        self._due += (gap if limit is None else min(gap, limit)) / self._tempo.speed
        if self._due > self._loop.time():
            self._wait()
        else:
            self._ring()

    def _is_heard(self, event: Written | Exited) -> bool:
        if isinstance(event, Exited):
            return True
        return bool(event.data) and not (self._context.suppress_stderr and event.source is StreamSource.STDERR)

    def _wait(self) -> None:
        if self._is_rung:
            os.read(self.descriptor, 1)
            self._is_rung = False
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        # The descriptor is readable exactly while there is something to read.
        if not self._is_rung and not self._is_closed:
            os.write(self._bell, b"!")
            self._is_rung = True


class Script:
    """A `launch` for tests: plays events `(seconds since the one before, source, text or bytes)`, then ends with a code.

    `calls` lists what it was asked to run.
    """

    def __init__(self, events: Iterable[tuple[float, str, str | bytes]] = (), returncode: int = 0, speed: float = 1.0) -> None:
        self.calls: list[tuple[Sequence[str], ExecutionContext]] = []
        self._events = list(events)
        self._returncode = returncode
        self._tempo = Tempo(speed).checked()

    def __call__(self, command: Sequence[str], context: ExecutionContext) -> Played:
        """Start to play."""
        self.calls.append((command, context))
        return Played(self._timed(), context, self._tempo)

    def _timed(self) -> Iterator[Written | Exited]:
        at = 0.0
        for delay, source, data in self._events:
            at += delay
            yield Written(at, StreamSource(source), data.encode() if isinstance(data, str) else data)
        yield Exited(at, self._returncode)
