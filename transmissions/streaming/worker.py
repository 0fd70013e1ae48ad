"""Takes a processor's lines from its lane to it: at its own pace, and with its failures kept to itself."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .config import StreamSource
    from .lane import Lane
    from .lines import Lines
    from .processor import StreamProcessor

_LOG: Final = logging.getLogger("transmissions.streaming")
_LONG: Final = 0.01
"""Seconds that a plain method may hold the event loop before it is given a thread."""
_MOST: Final = 64
"""Lines that an asynchronous method has in hand; they cannot be dropped any more."""


class Worker:
    """One processor at work on one run."""

    def __init__(self, processor: StreamProcessor, lane: Lane, limit: int | None) -> None:
        self.processor = processor
        self.lane = lane
        self.failures = 0
        """How often it failed."""
        self.failure: BaseException | None = None
        """What it failed with first."""
        self.handled = 0
        self._batch: Callable[[Lines], Any] | None = getattr(processor, "process_batch", None)
        self._waits = inspect.iscoroutinefunction(self._batch or processor.process_line)
        self._most = max(1, min(_MOST, (limit or _MOST) // 8)) if self._waits and not self._batch else None
        self._in_thread = self._is_over = False

    async def work(self) -> None:
        """Hand on all lines, until no more come.

        Raises:
            BufferTimeout: the processor was detached, and the run is for it.

        """
        while batches := await self.lane.take(self._most):
            for lines in batches:
                if self.lane.detached is not None:
                    self.lane.dropped += lines.count
                else:
                    await self._hand_on(lines)
        if self.processor.is_vital and self.lane.detached is not None:
            raise self.lane.detached

    async def complete(self, exit_code: int | None) -> None:
        """Tell the processor that all is done; of its detachment, if that is what became of it."""
        if self.lane.detached is not None:
            await self.tell(self.lane.detached)
        else:
            await self._attempt(self.processor.on_complete, exit_code)

    async def tell(self, error: BaseException) -> None:
        """Tell the processor of an error."""
        await self._attempt(self.processor.on_error, error)

    def stop(self) -> None:
        """Hand on nothing more, from a thread either."""
        self._is_over = True

    async def _hand_on(self, lines: Lines) -> None:
        if self._batch is not None:
            await self._batch_on(lines)
        elif self._waits:
            await self._wait_for_each(lines)
        else:
            await self._call_for_each(lines)

    async def _batch_on(self, lines: Lines) -> None:
        assert self._batch is not None
        began = time.perf_counter()
        work = asyncio.to_thread(self._batch, lines) if self._in_thread else self._batch(lines)
        try:
            if inspect.isawaitable(work):
                await work
        except Exception as error:  # noqa: BLE001 - a reader's fault is its own
            await self._note(error)
        else:
            self.handled += lines.count
        self._in_thread = self._in_thread or (not self._waits and time.perf_counter() - began > _LONG)

    async def _wait_for_each(self, lines: Lines) -> None:
        process: Any = self.processor.process_line
        for text in lines.texts:
            try:
                await process(text, lines.source)
                self.handled += 1
            except Exception as error:  # noqa: BLE001 - a reader's fault is its own
                await self._note(error)

    async def _call_for_each(self, lines: Lines) -> None:
        done, step = 0, 1
        while done < lines.count and not self._is_over:
            part = lines.texts[done : done + step]
            began = time.perf_counter()
            work = partial(self._call, part, lines.source)
            errors, awaited = await asyncio.to_thread(work) if self._in_thread else work()
            for result in awaited:  # a plain function may return what an `async def` would
                await self._settle(result)
            for error in errors:
                await self._note(error)
            done += len(part)
            if time.perf_counter() - began > _LONG and not awaited:
                self._in_thread = True
            step = lines.count if self._in_thread else step * 2

    def _call(self, texts: list[str], source: StreamSource) -> tuple[list[Exception], list[Awaitable[Any]]]:
        process = self.processor.process_line
        errors: list[Exception] = []
        awaited: list[Awaitable[Any]] = []
        for text in texts:
            if self._is_over:
                break
            try:
                result = process(text, source)
                if result is not None and inspect.isawaitable(result):
                    awaited.append(result)
                self.handled += 1
            except Exception as error:  # noqa: BLE001 - a reader's fault is its own
                errors.append(error)
        return errors, awaited

    async def _settle(self, result: Awaitable[Any]) -> None:
        try:
            await result
        except Exception as error:  # noqa: BLE001 - a reader's fault is its own
            self.handled -= 1
            await self._note(error)

    async def _note(self, error: Exception) -> None:
        self.failures += 1
        if self.failure is None:
            self.failure = error
            _LOG.warning("%s failed: %s: %s", self.processor.name, type(error).__name__, error)
        await self.tell(error)

    async def _attempt(self, method: Callable[[Any], Any], argument: object) -> None:
        try:
            result = method(argument)
            if inspect.isawaitable(result):
                await result
        except Exception as error:  # noqa: BLE001 - a reader's fault is its own
            self.failures += 1
            self.failure = self.failure or error
            _LOG.warning("%s failed in %s: %s", self.processor.name, getattr(method, "__name__", "a callback"), error)
