"""A command whose lines are pulled by one reader, as `async for` does it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING, Self

from .config import StreamingConfig, StreamingMode
from .processor import BatchProcessor

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .config import ExecutionContext
    from .lines import Lines
    from .result import ExecutionResult


class Handover(BatchProcessor):
    """Holds lines out until they are taken; its lane is the buffer."""

    is_vital = True

    def __init__(self) -> None:
        self._offered: asyncio.Queue[Lines] = asyncio.Queue(1)

    @property
    def name(self) -> str:
        """What reads."""
        return "the reader"

    async def process_batch(self, lines: Lines) -> None:
        """Wait until the lines are taken."""
        await self._offered.put(lines)
        await self._offered.join()

    async def take(self) -> Lines:
        """Wait for lines, and take them."""
        lines = await self._offered.get()
        self._offered.task_done()
        return lines


class CommandStream:
    """A running command: `async with runner.stream(…) as lines: async for batch in lines: …; lines.result`.

    What is not read in time is dealt with as the buffer's strategy says. Leaving the block before the end ends the command.
    Errors of the run are raised where lines are taken.
    """

    def __init__(self, work: Coroutine[None, None, ExecutionResult], handover: Handover) -> None:
        self._work = work
        self._handover = handover
        self._task: asyncio.Task[ExecutionResult] | None = None

    @property
    def result(self) -> ExecutionResult:
        """What became of the command; to be asked for when no more lines come."""
        assert self._task is not None
        return self._task.result()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._task

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Lines:
        assert self._task is not None
        taking = asyncio.ensure_future(self._handover.take())
        try:
            await asyncio.wait({taking, self._task}, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                return taking.result()
        finally:
            taking.cancel()
        self._task.result()
        raise StopAsyncIteration


def pulled(context: ExecutionContext, handover: Handover) -> ExecutionContext:
    """Return a context in which lines are handed out, to readers it has already too."""
    config = context.streaming_config or StreamingConfig()
    mode = StreamingMode.STREAMING if config.mode is StreamingMode.BATCH else config.mode
    config = dataclasses.replace(config, enabled=True, mode=mode, processors=(*config.processors, handover))
    return dataclasses.replace(context, streaming_config=config)
