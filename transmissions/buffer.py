"""Declared buffers: a channel that weighs every message, with water marks, overflow strategies and statistics.

Both `:buffer [ … ]` in front of a node and `:StreamBufferManager` in a pipe are this buffer. The names of its figures are the
seed's: sizes in bytes, times in milliseconds, `bufferUtilization` in percent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from .channel import WEIGHT, Channel, now_ms
from .errors import BufferOverflow
from .message import Token, size_of
from .settings import FractionOf, LessThan, LessThanOrEquals, Range, Record, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from .message import Message
    from .problem import Where

    Emit = Callable[..., None]


class BufferSettings(Record):
    """How much may wait, and what happens when there is more."""

    max_buffer_size: Annotated[int, Range(ge=1), Unit("bytes")] = 1_048_576
    "Bytes of payload that may wait. A larger message passes alone, when nothing else waits."
    high_water_mark: Annotated[
        float, Range(gt=0), FractionOf("max_buffer_size"), LessThanOrEquals("max_buffer_size"), Unit("bytes")
    ] = 0.8
    "The size at which `pause` is told: bytes, or a decimal up to 1 as a share of maxBufferSize."
    low_water_mark: Annotated[float, Range(ge=0), FractionOf("max_buffer_size"), LessThan("high_water_mark"), Unit("bytes")] = (
        0.2
    )
    "The size at which `resume` is told and writers that wait go on: bytes, or a share of maxBufferSize."
    max_items: Annotated[int, Range(ge=1)] = 1024
    "Messages that may wait, however small."
    size_field: str | None = None
    "The dotted path of a field that says how many bytes a message counts; without it the message is weighed."
    overflow: Literal["Block", "DropOldest", "DropNewest", "Fail"] = "Block"
    "What happens to a message that has no room: it waits, pushes out the oldest, is dropped itself, or ends the run."
    block_timeout: Annotated[int | None, Range(ge=1), Unit("ms")] = None
    "With Block, how long a message may wait for room before the run fails; unset waits for ever."


_WHOLE: Final = 1.0


class Buffer(Channel):
    """A bounded buffer between two tasks; see `BufferSettings`.

    Marks hold for bytes and, in the same proportion, for messages: `pause` comes when either reaches its high mark, `resume`
    when both are at their low mark, `drain` when the buffer is empty after a pause. Tokens are never dropped.
    """

    __slots__ = ("_emit", "_high", "_low", "_pause_began", "_weights", "figures", "settings", "size", "was_paused", "where")

    def __init__(self, name: str, settings: BufferSettings, emit: Emit | None = None) -> None:
        super().__init__(name, settings.max_items)
        self.settings = settings
        self.size = 0
        """Bytes that wait."""
        self.was_paused = False
        self.where: Where | None = None
        """Where the node stands which it is in front of."""
        self.figures: dict[str, Any] = dict.fromkeys(("pauseCount", "resumeCount", "maxBufferUsage", "overflowEvents"), 0)
        self.figures |= {"lastPauseTime": None, "totalPauseDuration": 0, "dropped": 0}
        self._weights: deque[int] = deque()
        self._pause_began: int | None = None
        self._emit: Emit = emit or _unheard
        most = settings.max_buffer_size
        self._high = [_resolve(settings.high_water_mark, most), 0.0]
        self._low = [_resolve(settings.low_water_mark, most), 0.0]
        for mark in (self._high, self._low):
            mark[1] = mark[0] / most * settings.max_items

    def bind(self, emit: Emit) -> None:
        """Say who is told of events."""
        self._emit = emit

    async def put_many(self, messages: list[Message]) -> None:
        """Take messages, in order; what has no room goes the way `overflow` says.

        Raises:
            BufferOverflow: a message has no room and `overflow` is Fail, or it waited past `blockTimeout`.

        """
        dropped, overflowed = self.figures["dropped"], self.figures["overflowEvents"]
        field = self.settings.size_field
        for message in messages:
            weight = size_of(message, field)
            if self._fits(weight) or await self._make_room(weight):
                self._add(message, weight)
            self.total += 1
        self._wake_reader()
        if self.figures["overflowEvents"] != overflowed:
            self._tell("overflow", events=self.figures["overflowEvents"] - overflowed)
        if self.figures["dropped"] != dropped:
            self._tell("drop", dropped=self.figures["dropped"] - dropped)

    async def get_many(self, limit: int) -> list[Message] | Token:
        """Return what is there, up to `limit` messages and about a megabyte, or one token."""
        taken = await super().get_many(limit)
        if self._is_low():
            self._resume()
        return taken

    def snapshot(self) -> dict[str, Any]:
        """Return the buffer's figures as JSON values."""
        pausing = now_ms() - self._pause_began if self._pause_began is not None else 0
        return {
            **super().snapshot(),
            **self.figures,
            "totalPauseDuration": self.figures["totalPauseDuration"] + pausing,
            "currentBufferSize": self.size,
            "maxBufferSize": self.settings.max_buffer_size,
            "bufferUtilization": 100 * self.size / self.settings.max_buffer_size,
        }

    def _fits(self, weight: int) -> bool:
        most = self.settings
        return not self._count or (self.size + weight <= most.max_buffer_size and self._count < most.max_items)

    def _add(self, message: Message, weight: int) -> None:
        self._queue.append(message)
        self._weights.append(weight)
        self._count += 1
        self.size += weight
        self.peak = max(self.peak, self._count)
        self.figures["maxBufferUsage"] = max(self.figures["maxBufferUsage"], self.size)
        if self.size >= self._high[0] or self._count >= self._high[1]:
            self._pause()

    async def _make_room(self, weight: int) -> bool:
        self.figures["overflowEvents"] += 1
        strategy = self.settings.overflow
        if strategy == "Block":
            await self._block(weight)
        elif strategy == "Fail":
            raise self._overflow(f"is full: {self.size} bytes in {self._count} messages, and {weight} came")
        elif strategy == "DropNewest":
            self.figures["dropped"] += 1
            return False
        else:
            self._drop_oldest(weight)
        return True

    async def _block(self, weight: int) -> None:
        self.pressure.note()
        self._pause()
        self._wake_reader()
        limit = self.settings.block_timeout
        try:
            async with asyncio.timeout(limit / 1000 if limit else None):
                # Going on only at the low mark moves messages in batches; at every free place it would be one at a time.
                while not (self._fits(weight) and self._is_low()):
                    await self._wait_for_room()
        except TimeoutError:
            raise self._overflow(f"was full for {limit} ms (blockTimeout)") from None

    def _overflow(self, how: str) -> BufferOverflow:
        return BufferOverflow(f"{f'{self.where}: ' if self.where else ''}buffer {self.name} {how}")

    def _drop_oldest(self, weight: int) -> None:
        kept: list[Token] = []
        while not self._fits(weight):
            item = self._queue.popleft()
            if isinstance(item, Token):
                kept.append(item)
            else:
                self.size -= self._weights.popleft()
                self._count -= 1
                self.figures["dropped"] += 1
        self._queue.extendleft(reversed(kept))

    def _take(self, limit: int) -> list[Message]:
        """Take up to `limit` messages and about a megabyte; at least one."""
        queue, weights = self._queue, self._weights
        taken: list[Message] = []
        weight = 0
        while len(taken) < limit and queue and not isinstance(queue[0], Token) and (not taken or weight + weights[0] <= WEIGHT):
            taken.append(queue.popleft())
            weight += weights.popleft()
        self.size -= weight
        return taken

    def _is_low(self) -> bool:
        return not self._count or (self.size <= self._low[0] and self._count <= self._low[1])

    def _pause(self) -> None:
        if self._pause_began is None:
            self._pause_began = self.figures["lastPauseTime"] = now_ms()
            self.figures["pauseCount"] += 1
            self._tell("pause")

    def _resume(self) -> None:
        if self._pause_began is not None:
            self.figures["totalPauseDuration"] += now_ms() - self._pause_began
            self._pause_began = None
            self.was_paused = True
            self.figures["resumeCount"] += 1
            self._tell("resume")
        if self.was_paused and not self._count:
            self.was_paused = False
            self._tell("drain")

    def _tell(self, event: str, **fields: int) -> None:
        self._emit(event, buffer=self.name, size=self.size, items=self._count, **fields)


def _resolve(mark: float, most: int) -> float:
    return mark * most if mark <= _WHOLE else mark


def _unheard(event: str, **fields: Any) -> None:
    """Tell nobody."""
