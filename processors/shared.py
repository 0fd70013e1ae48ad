"""What all who work in one event loop share: made for the first who wants it, gone with the loop or with its last user."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
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
async def lent(key: Hashable, make: Callable[[], T], end: Callable[[T], Awaitable[None]]) -> AsyncIterator[T]:
    """Lend what is known by a key to one more user; after the last one it is ended."""
    thing, here = of_loop(key, make), _here()
    here.users[key] += 1
    try:
        yield thing
    finally:
        here.users[key] -= 1
        if not here.users[key]:
            del here.users[key], here.things[key]  # Whoever comes while it ends gets another one.
            await end(thing)
