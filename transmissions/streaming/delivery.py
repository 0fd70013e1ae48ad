"""From pieces of output to the lanes of all processors: cut into lines once, and offered to each."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from .config import OverflowStrategy, StreamSource
from .lines import LineSplitter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .config import ExecutionContext
    from .lane import Lane
    from .lines import Lines
    from .pump import Pump

_AHEAD: Final = 1 << 18
"""Bytes that may wait to be cut before the command is not read on."""


class Delivery:
    """Takes what a pump reads, and gives every lane every line."""

    def __init__(self, lanes: Sequence[Lane], context: ExecutionContext) -> None:
        config = context.streaming_config
        limit = config.buffer_config.max_line_bytes if config else None
        self._lanes = lanes
        self._splitters = {source: LineSplitter(source, limit, context.encoding, context.errors) for source in StreamSource}
        self._pieces: deque[tuple[StreamSource, bytes, float]] = deque()
        self._held = 0
        self._pressing: deque[tuple[Lane, Lines]] = deque()
        """Lines that had no room yet."""
        self._arrived = asyncio.Event()
        self._is_over = False
        self.pump: Pump | None = None

    def take(self, source: StreamSource, data: bytes) -> None:
        """Take a piece; the pump stops while too many wait."""
        self._pieces.append((source, data, time.time()))
        self._held += len(data)
        self._arrived.set()
        if self._held >= _AHEAD and self.pump:
            self.pump.pause()

    def end(self) -> None:
        """Say that no more pieces come."""
        self._is_over = True
        self._arrived.set()

    async def run(self) -> None:
        """Deliver until the end, the last lines of both outputs included, and end the lanes; go on where it was left off.

        Raises:
            BufferOverflow: a lane was full whose strategy is to fail.

        """
        while True:
            await self._press()
            while self._pieces:
                self._offer(self._cut())
                await self._press()
            if self._is_over:
                break
            self._arrived.clear()
            await self._arrived.wait()
        for splitter in self._splitters.values():
            self._offer(splitter.finish(time.time()))
            await self._press()
        for lane in self._lanes:
            lane.end()

    def give_up(self) -> None:
        """Count what is not delivered any more."""
        lines = [self._cut() for _ in range(len(self._pieces))]
        lines += [splitter.finish(time.time()) for splitter in self._splitters.values()]
        for lane in self._lanes:
            lane.offered += sum(one.count for one in lines if one is not None)

    def _cut(self) -> Lines | None:
        source, data, at = self._pieces.popleft()
        self._held -= len(data)
        if self.pump and self._held < _AHEAD:
            self.pump.resume()
        return self._splitters[source].feed(data, at)

    def _offer(self, lines: Lines | None) -> None:
        if lines is None:
            return
        full = [(lane, rest) for lane in self._lanes if (rest := lane.offer(lines)) is not None]
        # Nobody who drops or fails is kept waiting by somebody who blocks.
        self._pressing.extend(sorted(full, key=lambda one: one[0].strategy is OverflowStrategy.BLOCK))

    async def _press(self) -> None:
        while self._pressing:
            lane, rest = self._pressing.popleft()
            await lane.press(rest)
