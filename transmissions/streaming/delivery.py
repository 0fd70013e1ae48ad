"""From pieces of output to the lanes of all processors: cut into lines once, and offered to each."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from .config import StreamSource
from .lines import LineSplitter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .config import ExecutionContext
    from .lane import Lane
    from .lines import Lines
    from .pump import Pump

_AHEAD: Final = 4
"""Pieces that may wait to be cut before the command is not read on."""


class Delivery:
    """Takes what a pump reads, and gives every lane every line."""

    def __init__(self, lanes: Sequence[Lane], context: ExecutionContext) -> None:
        config = context.streaming_config
        limit = config.buffer_config.max_line_bytes if config else None
        self._lanes = lanes
        self._splitters = {source: LineSplitter(source, limit, context.encoding, context.errors) for source in StreamSource}
        self._pieces: deque[tuple[StreamSource, bytes, float]] = deque()
        self._arrived = asyncio.Event()
        self._is_over = False
        self.pump: Pump | None = None

    def take(self, source: StreamSource, data: bytes) -> None:
        """Take a piece; the pump stops while too many wait."""
        self._pieces.append((source, data, time.time()))
        self._arrived.set()
        if len(self._pieces) >= _AHEAD and self.pump:
            self.pump.pause()

    def end(self) -> None:
        """Say that no more pieces come."""
        self._is_over = True
        self._arrived.set()

    async def run(self) -> None:
        """Deliver until the end, the last lines of both outputs included, and end the lanes.

        Raises:
            BufferOverflow: a lane was full whose strategy is to fail.

        """
        while True:
            while self._pieces:
                source, data, at = self._pieces.popleft()
                await self._offer(self._splitters[source].feed(data, at))
                if self.pump and len(self._pieces) < _AHEAD:
                    self.pump.resume()
            if self._is_over:
                break
            self._arrived.clear()
            await self._arrived.wait()
        for splitter in self._splitters.values():
            await self._offer(splitter.finish(time.time()))
        for lane in self._lanes:
            lane.end()

    async def _offer(self, lines: Lines | None) -> None:
        if lines is None:
            return
        # Everybody is offered them before anybody is waited for.
        full = [(lane, rest) for lane in self._lanes if (rest := lane.offer(lines)) is not None]
        for lane, rest in full:
            await lane.press(rest)
