"""The two ends a processor works with that owns its stream: `async def run(self, reader, writer)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .channel import ITEMS
from .message import END, Token, keep_messages, not_a_message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .message import Message


class Reader:
    """The messages in front of a processor: `async for message in reader`, or a batch at a time.

    Ends of groups pass by at the moment they are read; the processor does not see them.
    """

    def __init__(
        self,
        get_many: Callable[[int], Awaitable[list[Message] | Token]],
        count: Callable[[int], None],
        pass_on: Callable[[Token], Awaitable[None]],
    ) -> None:
        self._get_many = get_many
        self._count = count
        self._pass_on = pass_on
        self._ready: list[Message] = []  # not a deque: that has 700 bytes before there is anything in it
        self.ended = False
        """Whether there is nothing more to come than what was read already."""

    async def batch(self, limit: int = ITEMS) -> list[Message]:
        """Return what is there, up to `limit` messages, waiting only while there is nothing; an empty list is the end."""
        if self._ready:
            taken, self._ready = self._ready[:limit], self._ready[limit:]
            return taken
        while not self.ended:
            item = await self._get_many(limit)
            if not isinstance(item, Token):
                self._count(len(item))
                return item
            if item is END:
                self.ended = True
            else:
                await self._pass_on(item)
        return []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        if not self._ready:
            self._ready.extend(await self.batch())
            if not self._ready:
                raise StopAsyncIteration
        return self._ready.pop(0)


class Writer:
    """Where a processor's messages go; writing waits while there is no room."""

    def __init__(self, put_many: Callable[[list[Message]], Awaitable[None]]) -> None:
        self._put_many = put_many

    async def write(self, message: Message) -> None:
        """Send one message."""
        if type(message) is not dict:
            raise not_a_message(message)
        await self._put_many([message])

    async def write_many(self, messages: list[Message]) -> None:
        """Send many, which is faster than one by one; the list must not be changed afterwards."""
        keep_messages(messages)
        for start in range(0, len(messages), ITEMS):
            await self._put_many(messages[start : start + ITEMS])
