"""A command's process: started in a group of its own, waited for, and ended with all it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from transmissions.errors import RunError, RunTimeout

from .config import INHERIT
from .guard import GUARD
from .outlets import open_outlets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .config import ExecutionContext
    from .outlets import Readable
    from .result import ExecutionResult

_LOOK: Final = 0.02
"""Seconds between looks at whether a group is empty."""


class CommandError(RunError):
    """A command could not be started, or its input not be read."""


class CommandNotFound(CommandError):
    """There is no such program."""


class CommandTimeout(RunTimeout):
    """A command took longer than it was allowed to. `result` is what it had done by then."""

    def __init__(self, sentence: str, result: ExecutionResult) -> None:
        super().__init__(sentence)
        self.result = result


class Process(Protocol):
    """What a runner needs of a running command; a recording that is played back is one, too."""

    outlets: Sequence[Readable]
    stdin: int | None
    """A descriptor to write to; None if there is nothing to write, or all was written."""

    def close_input(self) -> None:
        """Let it read an end."""
        ...

    async def exited(self) -> int:
        """Wait for the end and return the exit code, or the negative number of the signal."""
        ...

    async def end(self, grace: float) -> None:
        """End it and whatever it started; return when it is gone."""
        ...

    def forget(self) -> None:
        """Let go of what it holds, once it is gone."""
        ...


class Child:
    """A process of this machine."""

    def __init__(self, process: subprocess.Popen[bytes], outlets: Sequence[Readable], stdin: int | None) -> None:
        self.outlets = outlets
        self.stdin = stdin
        self._process = process

    async def exited(self) -> int:
        """Wait for the end, without a thread where the system can tell of it."""
        code = self._process.poll()
        if code is not None:
            return code
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):  # another system, or an old Linux
            return await asyncio.to_thread(self._process.wait)
        try:
            await _readable(descriptor)
        finally:
            os.close(descriptor)
        return self._process.wait()

    async def end(self, grace: float) -> None:
        """Ask the group to end, and after `grace` seconds do not ask."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.exited()
                while self._is_alive():  # noqa: ASYNC110 - nothing tells when a group becomes empty
                    await asyncio.sleep(_LOOK)
        self._signal(signal.SIGKILL)
        await self.exited()

    def forget(self) -> None:
        """Tell the guard that nothing is left to end."""
        GUARD.forget(self._process.pid)
        self.close_input()

    def close_input(self) -> None:
        """Let the command read an end."""
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def _is_alive(self) -> bool:
        """Whether anything of the group is at work: in a container nobody may bury its dead, and the dead can be signalled."""
        return self._signal(0) and any(state != "Z" for state in _states(self._process.pid))

    def _signal(self, number: int) -> bool:
        # The group keeps its number as long as anything in it lives, so it is never somebody else's.
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def launch(command: Sequence[str], context: ExecutionContext) -> Child:
    """Start a program with its arguments, as a list and never through a shell.

    Raises:
        CommandNotFound: there is no such program.
        CommandError: it cannot be run, the folder is not there, or the file for its input cannot be read.

    """
    with contextlib.ExitStack() as closing:
        outlets = open_outlets(context)
        for descriptor in outlets.theirs:
            closing.callback(os.close, descriptor)
        try:
            stdin = _stdin_of(context, closing)
            process = _start(command, context, stdin, (outlets.stdout, outlets.stderr))
        except BaseException:
            for outlet in outlets.ours:
                outlet.close()
            raise
    GUARD.watch(process.pid)
    writing = os.dup(process.stdin.fileno()) if process.stdin else None
    if process.stdin:
        process.stdin.close()
    return Child(process, outlets.ours, writing)


def _stdin_of(context: ExecutionContext, closing: contextlib.ExitStack) -> Any:
    if context.stdin is None:
        return subprocess.DEVNULL
    if context.stdin == INHERIT:
        return None
    if not isinstance(context.stdin, Path):
        return subprocess.PIPE
    try:
        return closing.enter_context(context.stdin.open("rb"))
    except OSError as error:
        raise CommandError(
            f"cannot read '{context.stdin}' for the command's input: {(error.strerror or '').lower()}"
        ) from error


def _start(command: Sequence[str], context: ExecutionContext, stdin: Any, outputs: tuple[int, int]) -> subprocess.Popen[bytes]:
    environment = dict(context.env_vars) if context.clear_env else {**os.environ, **context.env_vars}
    folder = context.working_directory
    try:
        return subprocess.Popen(
            list(command),
            stdin=stdin,
            stdout=outputs[0],
            stderr=outputs[1],
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _why_not(command, folder, error) from error


def _why_not(command: Sequence[str], folder: Path | str | None, error: OSError | ValueError) -> CommandError:
    name = command[0] if command else ""
    if not name:
        return CommandError("there is no command to run: its list of words is empty")
    if not isinstance(error, OSError):
        return CommandError(f"'{name}' cannot be run: {error}")
    if folder is not None and not Path(folder).is_dir():
        return CommandError(f"'{name}' cannot be run in '{folder}': there is no such folder")
    if isinstance(error, FileNotFoundError):
        return CommandNotFound(f"there is no program '{name}'" + ("" if os.sep in name else " on PATH"))
    return CommandError(f"'{name}' cannot be run: {(error.strerror or str(error)).lower()}")


def _states(group: int) -> Iterator[str]:
    """Yield the state of each process of a group, as Linux shows it; `?` where nothing is shown."""
    files = list(Path("/proc").glob("[0-9]*/stat"))
    if not files:
        yield "?"
    for file in files:
        with contextlib.suppress(OSError):
            state, _, its_group = file.read_text("latin-1").rpartition(")")[2].split()[:3]
            if int(its_group) == group:
                yield state


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
