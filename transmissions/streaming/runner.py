"""Runs commands: as a whole or line by line, and ended with all they started if they must end.

The order of things. The command starts in a process group of its own. One pump reads both outputs in pieces; each piece is
kept (see `capture`) and, if somebody reads lines, cut into lines once and offered to the lane of every processor; each
processor takes from its lane at its own pace. When the command has exited and its outputs are at their end, lanes run empty
and every processor gets `on_complete`. A time-out covers all of that. Where a run ends otherwise - time-out, overflow,
cancellation - the group gets SIGTERM and, after `grace`, SIGKILL; what was read is kept, waiting lines are handed on for no
longer than `grace`, and every processor gets `on_error` in place of `on_complete`. No callback is begun after that. Who
cancels a run again while it ends so ends the group at once.

The lines of every processor add up, however a run ends: what was neither handled nor failed was dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from transmissions.errors import BufferOverflow, UsageError, describe
from transmissions.near import suggestion

from .builtin import structured
from .capture import Capture
from .child import CommandOverflow, CommandTimeout, launch
from .config import BufferConfig, ExecutionContext, StreamSource
from .delivery import Delivery
from .events import EventBus
from .outlets import hint
from .processor import as_processor
from .pump import Pump, write_input
from .result import ExecutionResult
from .stream import CommandStream, Handover, pulled
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .child import Process
    from .events import Listener

    Launch = Callable[[Sequence[str], ExecutionContext], Process]
    Task = asyncio.Task[Any]


_REST: Final = 0.001
"""Seconds between two looks at a busy command whose lines nobody reads."""


class CommandRunner:
    """Runs programs with their arguments as a list; `launch` may play back a recording instead, and listeners hear all events.

    result = await CommandRunner().run("git", ["status"], timeout=5)
    """

    def __init__(self, launch: Launch = launch, listeners: Iterable[Listener] = ()) -> None:
        self._launch = launch
        self._listeners = tuple(listeners)

    async def run(self, command: str, args: Sequence[str] = (), **options: Any) -> ExecutionResult:
        """Run a command; `options` are the fields of an ExecutionContext."""
        known = [one.name for one in dataclasses.fields(ExecutionContext)]
        strange = next((name for name in options if name not in known), None)
        if strange is not None:
            raise UsageError(f"'{strange}' is no option of a command{suggestion(strange, known)}")
        context = ExecutionContext(**options)
        return await self.run_with_context(command, args, context)

    async def run_with_context(self, command: str, args: Sequence[str], context: ExecutionContext) -> ExecutionResult:
        """Run a command as a context says.

        Raises:
            CommandNotFound: there is no such program.
            CommandError: it could not be started, or its input not be read.
            CommandTimeout: it took too long; `.result` is what it had done.
            CommandOverflow: a processor's buffer was full and was to fail; `.result` is what the command had done.

        """
        return await _Run((command, *args), context, self._launch, self._listeners).work()

    def stream(self, command: str, args: Sequence[str], context: ExecutionContext) -> CommandStream:
        """Return a command to enter, whose lines are then pulled; it fails as `run_with_context` does, where it is pulled."""
        handover = Handover()
        work = partial(self.run_with_context, command, args, pulled(context, handover))
        return CommandStream(work, handover)


class _Run:
    """One command at work."""

    def __init__(
        self, command: tuple[str, ...], context: ExecutionContext, launch: Launch, listeners: Iterable[Listener]
    ) -> None:
        config = context.streaming_config
        buffer = config.buffer_config if config else BufferConfig()
        self.bus = EventBus(listeners=listeners)
        given = [*structured(config), *map(as_processor, config.processors)] if config and config.is_streaming else []
        attached = [one.attach(self.bus.publish) or one for one in given]
        self._command = command
        self._context = context
        self._launch = launch
        self._workers = [Worker(one, buffer, self.bus.publish) for one in attached]
        self._captures = {source: Capture(context) for source in StreamSource}
        self._delivery = Delivery([worker.lane for worker in self._workers], context)
        self._reading: list[Task] = []
        """The delivery and the workers, and whatever else calls processors."""
        self._size = buffer.line_buffer_size if self._workers else None
        self._began = time.monotonic()

    async def work(self) -> ExecutionResult:
        with contextlib.ExitStack() as closing:
            closing.callback(self._stop)
            try:
                process = self._launch(self._command, self._context)
            except Exception as error:
                await self._tell(error)
                raise
            closing.callback(process.forget)
            self.bus.publish("started", {"command": list(self._command)})
            take, rest = (self._take, 0.0) if self._workers else (self._keep, _REST)
            pump = Pump(process.outlets, take, self._size, rest)
            closing.callback(pump.close)
            return await self._see_through(process, pump)

    async def _see_through(self, process: Process, pump: Pump) -> ExecutionResult:
        self._delivery.pump = pump
        writing = [asyncio.create_task(self._write(process))] if process.stdin is not None else []
        works = [self._delivery.run(), *(worker.work() for worker in self._workers)] if self._workers else []
        self._reading = [asyncio.create_task(work) for work in works]
        course = asyncio.create_task(self._course(process, pump, writing))
        tasks = [*writing, *self._reading, course]
        try:
            done, _ = await asyncio.wait(tasks, timeout=self._context.timeout, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError as error:
            await self._break_off(process, pump, [*writing, course])
            await self._tell(error)
            raise
        failure = next((fault for task in done if not task.cancelled() and (fault := task.exception())), None)
        if failure is None and course.done():
            return self._result(course.result())
        await self._break_off(process, pump, [*writing, course])
        return await self._failed(await process.exited(), failure)

    async def _course(self, process: Process, pump: Pump, writing: list[Task]) -> int:
        """Follow the command to its end, and the processors to theirs."""
        pump.resume()
        code = await process.exited()
        await pump.drained(self._context.drain)
        for task in writing:
            task.cancel()
        self._delivery.end()
        if self._reading:
            await asyncio.wait(self._reading)
            for task in self._reading:
                task.result()
            await asyncio.gather(*(worker.complete(code if code >= 0 else None) for worker in self._workers))
        self.bus.publish("completed", {"returncode": code})
        return code

    async def _write(self, process: Process) -> None:
        data = self._context.stdin
        if process.stdin is not None and isinstance(data, str | bytes):
            await write_input(process.stdin, self._context.input_bytes())
            process.close_input()

    async def _break_off(self, process: Process, pump: Pump, others: list[Task]) -> None:
        """End the command, keep what it had written, and hand on what waits, for no longer than `grace`."""
        await _cancelled(others, self._context.grace)
        await process.end(self._context.grace)
        self._delivery.pump = None
        pump.resume()
        pump.sweep()
        pump.close()
        self._delivery.end()
        if self._reading and self._reading[0].done():  # it failed at one lane; the others get their lines
            self._reading.append(asyncio.create_task(self._delivery.run()))
        if self._reading:
            await asyncio.wait(self._reading, timeout=self._context.grace)
        for worker in self._workers:
            worker.stop()
        await _cancelled(self._reading, self._context.grace)
        self._delivery.give_up()

    async def _failed(self, code: int, failure: BaseException | None) -> ExecutionResult:
        """Tell of the failure, or the time-out, and raise it."""
        result = self._result(code, timed_out=failure is None)
        if failure is None:
            failure = CommandTimeout(f"'{self._command[0]}' took longer than {self._context.timeout:g} s", result)
        elif isinstance(failure, BufferOverflow):
            failure = CommandOverflow(describe(failure), result)
        await self._tell(failure)
        raise failure

    async def _tell(self, error: BaseException) -> None:
        """Tell every processor of the end of the run, for no longer than `grace`."""
        self.bus.publish("failed", {"error": describe(error)})
        if self._workers:
            self._reading = [asyncio.create_task(worker.fail(error)) for worker in self._workers]
            await asyncio.wait(self._reading, timeout=self._context.grace)
            await _cancelled(self._reading, 0)

    def _stop(self) -> None:
        self.bus.close()
        for task in self._reading:
            task.cancel()
        for worker in self._workers:
            worker.close()

    def _keep(self, source: StreamSource, data: bytes) -> None:
        self._captures[source].add(data)

    def _take(self, source: StreamSource, data: bytes) -> None:
        self._captures[source].add(data)
        self._delivery.take(source, data)

    def _result(self, code: int, *, timed_out: bool = False) -> ExecutionResult:
        stdout, stderr = self._captures[StreamSource.STDOUT], self._captures[StreamSource.STDERR]
        return ExecutionResult(
            stdout_bytes=stdout.bytes(),
            stderr_bytes=stderr.bytes(),
            returncode=code,
            timed_out=timed_out,
            duration=time.monotonic() - self._began,
            totals={source.value: capture.total for source, capture in self._captures.items()},
            readers=tuple(worker.report() for worker in self._workers),
            events=self.bus.events,
            metadata=hint(code, stdout.bytes() + stderr.bytes()) if self._context.order == "exact" else {},
            encoding=self._context.encoding,
            errors=self._context.errors,
        )


async def _cancelled(tasks: list[Task], patience: float) -> None:
    """Cancel tasks, and wait for their ends; one that does not heed it is left behind."""
    for task in tasks:
        task.cancel()
    if tasks:
        done, _ = await asyncio.wait(tasks, timeout=patience)
        for task in done:
            if not task.cancelled():
                task.exception()
