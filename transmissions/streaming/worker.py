"""Takes a processor's lines from its lane to it: at its own pace, and with its failures kept to itself."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from transmissions.errors import describe
from transmissions.supervisor import FAULTS, INTERRUPTS, is_cancelled

from .lane import Lane
from .pace import Pace
from .result import ReaderReport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from .config import BufferConfig
    from .lines import Lines
    from .processor import StreamProcessor

_LOG: Final = logging.getLogger("transmissions.streaming")
_LONG: Final = 0.01
"""Seconds that a plain method may hold the event loop before it is given a thread."""
_ASYNC_MOST, _PLAIN_MOST = 64, 512
"""Lines that a method has in hand; they cannot be dropped any more."""


class Worker:
    """One processor at work on one run."""

    def __init__(
        self, processor: StreamProcessor, buffer: BufferConfig, publish: Callable[[str, Mapping[str, Any]], None]
    ) -> None:
        self.lane = Lane(processor.name, processor.buffer or buffer, publish)
        self._processor = processor
        self._publish = publish
        self._handled = self._failed = 0
        self._failure: BaseException | None = None
        """What it failed with first."""
        self._batch: Callable[[Lines], Any] | None = getattr(processor, "process_batch", None)
        limit = (processor.buffer or buffer).max_lines or _PLAIN_MOST * 8
        self._async_most = max(1, min(_ASYNC_MOST, limit // 8))
        cap = processor.at_once if self._batch else max(1, min(_PLAIN_MOST, limit // 8))
        self._pace = Pace(processor.name, cap if self._batch else 1, cap)
        self._waits = inspect.iscoroutinefunction(self._batch or processor.process_line)
        self._is_told = self._is_over = False

    async def work(self) -> None:
        """Hand on all lines, until no more come.

        Raises:
            BufferTimeout: the processor was detached, and the run is for it.

        """
        begin = time.perf_counter()
        while (lines := await self.lane.take(self._pace.most)) is not None:
            await self._hand_on(lines)
            if time.perf_counter() - begin > _LONG:  # others want the loop, too
                await asyncio.sleep(0)
                begin = time.perf_counter()
        if self.lane.detached is not None:
            await self.fail(self.lane.detached)
            if self._processor.is_vital:
                raise self.lane.detached

    async def complete(self, exit_code: int | None) -> None:
        """Tell the processor that all is done, if nothing else was its end."""
        if not self._is_told:
            self._is_told = True
            await self._attempt(self._processor.on_complete, exit_code)

    async def fail(self, error: BaseException) -> None:
        """Tell the processor that an error is its end."""
        if not self._is_told:
            self._is_told = True
            await self._attempt(self._processor.on_error, error)

    def stop(self) -> None:
        """Hand on nothing more, from a thread either."""
        self._is_over = True

    def close(self) -> None:
        """Call nothing more."""
        self._is_over = True
        self._pace.close()

    def report(self) -> ReaderReport:
        """Say what became of its lines."""
        error = self.lane.detached or self._failure
        return ReaderReport(
            name=self.lane.name,
            offered=self.lane.offered,
            handled=self._handled,
            failed=self._failed,
            dropped=self.lane.offered - self._handled - self._failed,
            error=describe(error) if error else "",
        )

    async def _hand_on(self, lines: Lines) -> None:
        if self._batch is not None:
            await self._batch_on(lines)
        elif self._waits:
            await self._wait_for_each(lines)
        else:
            await self._call_for_each(lines)

    async def _batch_on(self, lines: Lines) -> None:
        error, result = await self._pace.call(partial(_caught, self._batch, lines), lines.count)
        if error is None and inspect.isawaitable(result):
            error = await _outcome(result)
        if error is None:
            self._handled += lines.count
        else:
            await self._note(error, lines.count)

    async def _wait_for_each(self, lines: Lines) -> None:
        process: Any = self._processor.process_line
        self._pace.most = self._async_most
        for text in lines.texts:
            try:
                result = process(text, lines.source)
                if result is not None:
                    await result
                self._handled += 1
            except FAULTS as error:
                _unless_cancelled(error)
                await self._note(error)

    async def _call_for_each(self, lines: Lines) -> None:
        done = 0
        while done < lines.count and not self._is_over:
            more, error, awaited = await self._pace.call(partial(self._call, lines, done), lines.count)
            if awaited is not None:  # a plain function may return what an `async def` would
                self._waits = True
                error = await _outcome(awaited)
                self._handled += error is None
            if error is not None:
                await self._note(error)
            done += more

    def _call(self, lines: Lines, begin: int) -> tuple[int, BaseException | None, Awaitable[Any] | None]:
        """Hand on lines one by one; return how many, and what the last of them needs done in the loop."""
        process, before = self._processor.process_line, self._handled
        try:
            for text in islice(lines.texts, begin, None):
                if self._is_over:
                    break
                result = process(text, lines.source)
                if result is not None and inspect.isawaitable(result):
                    return self._handled - before + 1, None, result
                self._handled += 1
        except INTERRUPTS:
            raise
        except FAULTS as error:
            return self._handled - before + 1, error, None
        return lines.count - begin, None, None

    async def _note(self, error: BaseException, lines: int = 1) -> None:
        self._failed += lines
        self._remember(error, "")
        await self._attempt(self._processor.on_error, error)

    async def _attempt(self, method: Callable[[Any], Any], argument: object) -> None:
        error, result = await self._pace.aside(partial(_caught, method, argument))
        if error is None and inspect.isawaitable(result):
            error = await _outcome(result)
        if error is not None:
            self._remember(error, f" in {getattr(method, '__name__', 'a callback')}()")

    def _remember(self, error: BaseException, where: str) -> None:
        if self._failure is None:
            self._failure = error
            _LOG.warning("%s failed%s: %s", self.lane.name, where, describe(error))
            self._publish("reader_failed", {"reader": self.lane.name, "error": describe(error)})


def _caught(method: Any, argument: object) -> tuple[BaseException | None, Any]:
    try:
        return None, method(argument)
    except INTERRUPTS:
        raise
    except FAULTS as error:
        return error, None


async def _outcome(work: Awaitable[Any]) -> BaseException | None:
    try:
        await work
    except FAULTS as error:
        _unless_cancelled(error)
        return error
    return None


def _unless_cancelled(error: BaseException) -> None:
    """Raise the cancellation of the run; one that a reader brought on itself is its own failure."""
    if is_cancelled(error):
        raise error
