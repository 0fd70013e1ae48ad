"""A command's process: started in a group of its own, waited for, and ended with all it started."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from transmissions.errors import BufferOverflow, RunError, RunTimeout

from .config import INHERIT
from .groups import is_alive, signal_group
from .guard import GUARD
from .outlets import open_outlets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .config import ExecutionContext
    from .outlets import Readable
    from .result import ExecutionResult

_LOG: Final = logging.getLogger("transmissions.streaming")
_LOOK: Final = 0.02
"""Seconds between looks at whether a group is empty."""
_UNKNOWN: Final = 255


class CommandError(RunError):
    """A command could not be started, or its input not be read."""


class CommandNotFound(CommandError):
    """There is no such program."""


class CommandTimeout(RunTimeout):
    """A command took longer than it was allowed to. `result` is what it had done by then."""

    def __init__(self, sentence: str, result: ExecutionResult) -> None:
        super().__init__(sentence)
        self.result = result


class CommandOverflow(BufferOverflow):
    """A processor's buffer was full and was to fail. `result` is what the command had done by then."""

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
        """Let go of what it holds; end it at once if it is not gone, nor what it started if it was to end."""
        ...


class Child:
    """A process of this machine.

    It is buried last of all, in `forget`: until then its number is nobody else's, and so is its group's.
    """

    def __init__(self, process: subprocess.Popen[bytes], outlets: Sequence[Readable], stdin: int | None) -> None:
        self.outlets = outlets
        self.stdin = stdin
        self._process = process
        self._code: int | None = None
        self._is_ending = False

    async def exited(self) -> int:
        """Wait for the end; where the system cannot tell of it, by looking again and again."""
        code = self._look()
        if code is None:
            with contextlib.suppress(AttributeError, OSError):  # another system, an old Linux, too many files open
                await _readable(os.pidfd_open(self._process.pid))
        while (code := self._look()) is None:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(_LOOK)
        return code

    async def end(self, grace: float) -> None:
        """Ask the group to end, and after `grace` seconds do not ask."""
        self._is_ending = True
        signal_group(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.exited()
                while is_alive(self._process.pid):  # noqa: ASYNC110 - nothing tells when a group becomes empty
                    await asyncio.sleep(_LOOK)
        signal_group(self._process.pid, signal.SIGKILL)
        await self.exited()
        self._is_ending = False

    def forget(self) -> None:
        """Bury it, and tell the guard that nothing is left to end; who could not wait for the end ends it here."""
        if self._is_ending or self._look() is None:
            signal_group(self._process.pid, signal.SIGKILL)
        GUARD.forget(self._process.pid)
        self._process.wait()
        self.close_input()

    def _look(self) -> int | None:
        """Return the exit code, if it has one, and leave it where it is."""
        if self._code is not None:
            return self._code
        try:
            found = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            self._code = _UNKNOWN
            _LOG.warning("something else in this process waits for its children: the exit code of a command is lost")
        else:
            self._code = found and (found.si_status if found.si_code == os.CLD_EXITED else -found.si_status)
        return self._code

    def close_input(self) -> None:
        """Let the command read an end."""
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None


def launch(command: Sequence[str], context: ExecutionContext) -> Child:
    """Start a program with its arguments, as a list and never through a shell.

    Raises:
        CommandNotFound: there is no such program.
        CommandError: it cannot be run, the folder is not there, or the file for its input cannot be read.

    """
    with contextlib.ExitStack() as closing:
        try:
            outlets = open_outlets(context)
        except OSError as error:
            raise CommandError(f"'{command[0]}' cannot be run: {(error.strerror or str(error)).lower()}") from error
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
    own: Mapping[str, str] = {} if context.clear_env else os.environ
    environment = {**own, **context.env_vars} if context.clear_env or context.env_vars else None
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
    except (OSError, ValueError, TypeError) as error:
        raise _why_not(command, folder, error) from error


def _why_not(command: Sequence[str], folder: Path | str | None, error: Exception) -> CommandError:
    name = command[0] if command else ""
    if not name:
        return CommandError("there is no command to run: its list of words is empty")
    if not isinstance(error, OSError):
        return CommandError(f"'{name}' cannot be run: {error}")
    if folder is not None and not Path(folder).is_dir():
        return CommandError(f"'{name}' cannot be run in '{folder}': there is no such folder")
    if isinstance(error, FileNotFoundError) and os.sep in name and Path(folder or ".", name).exists():
        return CommandError(f"'{name}' cannot be run: the program named in its first line is not there")
    if isinstance(error, FileNotFoundError):
        return CommandNotFound(f"there is no program '{name}'" + ("" if os.sep in name else " on PATH"))
    return CommandError(f"'{name}' cannot be run: {(error.strerror or str(error)).lower()}")


async def _readable(descriptor: int) -> None:
    """Wait until a descriptor is readable, and close it."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
