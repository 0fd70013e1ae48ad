"""Fetching the pages of a crawl: politely, again where that helps, and with a reason where there is none."""

from __future__ import annotations

import asyncio
import random
import re
from math import ceil
from typing import TYPE_CHECKING, Annotated, Final, Self

from transmissions import Processor, Range, RunError, Unit

from .crawl_network import OnTheWeb
from .crawl_page import PageFault, attempt_page, is_open, mark, may_pass, told
from .crawl_scope import host_of
from .egress import take_apart
from .exchange import Request
from .fetch_errors import BadTLS, NoAddress, NotConnected, TimedOut
from .fetching import seconds_asked
from .hosts import Away, Busy, hosts_here
from .media_types import charset_of, media_type
from .moments import now

if TYPE_CHECKING:
    from transmissions import Message

    from .exchange import Answer, Reply
    from .fetch import Door

_OK: Final = range(200, 300)
_NOT_MODIFIED: Final = 304
_AGAIN: Final = {408, 425, 429, 503}
"""Statuses that ask for patience."""
_SERVER: Final = 500
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 10.0
"""Seconds between two tries."""
_LONGEST_PAUSE: Final = 600.0
"""Seconds for which a host is left alone, whatever it asks for."""


class PageFetch(OnTheWeb, Processor):
    """Fetch the page of each message, and write what came into it.

    Writes `status`, `final_url`, `redirects`, `headers` (names in lower case), `content_type`, `charset` (of the headers),
    `fetched_at`, `body` (bytes, decoded from its content-encoding), `bytes` (how many), `agent` (the first word of `userAgent`)
    and `attempts`. What fails in a way that may pass is tried again, after what the server asks for in `Retry-After`; all
    crawls of the process leave it alone as long, ten minutes at most, and for half a minute a host that could not be reached
    ten times in a row: its pages then fail at once. A status that is no success, a content type that is not accepted, and a
    body that is too large are faults of the page, which goes on without a body. A page that a cache holds but that is old
    (`stale`) is asked for on condition, and taken from there if it is unchanged.

    URLs come with data: they, and all they redirect to, may lead to public addresses only, or to what `allow` names.

    ```turtle
    :fetch a :PageFetch ; :concurrency 64 ; :ordered false ;
        :timeout 30000 ; :maxBytes 10485760 ; :tries 3 ; :perHost 2 ; :delay 250 .
    ```
    """

    extra = "crawl"
    one_by_one = True

    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 120_000
    "How long a page may take, whatever a request asks for."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 10 * 2**20
    "How large a page may be, as it travels and decoded."
    max_redirects: Annotated[int, Range(ge=0)] = 10
    "How many redirects are followed."
    tries: Annotated[int, Range(ge=1)] = 3
    "How often a page is tried, if it fails in a way that may pass."
    patience: Annotated[int, Range(ge=0), Unit("ms")] = 10_000
    "How long a server that asks for it is waited for; if it asks for more, the page has failed."
    per_host: Annotated[int, Range(ge=1)] = 2
    "How many requests one host is asked at once, by all crawls of this process together."
    delay: Annotated[int, Range(ge=0), Unit("ms")] = 0
    "How far apart two requests to a host begin, at least; a longer Crawl-delay of its robots.txt wins."
    accept: tuple[str, ...] = (
        "text/*",
        "application/xhtml+xml",
        "application/xml",
        "application/json",
        "application/pdf",
    )
    "Content types that are fetched; `*` stands for anything."
    _door: Door

    def __post_init__(self) -> None:
        """Prepare what is the same for all pages."""
        super().__post_init__()
        self._accepts = re.compile("|".join(re.escape(kind).replace(r"\*", "[^/]*") for kind in self.accept) or "(?!)")
        self._headers = {"accept": ", ".join([*self.accept, "*/*;q=0.1"]), "user-agent": self.introduction}

    async def __aenter__(self) -> Self:
        self._door = self.door(timeout=self.timeout / 1000, max_bytes=self.max_bytes, redirects=self.max_redirects)
        self._hosts = hosts_here()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._door.__aexit__(*exc)

    async def process(self, message: Message) -> Message:
        """Fetch a page."""
        return await attempt_page(message, self._fetch(message)) if is_open(message, "host") else message

    async def _fetch(self, page: Message) -> Message:
        seconds = min(page.get("options", {}).get("timeout_seconds", 30), self.timeout / 1000)
        for attempt in range(1, self.tries + 1):
            page |= {"status": 0, "attempts": attempt, "agent": self.agent}
            try:
                await self._try(page, seconds)
                break
            except RunError as error:
                if attempt == self.tries or not may_pass(error, self.patience / 1000):
                    page["fault"] = self._told(error, attempt, seconds)
                    return page
                await asyncio.sleep(error.retry_after or _pause(attempt))
        mark(page, "fetch")
        return page

    def _told(self, error: RunError, attempt: int, seconds: float) -> dict[str, object]:
        fault = told(error)
        tries = {"attempt_number": attempt, "max_retries": self.tries, "timeout_threshold_ms": round(seconds * 1000)}
        return fault | {"context": tries | fault["context"]}

    async def _try(self, page: Message, seconds: float) -> None:
        turn = self._hosts.turn(page["host"], self.per_host, self.delay / 1000, self.patience / 1000)
        try:
            async with turn, asyncio.timeout(seconds):
                await self._ask(page, seconds)
        except Busy as busy:
            said = f"{page['host']} asked to be left alone for {busy.seconds:.0f} s more"
            raise PageFault("HTTP_BUSY", said, retry_after=ceil(busy.seconds)) from None
        except Away as away:
            said = f"{page['host']} could not be reached again and again, and is left alone for {away.seconds:.0f} s"
            raise PageFault("NET_CONNECT", said, retry_after=ceil(away.seconds)) from None
        except TimeoutError:
            raise TimedOut(f"Connection timeout after {seconds:g} seconds") from None

    async def _ask(self, page: Message, seconds: float) -> None:
        request = Request(page["url"], headers=self._headers | _conditions(page), timeout=seconds)
        try:
            async with self._door.stream(request, trusted=False) as answer:
                self._hosts.reached(page["host"])
                await self._take(page, answer)
        except (NotConnected, NoAddress) as error:
            is_itself = error.origin.endswith(f"//{page['host']}")  # and not what it redirects to
            if is_itself and not isinstance(error, BadTLS):
                self._hosts.missed(page["host"])
            raise

    async def _take(self, page: Message, answer: Answer) -> None:
        kind = answer.headers.get("content-type", "")
        page |= {
            "status": answer.status,
            "final_url": answer.url,
            "redirects": list(answer.way),
            "headers": answer.headers,
            "content_type": media_type(kind),
            "charset": charset_of(kind),
            "fetched_at": now(),
        }
        if answer.status == _NOT_MODIFIED and "stale" in page:
            page |= {**page["stale"], "from_cache": True, "is_revalidated": True}
            return
        if answer.status not in _OK:
            fault = refusal(answer)
            self._hosts.hold(host_of(take_apart(answer.url)), min(fault.retry_after, _LONGEST_PAUSE))
            raise fault
        if page["content_type"] and not self._accepts.fullmatch(page["content_type"]):
            raise PageFault("PARSE_TYPE", f"{page['content_type']} is no content type that is fetched")
        page["body"] = b"".join([piece async for piece in answer.pieces])
        page["bytes"] = len(page["body"])


def _pause(attempt: int) -> float:
    return min(_FIRST_WAIT * 2.0 ** (attempt - 1), _LONGEST_WAIT) * random.uniform(0.5, 1.0)  # noqa: S311 - only to be apart


def _conditions(page: Message) -> dict[str, str]:
    stale = page.get("stale", {}).get("headers", {})
    known = {"if-none-match": stale.get("etag"), "if-modified-since": stale.get("last-modified")}
    return {name: value for name, value in known.items() if value}


def refusal(answer: Answer | Reply) -> PageFault:
    """Return what is wrong with an answer whose status is no success."""
    status = answer.status
    said = f"{status} {answer.reason}".rstrip()
    if status in _AGAIN:
        return PageFault("HTTP_BUSY", said, retry_after=seconds_asked(answer.headers.get("retry-after", "")), status=status)
    return PageFault("HTTP_SERVER" if status >= _SERVER else "HTTP_STATUS", said, status=status)
