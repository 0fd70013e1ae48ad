"""What sites ask robots to leave alone (RFC 9309): fetched once for all who crawl in a process, and kept for a day at most."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .exchange import Request
from .fetch_errors import FetchError, Refused
from .shared import of_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from .fetch import Door

_LARGEST: Final = 512 * 1024
"""Bytes of a robots.txt that are read; what is behind them does not count."""
REDIRECTS: Final = 5
_LASTS: Final = 24 * 3600.0
_LASTS_AFTER_FAILURE: Final = 60.0
_MOST: Final = 1000
"""Sites whose rules are kept."""


class Rules(NamedTuple):
    """The rules of one site."""

    parsed: Any = None
    """A Protego, or None where there are no rules."""
    fault: str = ""
    """Why nothing may be fetched at all; empty if something may."""
    error: FetchError | None = None
    """What went wrong, where the site could not be reached."""

    def allow(self, url: str, agent: str) -> bool:
        """Whether a robot of that name may fetch a URL."""
        return self.parsed is None or bool(self.parsed.can_fetch(url, agent))

    def delay(self, agent: str) -> float:
        """Return how many seconds apart its requests should be."""
        return float(self.parsed.crawl_delay(agent) or 0.0) if self.parsed else 0.0

    @property
    def sitemaps(self) -> list[str]:
        """The URLs of the site's sitemaps."""
        return list(self.parsed.sitemaps) if self.parsed else []


class RobotsRules:
    """The rules of sites, by origin (`https://example.org`), as far as they are known."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, Rules]] = OrderedDict()

    def of(self, origin: str) -> Rules | None:
        """Return the rules of a site, if they are known and not too old."""
        until, rules = self._known.get(origin, (0.0, None))
        return rules if until > asyncio.get_running_loop().time() else None

    def keep(self, origin: str, rules: Rules) -> None:
        """Keep what is good for a day, and what may pass for a minute; what one crawl may not ask, another may."""
        if isinstance(rules.error, Refused):
            return
        lasts = _LASTS_AFTER_FAILURE if rules.fault or rules.error else _LASTS
        self._known[origin] = asyncio.get_running_loop().time() + lasts, rules
        self._known.move_to_end(origin)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


async def fetch_rules(origin: str, door: Door, headers: Mapping[str, str]) -> Rules:
    """Return what a site's robots.txt says: without one everything is allowed, with one that cannot be had nothing is."""
    try:
        async with door.stream(Request(f"{origin}/robots.txt", headers=headers), trusted=False) as answer:
            if answer.status >= 500:  # noqa: PLR2004 - the server's own failures
                return Rules(fault=f"its robots.txt answers {answer.status}, so nothing of it may be fetched now")
            if answer.status >= 300:  # noqa: PLR2004 - no success
                return Rules()
            return await _read(answer.pieces)
    except FetchError as error:
        return Rules(error=error)


async def _read(pieces: AsyncIterator[bytes]) -> Rules:
    from protego import Protego

    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > _LARGEST:
            break
    said = bytes(body[:_LARGEST]).decode("utf-8-sig", "replace")
    return Rules(await asyncio.to_thread(Protego.parse, said))  # so many rules take a tenth of a second


def rules_here() -> RobotsRules:
    """Return the rules that are known to all who work in this event loop."""
    return of_loop(RobotsRules, RobotsRules)
