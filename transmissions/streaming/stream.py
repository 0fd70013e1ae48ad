"""A command whose lines are pulled by one reader, as `async for` does it."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Self

from .config import BufferConfig, OverflowStrategy, StreamingConfig, StreamingMode
from .processor import BatchProcessor

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .config import ExecutionContext
    from .lines import Lines
    from .result import ExecutionResult


class Handover(BatchProcessor):
    """Holds lines out until they are taken; its lane is the buffer."""

    is_vital = True

    def __init__(self) -> None:
        self._offered: asyncio.Queue[Lines] = asyncio.Queue(1)
        self._left = asyncio.Event()

    @property
    def name(self) -> str:
        """What reads."""
        return "the reader"

    async def process_batch(self, lines: Lines) -> None:
        """Wait until the lines are taken."""
        if not self._left.is_set():
            await self._offered.put(lines)
            await self._offered.join()

    async def take(self) -> Lines:
        """Wait for lines, and take them."""
        lines = await self._offered.get()
        self._offered.task_done()
        return lines

    def leave(self) -> None:
        """Take no more."""
        self._left.set()
        while not self._offered.empty():
            self._offered.get_nowait()
            self._offered.task_done()


class CommandStream:
    """A running command: `async with runner.stream(…) as lines: async for batch in lines: …; lines.result`.

    What is not read in time is dealt with as the buffer's strategy says. Leaving the block before the end ends the command.
    Errors of the run are raised where lines are taken.
    """

    def __init__(self, work: Callable[[], Coroutine[None, None, ExecutionResult]], handover: Handover) -> None:
        self._work = work
        self._handover = handover
        self._task: asyncio.Task[ExecutionResult] | None = None
        self._taking: asyncio.Task[Lines] | None = None

    @property
    def result(self) -> ExecutionResult:
        """What became of the command; to be asked for when no more lines come."""
        assert self._task is not None
        return self._task.result()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._handover.leave()
        for task in filter(None, (self._task, self._taking)):
            task.cancel()
        try:
            await asyncio.wait({self._task})
        except asyncio.CancelledError:
            self._task.cancel()  # at once, then
            raise
        if not self._task.cancelled():
            self._task.exception()  # it was raised where lines were taken, or nobody is left who asks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Lines:
        assert self._task is not None
        # One that is given up, by a time limit perhaps, is gone on with: nothing is lost.
        self._taking = self._taking or asyncio.create_task(self._handover.take())
        await asyncio.wait({self._taking, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if self._taking.done():
            taken, self._taking = self._taking, None
            return taken.result()
        self._task.result()
        raise StopAsyncIteration


def pulled(context: ExecutionContext, handover: Handover) -> ExecutionContext:
    """Return a context in which lines are handed out, to readers it has already too; what says nothing of it drops none."""
    patient = BufferConfig(overflow_strategy=OverflowStrategy.BLOCK, block_timeout=None)
    config = context.streaming_config or StreamingConfig(buffer_config=patient)
    mode = StreamingMode.STREAMING if config.mode is StreamingMode.BATCH else config.mode
    config = dataclasses.replace(config, enabled=True, mode=mode, processors=(*config.processors, handover))
    return dataclasses.replace(context, streaming_config=config)
