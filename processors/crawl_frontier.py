"""Where a crawl begins: the URLs that are asked for, and those found on the way, each given out when it is its turn."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from transmissions import Protected, Range, Source, as_json, read_request, values_of

from .crawl_lines import REPORTED, Lines
from .crawl_network import OnTheWeb
from .crawl_page import PageFault, told
from .crawl_request import CrawlRequest
from .crawl_scope import Scope, canonical, host_of
from .egress import take_apart
from .fetch_errors import Refused
from .frontier_queue import Found, FrontierQueue, Row, key_of
from .robots_rules import REDIRECTS, fetch_rules, rules_here
from .sitemaps import LARGEST, pages_listed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from transmissions import Message

    from .crawl_tickets import Ticket
    from .fetch import Door

_PATIENCE: Final = 20.0
"""Seconds a sitemap may take to begin, and for each pause in it."""


class CrawlFrontier(OnTheWeb, Source):
    """Give out the pages of a crawl: the URLs a message asks for in `urls`, and, with `options.max_depth`, those they link to.

    A message of `urls` and `options` (see the reference of `crawl`) becomes a message for each page, with its `url`, its
    `index` in the request, its `depth` and its `host`. As many pages are at work as the request's `options.concurrency` says,
    and never more than `perHost` of one host: a page counts until the CrawlReport behind has it, or it was dropped on the way.
    Links are followed within the `scope` of the request, each once, whatever its fragment or campaign parameters; with
    `options.sitemaps` what the sites list in their sitemaps is taken for links. A URL that is none becomes a page with a fault.

    What waits is kept in SQLite, and takes no memory. With `state`, a file of the output folder, a crawl that was stopped or
    killed goes on when it is asked for again; a crawl that came to its end leaves no such file. Messages without `urls` pass.

    ```turtle
    :admit a :CrawlFrontier ; :atOnce 8 ; :perHost 2 ; :state "crawl.db" .
    ```
    """

    extra = "crawl"
    stateful = True
    accepts = CrawlRequest
    at_most: ClassVar = {"urls": "most_urls"}

    at_once: Annotated[int, Range(ge=1)] = 5
    "How many pages are at work at once, where a request says nothing."
    most_at_once: Annotated[int, Range(ge=1)] = 50
    "How many a request may ask for."
    per_host: Annotated[int, Range(ge=1)] = 2
    "How many of them may be of one host."
    most_urls: Annotated[int, Range(ge=1)] = 100_000
    "How many URLs one request may ask for."
    state: Annotated[str, Protected()] = ""
    "File of the output folder that what waits is kept in."
    _queue: FrontierQueue | None = None

    async def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield the pages of a crawl."""
        if "urls" not in message:
            yield message
            return
        request = read_request(CrawlRequest, message, at_most={"urls": self.most_urls})
        lines = self._begin(request)
        self.context.whiteboard["crawl"] = lines
        common = {"options": values_of(request.options)}
        # Without a report behind nobody would say that a page is done: whoever fetches says then how many there are at once.
        is_reported = REPORTED in self.context.whiteboard
        finder = asyncio.create_task(self._read_sitemaps(request, lines)) if request.options.sitemaps else None
        try:
            async for row, ticket in lines:
                pages = [_page(request, row, ticket, common)]
                if not is_reported:
                    ticket.done(pages[0])
                del ticket  # A page that is dropped must be held by nobody: its ticket would never come back.
                yield pages.pop()
            if finder:
                await finder  # It has ended, perhaps badly.
        finally:
            if finder:
                finder.cancel()
        self._end(is_finished=True)

    async def __aexit__(self, *exc: object) -> None:
        self._end(is_finished=False)

    async def __aenter__(self) -> Self:
        return self

    def _begin(self, request: CrawlRequest) -> Lines:
        said = as_json({"urls": request.urls, "options": repr(request.options)})
        self._queue = FrontierQueue(self.context.output_path(self.state) if self.state else None, key_of(said.decode()).hex())
        self._queue.add(_seeds(request.urls), len(request.urls))
        options, self._scope = request.options, Scope(request.options)

        def links(row: Row, page: Message) -> Iterable[Found]:
            is_far = row.depth >= options.max_depth
            return () if is_far else self._scope.select(page.get("links", ()), row, request.urls[row.seed - 1])

        at_once = min(options.concurrency or self.at_once, self.most_at_once)
        lines = self._lines = Lines(self._queue, at_once, self.per_host, options.max_pages, links)
        if lines.is_resumed:
            self.context.log.info("goes on with a crawl: %d pages were done", lines.total - lines.waiting)
        return lines

    async def _read_sitemaps(self, request: CrawlRequest, lines: Lines) -> None:
        """Queue what the sites of the URLs that were asked for list, as if these linked to it."""
        with lines.finding():
            async with self.door(timeout=_PATIENCE, max_bytes=LARGEST, redirects=REDIRECTS) as door:
                for origin, row in _origins(request.urls).items():
                    await self._read_sitemap(origin, row, lines, door)

    async def _read_sitemap(self, origin: str, row: Row, lines: Lines, door: Door) -> None:
        headers = {"user-agent": self.introduction}
        rules = rules_here().of(origin) or await fetch_rules(origin, door, headers)
        rules_here().keep(origin, rules)
        async for pages, faults in pages_listed(rules.sitemaps or [f"{origin}/sitemap.xml"], door, headers):
            lines.add(list(self._scope.select(pages, row, row.url)))
            for fault in faults:
                self.context.log.warning("%s", fault)

    def _end(self, *, is_finished: bool) -> None:
        queue, self._queue = self._queue, None
        if queue:
            self._lines.close()
            if self.state and not is_finished:
                self.context.log.warning("pages wait in '%s': run the same again to go on", self.state)
            queue.close(forget=is_finished)


def _origins(urls: Iterable[str]) -> dict[str, Row]:
    """Return the sites of URLs, each with the first URL there."""
    origins: dict[str, Row] = {}
    for number, url in enumerate(urls, 1):
        with contextlib.suppress(Refused):
            place = take_apart(url)
            origins.setdefault(place.origin, Row(number, url, host_of(place), 0, number))
    return origins


def _seeds(urls: Iterable[str]) -> Iterable[Found]:
    """Yield what is asked for: a URL that stands there twice is no link, and is fetched twice."""
    seen: dict[str, int] = {}
    for number, url in enumerate(urls, 1):
        try:
            place = take_apart(url)
            text, host = canonical(place), host_of(place)
        except Refused:
            text, host = f"no URL: {url}", ""
        times = seen[text] = seen.get(text, 0) + 1
        yield Found(key_of(text if times == 1 else f"{text} #{times}"), url, host, 0, number)


def _page(request: CrawlRequest, row: Row, ticket: Ticket, common: dict[str, Any]) -> Message:
    page: Message = {
        "url": row.url,
        "index": row.id - 1,
        "depth": row.depth,
        "host": row.host,
        "seed": request.urls[row.seed - 1],
        "began": time.monotonic(),
        "ticket": ticket,
        **common,
    }
    if row.id <= len(request.about):
        page["about"] = request.about[row.id - 1]
    if not row.host:
        page["fault"] = told(PageFault("POLICY_URL", _why(row.url)))
    return page


def _why(url: str) -> str:
    try:
        take_apart(url)
    except Refused as error:
        return str(error)
    return f"'{url}' is not a URL"
