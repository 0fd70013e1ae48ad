"""Kept pages as all who crawl in an event loop see them: which are being fetched for keeping, and whether the store answers."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from transmissions import RunError

from .crawl_tickets import Companion
from .page_stores import MEMORY, store_at
from .shared import lent, of_loop

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Collection
    from contextlib import AbstractAsyncContextManager
    from typing import TypeVar

    from transmissions import Message, Secret

    from .page_stores import Limits, Store

    T = TypeVar("T")

_REST: Final = 30.0
"""Seconds a store that failed is left alone, so that not every page waits for it."""


class Flight(Companion):
    """Goes with a page that is to be kept, from where it was looked for to where it is kept.

    Whoever wants the same page waits until it has landed. One that is lost on its way has landed, too.
    """

    __slots__ = ("before", "key")

    def __init__(self, key: str, before: Collection[str], landed: Callable[[Message | None], None] | None) -> None:
        super().__init__(landed)
        self.key = key
        self.before = frozenset(before)
        """The fields the page had then: what is not among them was found out since."""

    def __repr__(self) -> str:
        return f"<flight {self.key}>"


class Shelf:
    """A store, and what is on its way there. A store that fails is told once, and then is as if it were empty."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._flights: dict[str, asyncio.Future[None]] = {}
        self._rests_until = 0.0
        self._has_failed = False

    async def get(self, key: str, log: logging.Logger) -> bytes | None:
        """Return an entry, if there is one and the store answers."""
        return await self._ask(lambda: self._store.get(key), log)

    async def put(self, key: str, stored: float, entry: bytes, log: logging.Logger) -> int | None:
        """Keep an entry; return how many others had to go, or None if it could not be kept."""
        return await self._ask(lambda: self._store.put(key, stored, entry), log)

    async def wait(self, key: str, seconds: float) -> bool:
        """Wait for a page that is on its way, but not for ever; return whether there was one."""
        flight = self._flights.get(key)
        if flight:
            await asyncio.wait([flight], timeout=seconds)
        return flight is not None

    def take_off(self, key: str, before: Collection[str]) -> Flight:
        """Say that a page is on its way. If another one is already, nobody waits for this one."""
        if key in self._flights:
            return Flight(key, before, None)
        self._flights[key] = asyncio.get_running_loop().create_future()
        return Flight(key, before, lambda _: self._flights.pop(key).set_result(None))

    async def close(self) -> None:
        """Let go of the store."""
        with contextlib.suppress(RunError):
            await self._store.close()

    async def _ask(self, ask: Callable[[], Awaitable[T]], log: logging.Logger) -> T | None:
        clock = asyncio.get_running_loop().time
        if clock() < self._rests_until:
            return None
        try:
            found = await ask()
        except RunError as error:
            self._rests_until = clock() + _REST
            if not self._has_failed:
                log.warning("pages are not kept, nor taken from what was kept: %s", error)
            self._has_failed = True
            return None
        self._has_failed = False
        return found


def shelf_at(place: str, limits: Limits, password: Secret | None) -> AbstractAsyncContextManager[Shelf]:
    """Lend the shelf at a place to one more user; it is closed after the last one, unless it is in memory."""
    key = (Shelf, place, limits, password and password.reveal())

    def make() -> Shelf:
        return Shelf(store_at(place, limits, password))

    return nullcontext(of_loop(key, make)) if place == MEMORY else lent(key, make, Shelf.close)
