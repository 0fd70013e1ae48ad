"""Leaving alone what sites ask robots to leave alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final, Self

from transmissions import Processor, Range, Unit

from .crawl_network import OnTheWeb
from .crawl_page import PageFault, attempt_page, is_open
from .egress import take_apart
from .fetch_errors import Refused
from .hosts import hosts_here
from .robots_rules import REDIRECTS, fetch_rules, rules_here

if TYPE_CHECKING:
    from transmissions import Message

    from .robots_rules import Rules

_ANY_SIZE: Final = 1 << 50
"""Bytes a robots.txt may have: what is behind those that count is left unread, and that is no error."""


class RobotsCheck(OnTheWeb, Processor):
    """Stop pages that their sites ask robots to leave alone, by the robots.txt of each (RFC 9309).

    A page that may not be fetched gets the fault `POLICY_ROBOTS`. A site without a robots.txt allows everything; one whose
    robots.txt fails (5xx) allows nothing for now, and where it cannot be reached, that is the fault of its pages. A site's
    rules are fetched once, by the rules for all pages: to public addresses only, or to what `allow` names. A `Crawl-delay` is
    kept, up to `longestDelay`. The name that rules are looked up by is the first word of `userAgent`.

    ```turtle
    :robots a :RobotsCheck ; :concurrency 64 ; :ordered false ; :settings :network .
    :network :userAgent "example-archive/1.0 (+https://example.org/bot)" .
    ```
    """

    extra = "crawl"
    one_by_one = True

    obey: bool = True
    "Whether rules are looked at at all: not for sites of your own."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 20_000
    "How long a robots.txt may take."
    longest_delay: Annotated[int, Range(ge=0), Unit("ms")] = 30_000
    "How far apart requests are kept at most, whatever a site asks for."

    async def __aenter__(self) -> Self:
        self._door = self.door(timeout=self.timeout / 1000, max_bytes=_ANY_SIZE, redirects=REDIRECTS)
        self._rules = rules_here()
        self._asking: dict[str, asyncio.Task[Rules]] = {}
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._asking.values():
            task.cancel()
        await self._door.__aexit__(*exc)

    async def process(self, message: Message) -> Message:
        """Let a page pass, or put into it why it may not be fetched."""
        return await attempt_page(message, self._check(message)) if self.obey and is_open(message, "host") else message

    async def _check(self, page: Message) -> Message:
        place = take_apart(page["url"])
        if place.user:
            return page  # Fetching the page refuses it.
        rules = self._rules.of(place.origin) or await self._ask(place.origin)
        if isinstance(rules.error, Refused):
            return page  # Fetching the page says so itself, better.
        if rules.error:
            raise rules.error
        if rules.fault:
            raise PageFault("POLICY_ROBOTS", f"{page['host']}: {rules.fault}")
        if not rules.allow(place.url, self.agent):
            raise PageFault("POLICY_ROBOTS", f"{page['host']} asks robots to leave this page alone")
        delay = min(rules.delay(self.agent), self.longest_delay / 1000)
        if delay:
            hosts_here().pace(page["host"], delay)
        return page

    async def _ask(self, origin: str) -> Rules:
        """Fetch the rules of a site; the pages that ask meanwhile wait for the same answer."""
        if origin not in self._asking:
            self._asking[origin] = asyncio.create_task(fetch_rules(origin, self._door, {"user-agent": self.introduction}))
        rules = await asyncio.shield(self._asking[origin])
        if self._asking.pop(origin, None):
            self._rules.keep(origin, rules)
        return rules
