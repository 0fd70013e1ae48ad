"""Commands that are recorded, and recordings that run as commands: each is what a CommandRunner starts.

await CommandRunner(launch=Recorder("build.cast.gz")).run("make")
await CommandRunner(launch=Replay("build.cast.gz", speed=10)).run("make")
"""

from __future__ import annotations

import logging
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .child import launch
from .play import Exited, Played, Tempo
from .recording import header_of
from .recording_reader import Recording
from .recording_writer import RecordingWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .child import Process
    from .config import ExecutionContext, StreamSource
    from .outlets import Readable
    from .play import Written

_LOG: Final = logging.getLogger("transmissions.streaming")


class Recorder:
    """Starts commands as `launch` does, and records what they write; `.gz` and `.zst` are compressed.

    A recording that is there is replaced, or continued with `append`. Where it can no longer be written, that is logged at
    once, the command goes on, and its run fails with OutputError at its end.
    """

    def __init__(
        self,
        path: str | Path,
        launch: Callable[[Sequence[str], ExecutionContext], Process] = launch,
        *,
        append: bool = False,
    ) -> None:
        self._path = Path(path)
        self._launch = launch
        self._append = append

    def __call__(self, command: Sequence[str], context: ExecutionContext) -> Process:
        """Start a command."""
        writer = RecordingWriter(self._path, header_of(command, context), shlex.join(command), append=self._append)
        try:
            process = self._launch(command, context)
        except BaseException:
            writer.finish(0.0, None)
            raise
        return _Recorded(process, writer)


class _Recorded:
    """A command at work, and what it writes on its way to a file."""

    def __init__(self, process: Process, writer: RecordingWriter) -> None:
        self.stdin = process.stdin
        self._process = process
        self._writer = writer
        self._began = time.monotonic()
        self._returncode: int | None = None
        self._is_broken_off = False
        self.outlets: Sequence[Readable] = [_Tee(outlet, self._write) for outlet in process.outlets]

    def close_input(self) -> None:
        """Let it read an end."""
        self._process.close_input()
        self.stdin = None

    async def exited(self) -> int:
        """Wait for the end."""
        self._returncode = await self._process.exited()
        return self._returncode

    async def end(self, grace: float) -> None:
        """End it."""
        self._is_broken_off = True
        await self._process.end(grace)
        await self.exited()

    def forget(self) -> None:
        """Let go of it, and write the end of the recording.

        Raises:
            OutputError: the recording is not whole; a run that was broken off has said so, and that counts more.

        """
        self._process.forget()
        self._writer.finish(time.monotonic() - self._began, self._returncode)
        if self._writer.failure and not self._is_broken_off:
            raise self._writer.failure

    def _write(self, source: StreamSource, data: bytes) -> None:
        self._writer.add(time.monotonic() - self._began, source, data)


class _Tee:
    """An outlet whose pieces somebody else gets, too."""

    def __init__(self, outlet: Readable, take: Callable[[StreamSource, bytes], None]) -> None:
        self.descriptor = outlet.descriptor
        self._outlet = outlet
        self._take = take

    def read(self, size: int) -> tuple[StreamSource, bytes]:
        source, data = self._outlet.read(size)
        if data:
            self._take(source, data)
        return source, data

    def close(self) -> None:
        self._outlet.close()


class Replay:
    """Plays a recording as if its command ran; what was asked for is not started, and gets no input.

    `speed` 10 is ten times as fast, `math.inf` as fast as it is read; a pause takes `idle_limit` seconds at most. A broken
    recording plays as far as it is whole, then its command ends as if killed; `fault` says where, and so does the log.

    Raises:
        UsageError: a figure makes no sense.
        CommandError: in a run: the recording cannot be read, or is none.

    """

    def __init__(self, path: str | Path, *, speed: float = 1.0, idle_limit: float | None = None) -> None:
        self.fault = ""
        """Where the recording that was played last breaks off."""
        self._path = Path(path)
        self._tempo = Tempo(speed, idle_limit).checked()

    def __call__(self, command: Sequence[str], context: ExecutionContext) -> Played:  # noqa: ARG002 - a runner's argument
        """Start to play."""
        self.fault = ""
        return Played(self._events(Recording(self._path)), context, self._tempo)

    def _events(self, recording: Recording) -> Iterator[Written | Exited]:
        with recording:
            yield from recording.events()
        self.fault = recording.fault
        if self.fault:
            _LOG.warning("%s", self.fault)
