"""The bounded hand-over between two tasks, and what every place that takes messages looks like."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from .message import Token, glance

if TYPE_CHECKING:
    from .message import Message

ITEMS: Final = 512
"""Messages handed over at once, at most; half as many cost a run of trivial steps 7 % more, and a quarter 20 %."""
WEIGHT: Final = 1 << 20
"""Bytes of memory handed over at once, about, as a glance at one message tells them."""
BATCHES: Final = 2
"""Batches that may wait in a channel: with one, writer and reader wake each other for each (40 % more for a hop)."""


class Pressure:
    """How often, and when last (milliseconds since 1970), writing behind a node had to wait."""

    __slots__ = ("events", "last", "watchers")

    def __init__(self) -> None:
        self.events = 0
        self.last: int | None = None
        self.watchers: list[Pressure] = []
        """What counts these waits too: a fork in front."""

    def note(self) -> None:
        """Count one wait."""
        self.events += 1
        self.last = now_ms()
        for watcher in self.watchers:
            watcher.note()


class Outlet(Protocol):
    """Whatever takes messages: a channel, the rest of a segment, a fork, a merge, the end of the pipe."""

    @property
    def pressure(self) -> Pressure:
        """How often writing here, or behind this, had to wait."""
        ...

    async def put_many(self, messages: list[Message]) -> None:
        """Take messages, in order; wait while there is no room. The list belongs to the taker from then on."""

    async def put_token(self, token: Token) -> None:
        """Take a control item behind all messages so far."""


class Channel:
    """Messages on their way between tasks: any number of writers, one reader, never more than it may hold.

    The bound in messages is strict. The bound in bytes is kept by glancing at the last message of what is written: where it or
    one shortly before it is big, so many fewer may wait. A token does not count as a message, but no more tokens than messages
    may wait either, or empty groups could pile up.

    What is written together stays together where it can: lists are handed over, not copied.
    """

    __slots__ = (
        "_big",
        "_biggest",
        "_count",
        "_getter",
        "_putters",
        "_queue",
        "_tokens",
        "_weight",
        "capacity",
        "items",
        "name",
        "peak",
        "pressure",
        "total",
    )

    def __init__(self, name: str = "", items: int = BATCHES * ITEMS, weight: int = WEIGHT) -> None:
        self.name = name
        self.items = items
        self._weight = weight
        self._big = BATCHES * weight // items
        self._biggest = 0
        """The bytes of the biggest message seen lately, forgotten by half with each look."""
        self.capacity = items
        """How many messages of the present size may wait."""
        self.peak = 0
        self.total = 0
        self.pressure = Pressure()
        self._queue: deque[Any] = deque()
        self._count = 0
        self._tokens = 0
        self._getter: asyncio.Future[None] | None = None
        self._putters: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        return self._count

    async def put_many(self, messages: list[Message]) -> None:
        """Take messages, in order; wait while there is no room."""
        if not messages:
            return
        self._judge(messages)
        self.total += len(messages)
        while (room := self.capacity - self._count) < len(messages):
            if room > 0:
                self._append(messages[:room])
                messages = messages[room:]
            self.pressure.note()
            await self._wait_for_room()
        self._append(messages)

    async def put_token(self, token: Token) -> None:
        """Take a control item behind all messages so far."""
        while self._tokens >= self.items:
            await self._wait_for_room()
        self._tokens += 1
        self._queue.append(token)
        self._wake_reader()

    async def get_many(self, limit: int) -> list[Message] | Token:
        """Return what is there, up to `limit` messages, or one token; wait only while there is nothing."""
        while not self._queue:
            self._getter = asyncio.get_running_loop().create_future()
            await self._getter
        taken: list[Message] | Token
        if isinstance(self._queue[0], Token):
            taken = self._queue.popleft()
            self._tokens -= 1
        else:
            taken = self._take(limit)
            self._count -= len(taken)
        if self._putters and self._is_low():
            self._wake_writers()
        return taken

    def snapshot(self) -> dict[str, Any]:
        """Return the channel's figures as JSON values."""
        return {
            "currentItems": self._count,
            "maxItems": self.items,
            "peakItems": self.peak,
            "total": self.total,
            "backpressureEvents": self.pressure.events,
            "lastBackpressure": self.pressure.last,
        }

    def _judge(self, messages: list[Message]) -> None:
        biggest = self._biggest = max(glance(messages[-1], WEIGHT), self._biggest // 2)
        self.capacity = self.items if biggest <= self._big else max(1, BATCHES * self._weight // biggest)

    def _append(self, messages: list[Message]) -> None:
        self._queue.append(messages)
        self._count += len(messages)
        self.peak = max(self.peak, self._count)
        self._wake_reader()

    def _take(self, limit: int) -> list[Message]:
        queue = self._queue
        taken: list[Message] = queue.popleft()
        if len(taken) > limit:
            queue.appendleft(taken[limit:])
            return taken[:limit]
        while queue and queue[0].__class__ is list and len(taken) + len(queue[0]) <= limit:
            taken.extend(queue.popleft())
        return taken

    def _is_low(self) -> bool:
        """Whether writers that wait may go on: when half is free, which moves messages in batches."""
        return self._count <= self.capacity // 2

    def _wake_reader(self) -> None:
        if self._getter is not None and not self._getter.done():
            self._getter.set_result(None)

    async def _wait_for_room(self) -> None:
        writer = asyncio.get_running_loop().create_future()
        self._putters.append(writer)
        await writer

    def _wake_writers(self) -> None:
        putters, self._putters = self._putters, []
        for writer in putters:
            if not writer.done():
                writer.set_result(None)


def now_ms() -> int:
    """Return the time as milliseconds since 1970."""
    return time.time_ns() // 1_000_000
