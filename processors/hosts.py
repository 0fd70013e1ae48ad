"""Politeness towards hosts, shared by all crawls of a process: how many requests at once, how far apart, when none at all."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from .shared import of_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MOST: Final = 10_000
"""Hosts that are remembered while nobody asks them."""
_MISSES: Final = 10
"""How often in a row a host may not be reached until it is left alone: else thousands of URLs of a dead one take hours."""
_AWAY: Final = 30.0
"""Seconds for which it is."""


class LeftAlone(Exception):
    """A host is asked nothing for so many `seconds` more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Busy(LeftAlone):
    """It asked for that, and for longer than anybody would wait."""


class Away(LeftAlone):
    """It could not be reached again and again."""


class _Host:
    """What is known of a host. Times are those of the loop."""

    __slots__ = ("apart", "away_until", "busy", "free_at", "held_until", "misses", "waiting")

    def __init__(self) -> None:
        self.busy = 0
        self.free_at = 0.0
        """When the next request may begin, as far as its delay is concerned."""
        self.held_until = 0.0
        """Until when it asked to be left alone."""
        self.apart = 0.0
        """Seconds between the beginnings of two requests, as its robots.txt has it."""
        self.misses = 0
        """How often in a row it was not to be reached."""
        self.away_until = 0.0
        self.waiting: deque[asyncio.Future[None]] = deque()

    def ready_in(self, patience: float) -> float:
        """Return in how many seconds it may be asked.

        Raises:
            Busy: it wants a longer pause than that.
            Away: nobody is to be reached there.

        """
        now = asyncio.get_running_loop().time()
        if self.away_until > now:
            raise Away(self.away_until - now)
        if self.held_until - now > patience:
            raise Busy(self.held_until - now)
        return max(self.free_at, self.held_until) - now


class Hosts:
    """The hosts that are asked, and when each may be asked again."""

    def __init__(self) -> None:
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    @asynccontextmanager
    async def turn(self, name: str, most: int, apart: float = 0.0, patience: float = 30.0) -> AsyncIterator[None]:
        """Wait until a host may be asked, and count as one of `most` who ask it; `apart` is in seconds.

        Raises:
            Busy: that would take longer than `patience`, because the host asked for it.
            Away: nobody is to be reached there.

        """
        host = self._known(name)
        while host.busy >= most:
            await _queue(host)
        host.busy += 1
        try:
            await _wait(host, apart, patience)
            yield
        finally:
            host.busy -= 1
            _wake(host)

    def pace(self, name: str, seconds: float) -> None:
        """Keep requests to a host so far apart from now on."""
        self._known(name).apart = seconds

    def hold(self, name: str, seconds: float) -> None:
        """Leave a host alone for some time: it has asked for that."""
        host = self._known(name)
        host.held_until = max(host.held_until, asyncio.get_running_loop().time() + seconds)

    def reached(self, name: str) -> None:
        """Know that a host can be reached."""
        self._known(name).misses = 0

    def missed(self, name: str) -> None:
        """Know that a host could not be reached; if that happens again and again, leave it alone for some time."""
        host = self._known(name)
        host.misses += 1
        if host.misses >= _MISSES:
            host.away_until = asyncio.get_running_loop().time() + _AWAY

    def _known(self, name: str) -> _Host:
        host = self._hosts.setdefault(name, _Host())
        self._hosts.move_to_end(name)
        if len(self._hosts) > _MOST:
            self._forget()
        return host

    def _forget(self) -> None:
        """Forget the half that nobody asked for longest, but for those at work."""
        now = asyncio.get_running_loop().time()
        for name, host in list(self._hosts.items())[: _MOST // 2]:
            if not host.busy and not host.waiting and max(host.free_at, host.held_until, host.away_until) <= now:
                del self._hosts[name]


async def _queue(host: _Host) -> None:
    waiter = asyncio.get_running_loop().create_future()
    host.waiting.append(waiter)
    try:
        await waiter
    except asyncio.CancelledError:
        if waiter.done() and not waiter.cancelled():
            _wake(host)  # it was told to go on, and does not: the next one may
        raise


async def _wait(host: _Host, apart: float, patience: float) -> None:
    # Whoever is late for its turn takes it when it comes: the next is so much later.
    while (wait := host.ready_in(patience)) > 0:  # noqa: ASYNC110 - it is time that is waited for
        await asyncio.sleep(wait)
    host.free_at = asyncio.get_running_loop().time() + max(apart, host.apart)


def _wake(host: _Host) -> None:
    while host.waiting:
        waiter = host.waiting.popleft()
        if not waiter.done():
            waiter.set_result(None)
            return


def hosts_here() -> Hosts:
    """Return the hosts as all who work in this event loop see them."""
    return of_loop(Hosts, Hosts)
