"""Runs commands: as a whole or line by line, and ended with all they started if they must end.

The order of things. The command starts in a process group of its own. One pump reads both outputs in pieces; each piece is
kept (see `capture`) and, if somebody reads lines, cut into lines once and offered to the lane of every processor; each
processor takes from its lane at its own pace. When the command has exited and its outputs are at their end, lanes run empty
and every processor gets `on_complete`. A time-out covers all of that. Where a run ends otherwise - time-out, overflow,
cancellation - the group gets SIGTERM and, after `grace`, SIGKILL; what was read is kept, waiting lines are handed on for no
longer than `grace`, and every processor gets `on_error` in place of `on_complete`. No callback is begun after that.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from typing import TYPE_CHECKING, Any

from transmissions.errors import BufferOverflow, UsageError, describe

from .builtin import structured
from .capture import Capture
from .child import CommandError, CommandTimeout, launch
from .config import BufferConfig, ExecutionContext, StreamSource
from .delivery import Delivery
from .events import EventBus
from .lane import Lane
from .processor import as_processor
from .pump import Pump, write_input
from .result import ExecutionResult, ReaderReport
from .stream import CommandStream, Handover, pulled
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .child import Process
    from .events import Listener

    Launch = Callable[[Sequence[str], ExecutionContext], Process]


class CommandRunner:
    """Runs programs with their arguments as a list; `launch` may play back a recording instead, and listeners hear all events.

    result = await CommandRunner().run("git", ["status"], timeout=5)
    """

    def __init__(self, launch: Launch = launch, listeners: Iterable[Listener] = ()) -> None:
        self._launch = launch
        self._listeners = tuple(listeners)

    async def run(self, command: str, args: Sequence[str] = (), **options: Any) -> ExecutionResult:
        """Run a command; `options` are the fields of an ExecutionContext."""
        try:
            context = ExecutionContext(**options)
        except TypeError as error:
            known = ", ".join(one.name for one in dataclasses.fields(ExecutionContext))
            raise UsageError(f"{describe(error).rpartition(' ')[2]} is no option of a command; there are {known}") from error
        return await self.run_with_context(command, args, context)

    async def run_with_context(self, command: str, args: Sequence[str], context: ExecutionContext) -> ExecutionResult:
        """Run a command as a context says.

        Raises:
            CommandNotFound: there is no such program.
            CommandError: it could not be started, or its input not be read.
            CommandTimeout: it took too long; `.result` is what it had done.
            BufferOverflow: a processor's buffer was full and was to fail.

        """
        return await _Run((command, *args), context, self._launch, self._listeners).work()

    def stream(self, command: str, args: Sequence[str], context: ExecutionContext) -> CommandStream:
        """Return a command to enter, whose lines are then pulled; it fails as `run_with_context` does, where it is pulled."""
        handover = Handover()
        return CommandStream(self.run_with_context(command, args, pulled(context, handover)), handover)


class _Run:
    """One command at work."""

    def __init__(
        self, command: tuple[str, ...], context: ExecutionContext, launch: Launch, listeners: Iterable[Listener]
    ) -> None:
        config = context.streaming_config
        buffer = config.buffer_config if config else BufferConfig()
        self.bus = EventBus(listeners=listeners)
        given = [*structured(config), *map(as_processor, config.processors)] if config and config.is_streaming else []
        self._command = command
        self._context = context
        self._launch = launch
        self._workers = [Worker(one, Lane(one.name, buffer), buffer.max_lines) for one in given]
        self._captures = {source: Capture(context) for source in StreamSource}
        self._delivery = Delivery([worker.lane for worker in self._workers], context)
        self._size = buffer.line_buffer_size if self._workers else None
        self._began = time.monotonic()

    async def work(self) -> ExecutionResult:
        for worker in self._workers:
            worker.processor.attach(self.bus.publish)
        try:
            process = self._launch(self._command, self._context)
        except CommandError as error:
            await self._tell(error)
            raise
        self.bus.publish("started", {"command": list(self._command)})
        pump = Pump(process.outlets, self._take if self._workers else self._keep, self._size)
        self._delivery.pump = pump
        try:
            return await self._in_time(process, pump)
        finally:
            for worker in self._workers:
                worker.stop()
            pump.close()
            process.forget()

    async def _in_time(self, process: Process, pump: Pump) -> ExecutionResult:
        scope = asyncio.timeout(self._context.timeout)
        try:
            async with scope:
                code = await self._follow(process, pump)
        except TimeoutError as error:
            if not scope.expired():
                raise
            await self._break_off(process, pump)
            code = await process.exited()
            sentence = f"'{self._command[0]}' took longer than {self._context.timeout:g} s"
            await self._tell(failure := CommandTimeout(sentence, self._result(code, timed_out=True)))
            raise failure from error
        except BufferOverflow as error:
            await self._break_off(process, pump)
            await self._tell(error)
            raise
        except BaseException:
            for worker in self._workers:
                worker.stop()
            await asyncio.shield(process.end(self._context.grace))
            raise
        for worker in self._workers:
            await worker.complete(code if code >= 0 else None)
        return self._result(code)

    async def _follow(self, process: Process, pump: Pump) -> int:
        pump.resume()
        if not self._workers and process.stdin is None:
            code = await process.exited()
            await pump.drained(self._context.drain)
            return code
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._write(process))
                group.create_task(self._delivery.run())
                for worker in self._workers:
                    group.create_task(worker.work())
                code = await process.exited()
                await pump.drained(self._context.drain)
                writing.cancel()
                self._delivery.end()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return code

    async def _write(self, process: Process) -> None:
        data = self._context.stdin
        if process.stdin is not None and isinstance(data, str | bytes):
            await write_input(process.stdin, data.encode(self._context.encoding) if isinstance(data, str) else data)
            process.close_input()

    async def _break_off(self, process: Process, pump: Pump) -> None:
        """End the command, keep what it had written, and hand on what waits, for no longer than `grace`."""
        await process.end(self._context.grace)
        self._delivery.pump = None
        pump.resume()
        await pump.drained(self._context.drain)
        self._delivery.end()
        with contextlib.suppress(TimeoutError, BufferOverflow, BaseExceptionGroup):
            async with asyncio.timeout(self._context.grace), asyncio.TaskGroup() as group:
                group.create_task(self._delivery.run())
                for worker in self._workers:
                    group.create_task(worker.work())

    def _keep(self, source: StreamSource, data: bytes) -> None:
        self._captures[source].add(data)

    def _take(self, source: StreamSource, data: bytes) -> None:
        self._captures[source].add(data)
        self._delivery.take(source, data)

    async def _tell(self, error: BaseException) -> None:
        self.bus.publish("failed", {"error": describe(error)})
        for worker in self._workers:
            await worker.tell(error)

    def _result(self, code: int, *, timed_out: bool = False) -> ExecutionResult:
        stdout, stderr = self._captures[StreamSource.STDOUT], self._captures[StreamSource.STDERR]
        self.bus.publish("completed", {"returncode": code, "timed_out": timed_out})
        return ExecutionResult(
            stdout_bytes=stdout.bytes(),
            stderr_bytes=stderr.bytes(),
            returncode=code,
            timed_out=timed_out,
            duration=time.monotonic() - self._began,
            totals={source.value: capture.total for source, capture in self._captures.items()},
            readers=tuple(map(_report, self._workers)),
            events=self.bus.events,
            encoding=self._context.encoding,
            errors=self._context.errors,
        )


def _report(worker: Worker) -> ReaderReport:
    lane = worker.lane
    error = lane.detached or worker.failure
    return ReaderReport(
        name=lane.name,
        offered=lane.offered,
        handled=worker.handled,
        dropped=lane.dropped,
        failed=worker.failures,
        error=describe(error) if error else "",
    )
