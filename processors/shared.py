"""What all who work in one event loop share: made for the first who wants it, gone with the loop, or after its last user."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
    from typing import TypeVar

    T = TypeVar("T")


class _Shared:
    """What is shared in one loop."""

    def __init__(self) -> None:
        self.things: dict[Hashable, Any] = {}
        self.users: Counter[Hashable] = Counter()
        self.keepers: dict[Hashable, asyncio.Task[None]] = {}
        """What waits with ending things that nobody uses."""


_OF_LOOPS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Shared]] = WeakKeyDictionary()


def _here() -> _Shared:
    return _OF_LOOPS.setdefault(asyncio.get_running_loop(), _Shared())


def of_loop(key: Hashable, make: Callable[[], T]) -> T:
    """Return what is known by a key in this event loop; the first time it is made."""
    things = _here().things
    if key not in things:
        things[key] = make()
    thing: T = things[key]
    return thing


@asynccontextmanager
async def lent(
    key: Hashable, make: Callable[[], T], end: Callable[[T], Awaitable[None]], *, kept: float = 0.0
) -> AsyncIterator[T]:
    """Lend what is known by a key to one more user; after the last one it is `kept` for so many seconds, and ended."""
    thing, here = of_loop(key, make), _here()
    here.users[key] += 1
    if keeper := here.keepers.pop(key, None):
        keeper.cancel()
    try:
        yield thing
    finally:
        here.users[key] -= 1
        if not here.users[key] and kept:
            # It is no run's own: neither its settings nor its log are held on to.
            here.keepers[key] = asyncio.create_task(_keep(here, key, end, kept), context=Context())
        elif not here.users[key]:
            await _end(here, key, end)


async def _keep(here: _Shared, key: Hashable, end: Callable[[Any], Awaitable[None]], seconds: float) -> None:
    try:
        await asyncio.sleep(seconds)
    finally:  # Or the loop ends, and with it all that is left in it.
        if here.keepers.get(key) is asyncio.current_task():
            del here.keepers[key]
            await _end(here, key, end)


async def _end(here: _Shared, key: Hashable, end: Callable[[Any], Awaitable[None]]) -> None:
    del here.users[key]
    await end(here.things.pop(key))  # Whoever comes while it ends gets another one.
