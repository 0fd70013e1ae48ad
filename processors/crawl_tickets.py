"""What pages at work count by: a page takes one of the crawl's places as long as its ticket lives."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions import Message

    from .frontier_queue import Row


class Ticket:
    """Goes with a page. A page that is lost on its way, because some step drops it, gives its place back all the same."""

    __slots__ = ("_given_back", "_loop", "row")

    def __init__(self, row: Row, given_back: Callable[[Row, Message | None], None]) -> None:
        self.row = row
        self._given_back: Callable[[Row, Message | None], None] | None = given_back
        self._loop = asyncio.get_running_loop()

    def done(self, page: Message) -> None:
        """Give the place back: the page is where it should be, or has failed."""
        given_back, self._given_back = self._given_back, None
        if given_back:
            given_back(self.row, page)

    def __repr__(self) -> str:
        return f"<ticket {self.row.id}>"

    def __del__(self) -> None:
        if self._given_back:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody counts any more
                self._loop.call_soon_threadsafe(self._given_back, self.row, None)
