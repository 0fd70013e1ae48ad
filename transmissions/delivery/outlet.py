"""The end of the pipe of a run that is delivered: what leaves it is told in the task it comes from, with no channel between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from transmissions.channel import Pressure
    from transmissions.message import Message, Token

_TURN: Final = 64
"""Messages that are told before others have their turn."""


class Outlet:
    """Hands each final message of a run to `tell`, which waits while there is no room, and then the run does.

    `is_told` tells one here and now, where nothing has to be waited for, and says whether it did.
    """

    def __init__(
        self, tell: Callable[[Message], Awaitable[None]], is_told: Callable[[Message], bool], pressure: Pressure
    ) -> None:
        self.pressure = pressure
        self._tell = tell
        self._is_told = is_told
        self._line = asyncio.Lock()
        self._told = 0

    async def put_many(self, messages: list[Message]) -> None:
        """Tell messages, in order; of two that write at once, one after the other."""
        if len(messages) == 1 and not self._line.locked() and self._told_at_once(messages[0]):
            return
        async with self._line:
            for message in messages:
                if not self._told_at_once(message):
                    await self._tell_in_turn(message)

    def _told_at_once(self, message: Message) -> bool:
        if self._told >= _TURN - 1 or not self._is_told(message):
            return False
        self._told += 1
        return True

    async def _tell_in_turn(self, message: Message) -> None:
        await self._tell(message)
        self._told += 1
        if self._told >= _TURN:
            self._told = 0
            await asyncio.sleep(0)

    async def put_token(self, token: Token) -> None:
        """Keep quiet: who told the run where its messages go sees its end."""
