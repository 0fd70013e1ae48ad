"""The bounded queue of lines in front of one processor, and what happens when it is full."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from transmissions.errors import BufferOverflow

from .config import OverflowStrategy

if TYPE_CHECKING:
    from .config import BufferConfig
    from .lines import Lines

_LOG: Final = logging.getLogger("transmissions.streaming")


class BufferTimeout(BufferOverflow):
    """A processor left its full buffer full for longer than `block_timeout`."""


class Lane:
    """Lines on their way to one processor, in order.

    A lane is full when as many lines as allowed wait and the processor is at work on another; one that is free takes lines
    before any is dropped, however many came at once.
    """

    def __init__(self, name: str, config: BufferConfig) -> None:
        self.name = name
        self.offered = self.dropped = 0
        self.detached: BaseException | None = None
        """Why it gets no more lines."""
        self._config = config
        self._limit = config.max_lines
        self._waiting: deque[Lines] = deque()
        self._held = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._is_over = self._is_overflowing = False

    async def put(self, lines: Lines) -> None:
        """Take lines, by the strategy if there is no room.

        Raises:
            BufferOverflow: the strategy is to fail.

        """
        rest = self.offer(lines)
        if rest is not None:
            await self.press(rest)

    def offer(self, lines: Lines) -> Lines | None:
        """Take as many lines as there is room for, and return the others."""
        if self.detached is not None:
            return None
        self.offered += lines.count
        return self._fill(lines)

    async def press(self, rest: Lines) -> None:
        """Find room for lines that had none."""
        strategy = self._config.overflow_strategy
        while self.detached is None:
            await asyncio.sleep(0)  # A processor that is free takes what waits now.
            left = self._fill(rest)
            if left is None:
                return
            if left.count == rest.count:
                break
            rest = left
        if self.detached is not None:
            self.dropped += rest.count
        elif strategy is OverflowStrategy.BLOCK:
            await self._block(rest)
        elif strategy is OverflowStrategy.FAIL:
            raise BufferOverflow(f"the buffer of {self.name} is full: {self._limit} lines wait for it")
        else:
            self._drop(rest, oldest=strategy is OverflowStrategy.DROP_OLDEST)

    async def take(self, most: int | None = None) -> list[Lines]:
        """Wait for lines, and return up to `most` of them; none means that no more come."""
        while not self._waiting:
            self._is_overflowing = False
            if self._is_over:
                return []
            self._filled.clear()
            await self._filled.wait()
        self._emptied.set()
        if most is None or most >= self._held:
            taken, self._waiting, self._held = list(self._waiting), deque(), 0
            return taken
        return [self._pop(most)]

    def end(self) -> None:
        """Say that no more lines come."""
        self._is_over = True
        self._filled.set()

    def detach(self, reason: BaseException) -> None:
        """Give it no more lines; those that wait are dropped."""
        self.detached = reason
        self.dropped += self._held
        self._waiting.clear()
        self._held = 0
        self._emptied.set()
        self.end()

    def _fill(self, lines: Lines) -> Lines | None:
        count = lines.count
        room = count if self._limit is None else self._limit - self._held
        if room > 0:
            self._waiting.append(lines if count <= room else lines.part(0, room))
            self._held += min(count, room)
            self._filled.set()
        return lines.part(max(0, room)) if count > room else None

    def _pop(self, most: int) -> Lines:
        first = self._waiting.popleft()
        if first.count > most:
            self._waiting.appendleft(first.part(most))
            first = first.part(0, most)
        self._held -= first.count
        return first

    def _drop(self, rest: Lines, *, oldest: bool) -> None:
        self._tell(
            f"the buffer of {self.name} is full ({self._limit} lines); the {'oldest' if oldest else 'newest'} are dropped"
        )
        count = rest.count
        self.dropped += count
        if oldest and self._limit is not None:
            self._waiting.append(rest)
            self._held += count
            while count:
                count -= self._pop(count).count

    async def _block(self, rest: Lines | None) -> None:
        try:
            async with asyncio.timeout(self._config.block_timeout) as scope:
                while rest is not None and self.detached is None:
                    self._emptied.clear()
                    await self._emptied.wait()
                    before, rest = rest, self._fill(rest)
                    if (rest is None or rest.count < before.count) and self._config.block_timeout is not None:
                        scope.reschedule(asyncio.get_running_loop().time() + self._config.block_timeout)
        except TimeoutError:
            sentence = f"{self.name} left its buffer of {self._limit} lines full for {self._config.block_timeout:g} s"
            self.detach(BufferTimeout(sentence))
            self._tell(f"{sentence}; it gets no more lines")
        if self.detached is not None and rest is not None:
            self.dropped += rest.count

    def _tell(self, sentence: str) -> None:
        # Once for each time it fills up, not once a line.
        if not self._is_overflowing:
            self._is_overflowing = True
            _LOG.warning("%s", sentence)
