"""The bounded queue of lines in front of one processor, and what happens when it is full."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from transmissions.errors import BufferOverflow

from .config import OverflowStrategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .config import BufferConfig
    from .lines import Lines

_LOG: Final = logging.getLogger("transmissions.streaming")


class BufferTimeout(BufferOverflow):
    """A processor left its full buffer full for longer than `block_timeout`."""


class Lane:
    """Lines on their way to one processor, in order.

    A lane is full when as many lines as allowed wait and the processor is at work on others; one that is free takes lines
    before any is dropped, however many came at once.
    """

    def __init__(self, name: str, config: BufferConfig, publish: Callable[[str, Mapping[str, Any]], None]) -> None:
        self.name = name
        self.offered = 0
        """Lines that came for the processor, whatever became of them."""
        self.detached: BufferOverflow | None = None
        """Why it gets no more lines."""
        self.strategy = config.overflow_strategy
        self._limit = config.max_lines
        self._patience = config.block_timeout
        self._publish = publish
        self._waiting: deque[Lines] = deque()
        self._held = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._is_over = self._is_overflowing = False

    def offer(self, lines: Lines) -> Lines | None:
        """Take as many lines as there is room for, and return the others."""
        self.offered += lines.count
        return self._fill(lines)

    async def press(self, rest: Lines) -> None:
        """Find room for lines that had none.

        Raises:
            BufferOverflow: there is none, and the strategy is to fail.

        """
        before, left = 0, self._fill(rest)
        while left is not None and left.count != before:
            before = left.count
            await asyncio.sleep(0)  # A processor that is free takes what waits now.
            left = self._fill(left)
        if left is None:
            return
        if self.strategy is OverflowStrategy.BLOCK:
            await self._block(left)
        elif self.strategy is OverflowStrategy.FAIL:
            error = BufferOverflow(f"the buffer of {self.name} is full: {self._limit} lines wait for it")
            self.detach(error)
            raise error
        else:
            self._drop(left, oldest=self.strategy is OverflowStrategy.DROP_OLDEST)

    async def take(self, most: int | None = None) -> Lines | None:
        """Wait for lines, and return no more than `most` that came together; None means that no more come."""
        while not self._waiting:
            self._is_overflowing = False
            if self._is_over:
                return None
            self._filled.clear()
            await self._filled.wait()
        self._emptied.set()
        return self._pop(most)

    def end(self) -> None:
        """Say that no more lines come."""
        self._is_over = True
        self._filled.set()

    def detach(self, reason: BufferOverflow) -> None:
        """Give it no more lines, those that wait included."""
        self.detached = reason
        self._waiting.clear()
        self._held = 0
        self._emptied.set()
        self.end()

    def _fill(self, lines: Lines) -> Lines | None:
        if self.detached is not None:
            return None
        count = lines.count
        room = count if self._limit is None else self._limit - self._held
        if room > 0:
            self._waiting.append(lines if count <= room else lines.part(0, room))
            self._held += min(count, room)
            self._filled.set()
        return lines.part(max(0, room)) if count > room else None

    def _pop(self, most: int | None) -> Lines:
        first = self._waiting.popleft()
        if most is not None and first.count > most:
            self._waiting.appendleft(first.part(most))
            first = first.part(0, most)
        self._held -= first.count
        return first

    def _drop(self, rest: Lines, *, oldest: bool) -> None:
        which = "oldest" if oldest else "newest"
        self._tell(f"the buffer of {self.name} is full ({self._limit} lines); the {which} are dropped")
        if not oldest:
            return
        self._waiting.append(rest)
        surplus = rest.count
        self._held += surplus
        while surplus:
            surplus -= self._pop(surplus).count

    async def _block(self, rest: Lines) -> None:
        scope = asyncio.timeout(self._patience)
        try:
            async with scope:
                await self._filled_in(rest, scope)
        except TimeoutError:
            sentence = f"{self.name} left its buffer of {self._limit} lines full for {self._patience:g} s"
            self.detach(BufferTimeout(sentence))
            self._tell(f"{sentence}; it gets no more lines")

    async def _filled_in(self, rest: Lines, scope: asyncio.Timeout) -> None:
        left: Lines | None = rest
        while left is not None:
            self._emptied.clear()
            await self._emptied.wait()
            if self._limit is None or self._limit - self._held >= min(left.count, self._limit // 8):
                left = self._fill(left)  # not into any gap, or what comes together is cut smaller each time round
            if self._patience is not None:
                scope.reschedule(asyncio.get_running_loop().time() + self._patience)

    def _tell(self, sentence: str) -> None:
        # Once for each time it fills up, not once a line.
        if not self._is_overflowing:
            self._is_overflowing = True
            _LOG.warning("%s", sentence)
            self._publish("overflow", {"reader": self.name, "text": sentence})
