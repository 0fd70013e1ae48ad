"""What goes with a page on its way: it tells how that ended, once, be it that the page is where it should be or lost."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions import Message

    from .frontier_queue import Row


class Companion:
    """Goes with a page. If some step drops the page, that is the end of its way all the same, told in the loop it began in."""

    __slots__ = ("_loop", "_told")

    def __init__(self, told: Callable[[Message | None], None] | None) -> None:
        self._told = told
        self._loop = asyncio.get_running_loop()

    def done(self, page: Message) -> None:
        """Tell that the page is where it should be, or has failed."""
        told, self._told = self._told, None
        if told:
            told(page)

    def __del__(self) -> None:
        if self._told:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits or counts any more
                self._loop.call_soon_threadsafe(self._told, None)


class Ticket(Companion):
    """What pages at work count by: a page takes one of the crawl's places as long as its ticket lives."""

    __slots__ = ("row",)

    def __init__(self, row: Row, given_back: Callable[[Row, Message | None], None]) -> None:
        super().__init__(lambda page: given_back(row, page))
        self.row = row

    def __repr__(self) -> str:
        return f"<ticket {self.row.id}>"
