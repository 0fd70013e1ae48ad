"""Searching the web, or what was kept of it: what a search is asked for, and the events that tell of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from transmissions import Length, Pattern, Range, Record, RunError, Source, UsageError, read_request

from .crawl_request import CrawlOptions
from .crawl_scope import canonical
from .egress import take_apart
from .fetch_errors import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from transmissions import Message

_TITLE: Final = 300
_SNIPPET: Final = 1000
"""Characters of them that are told, at most."""


class SearchRequest(Record):
    """What the first message of a search says."""

    query: Annotated[str, Length(ge=1, le=500)]
    "What is looked for."
    limit: Annotated[int, Range(ge=1, le=50)] = 10
    "How many pages are found at most."
    include_content: bool = True
    "Whether the pages are fetched and read; without, nothing but their titles and snippets is told."
    crawl_options: CrawlOptions = CrawlOptions()
    "How they are fetched and read."
    country: Annotated[str | None, Pattern("[A-Za-z]{2}")] = None
    "Where the search is made, `DE`; for providers that ask for it."
    locale: Annotated[str | None, Pattern("[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,4})?")] = None
    "The language of what is found, `de` or `de-AT`; for providers that ask for it."

    def __post_init__(self) -> None:
        """Refuse a query without a word."""
        if not self.query.strip():
            raise UsageError("query: is empty")

    @property
    def tag(self) -> str:
        """The language with its region, as BCP 47 has it, with the country for a region where none is named."""
        language, _, region = (self.locale or "").replace("_", "-").partition("-")
        region = region or self.country or ""
        return f"{language.lower()}-{region.upper()}" if language and region else language.lower()


class Hit(NamedTuple):
    """One page that was found."""

    url: str
    title: str
    snippet: str


class _WebSearch(Source, ABC):
    """Searches."""

    extra = "crawl"
    accepts = SearchRequest

    async def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield the events of a search, and what its crawl is asked for."""
        request = read_request(SearchRequest, message)
        yield {"event": "search_start", "query": request.query, "limit": request.limit}
        began = time.monotonic()
        try:
            hits = await self.find(request)
        except RunError as error:
            error.is_late = True  # That the search began is told first.
            raise
        milliseconds = round((time.monotonic() - began) * 1000)
        found = [_told(rank, hit) for rank, hit in enumerate(hits[: request.limit], 1)]
        about = {"query": request.query, "urls_found": len(found), "search_time_ms": milliseconds}
        yield {"event": "search_results", **about, "results": found}
        if request.include_content and found:
            yield {"event": "crawl_start", "total_urls": len(found)}
            urls = [one["url"] for one in found]
            yield {"urls": urls, "options": message.get("crawl_options", {}), "about": [_rest(one) for one in found]}
        elif not request.include_content:
            for one in found:
                yield {"event": "search_result", **one}

    @abstractmethod
    async def find(self, request: SearchRequest) -> list[Hit]:
        """Return what is found, in order, each page once; more than the limit do no harm.

        Raises:
            RunError: the search failed.

        """


def distinct(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits without those that lead to a page a second time, and those that lead to none."""
    known: dict[str, Hit] = {}
    for hit in hits:
        key = _key(hit.url)
        if key:
            known.setdefault(key, hit)
    return list(known.values())


def _key(url: str) -> str:
    try:
        return canonical(take_apart(url))
    except Refused:
        return ""  # A magnet, a mail address: no page.


def _told(rank: int, hit: Hit) -> dict[str, Any]:
    return {"url": hit.url, "rank": rank, "search_title": hit.title[:_TITLE], "search_snippet": hit.snippet[:_SNIPPET]}


def _rest(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "url"}
