"""The services that search the web: SearXNG, Brave and Serper."""

from __future__ import annotations

import asyncio
import html
import json
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, Final, Self
from urllib.parse import urlencode

from transmissions import Protected, Range, RunError, Secret, Unit

from .crawl_fetch import refusal
from .crawl_page import PageFault, may_pass
from .egress import take_apart
from .fetch import Door, Request
from .fetch_errors import NotConnected
from .fetching import check_url
from .web_search import Hit, _WebSearch, distinct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .exchange import Reply
    from .web_search import SearchRequest

_OK: Final = range(200, 300)
_FORBIDDEN: Final = 403
_FIRST_WAIT: Final = 0.5
"""Seconds before the second try; each further wait is twice as long."""
_PAGES: Final = 10
"""Pages of hits that are asked for, at most."""
_OF_BRAVE: Final = 20
_OF_SERPER: Final = 10
"""Hits of a page, at most."""


class _OnlineSearch(_WebSearch):
    """Searches by asking a service, which answers in JSON."""

    url: Annotated[str, Protected()]
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 10_000
    "How long an answer may take."
    max_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 4 * 2**20
    "How large it may be, as it travels and decoded."
    tries: Annotated[int, Range(ge=1)] = 3
    "How often the service is asked, if that fails in a way that may pass."
    patience: Annotated[int, Range(ge=0), Unit("ms")] = 10_000
    "How long it is waited for, if it asks for that; if it asks for more, the search has failed."
    _door: Door

    def __post_init__(self) -> None:
        """Refuse a URL that is none."""
        check_url("url", self.url)

    async def __aenter__(self) -> Self:
        self._door = Door(timeout=self.timeout / 1000, max_bytes=self.max_bytes)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._door.__aexit__(*exc)

    async def find(self, request: SearchRequest) -> list[Hit]:
        """Ask for pages of hits until there are enough, or nothing new comes."""
        hits: list[Hit] = []
        for page in range(_PAGES):
            known = len(hits)
            found, is_last = self.read(await self._ask(self.question(request, page)))
            hits = distinct([*hits, *found])
            if is_last or len(hits) >= request.limit or len(hits) == known:
                break
        return hits

    @abstractmethod
    def question(self, request: SearchRequest, page: int) -> Request:
        """Return what the service is asked for a page of hits; the first one is 0."""

    @abstractmethod
    def read(self, answer: Any) -> tuple[list[Hit], bool]:
        """Return the hits of an answer, and whether there are no more behind them.

        Raises:
            RunError: it is something else.

        """

    async def _ask(self, question: Request) -> Any:
        for attempt in range(1, self.tries + 1):
            try:
                reply = await self._door.fetch(question, trusted=True)
                self._check(reply)
                return reply.json()
            except RunError as error:
                if attempt == self.tries or not may_pass(error, self.patience / 1000):
                    raise
                await asyncio.sleep(error.retry_after or _FIRST_WAIT * 2 ** (attempt - 1))
        raise AssertionError("a try has its end")

    def _check(self, reply: Reply) -> None:
        if reply.status not in _OK:
            fault = refusal(reply)
            said = f"{take_apart(reply.url).shown} answered {fault}{_patience(fault)}{self.reason(reply.status)}"
            raise PageFault(fault.code, said, retry_after=fault.retry_after)

    def reason(self, status: int) -> str:
        """Return what a status means at this service, to be put behind it."""
        return ""

    def odd(self) -> RunError:
        """Return the error for an answer that is none to a search."""
        return RunError(f"{take_apart(self.url).shown} answered something else than the results of a search")

    def rows(self, answer: Any, name: str) -> list[dict[str, Any]]:
        """Return the objects in a list of an answer."""
        listed = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise self.odd()
        return [one for one in listed if isinstance(one, dict)]


class SearXNGSearch(_OnlineSearch):
    """Search the web with SearXNG, a search engine that asks others, and that you run yourself.

    Reads a message of `query`, `limit` (10, at most 50), `include_content`, `crawl_options` (those of a crawl), `country` and
    `locale`. Writes the events `search_start` and `search_results`, and, if there are hits, `crawl_start` and then a message of
    `urls` for a CrawlFrontier; without `include_content` a `search_result` for each hit, and nothing for the frontier. Each
    page is found once, and ranks are in the order of the service.

    The server must have `json` among its `formats`. As its URL is yours, it may be in a private network. A service that is
    busy is asked again, after what it asks for in `Retry-After`; a search that fails is a failure of the step.

    ```turtle
    :search a :SearXNGSearch ; :url "http://localhost:8888" .
    ```
    """

    url: Annotated[str, Protected()] = "http://localhost:8888"
    "Where the server is."

    async def find(self, request: SearchRequest) -> list[Hit]:
        """Ask as the others do, and say what is expected at the URL if nothing is there."""
        try:
            return await super().find(request)
        except NotConnected as error:
            raise type(error)(f"{error}; SearXNG is to run there, or where :url says") from error

    def question(self, request: SearchRequest, page: int) -> Request:
        """Ask for a page of hits, of a language if one was named."""
        asked = {"q": request.query, "format": "json", "pageno": str(page + 1)}
        language = {"language": request.tag} if request.tag else {}
        return Request(f"{self.url.rstrip('/')}/search?{urlencode(asked | language)}", headers={"accept": "application/json"})

    def read(self, answer: Any) -> tuple[list[Hit], bool]:
        """Return the hits; whether there are more it does not say."""
        hits = _hits(self.rows(answer, "results"), "url", "title", "content")
        silent = answer.get("unresponsive_engines")
        if not hits and silent:
            self.context.log.warning("no engine of %s answered: %s", take_apart(self.url).shown, str(silent)[:500])
        return hits, not hits

    def reason(self, status: int) -> str:
        """Say what is most probably missing."""
        return "; are there `json` among the `formats` in its settings.yml?" if status == _FORBIDDEN else ""


class _SearchWithKey(_OnlineSearch):
    key: Annotated[Secret, Protected()]
    'The key of the API: `[ :env "NAME" ]`.'


class BraveSearch(_SearchWithKey):
    """Search the web with the API of Brave.

    Messages, events and failures are those of SearXNGSearch. The key is taken from the environment; without it nothing is run.

    ```turtle
    :search a :BraveSearch ; :key [ :env "BRAVE_API_KEY" ] .
    ```
    """

    url: Annotated[str, Protected()] = "https://api.search.brave.com/res/v1/web/search"
    "Where the API is."

    def question(self, request: SearchRequest, page: int) -> Request:
        """Ask for a page of hits."""
        asked = {"q": request.query, "count": str(min(request.limit, _OF_BRAVE)), "offset": str(page)}
        asked |= {"text_decorations": "false"}
        asked |= {"country": request.country.upper()} if request.country else {}
        asked |= {"search_lang": request.tag.partition("-")[0]} if request.locale else {}
        headers = {"accept": "application/json", "x-subscription-token": self.key.reveal()}
        return Request(f"{self.url}?{urlencode(asked)}", headers=headers)

    def read(self, answer: Any) -> tuple[list[Hit], bool]:
        """Return the hits; an answer without any has no `web`."""
        if not isinstance(answer, dict) or not isinstance(answer.get("query"), dict):
            raise self.odd()
        rows = self.rows(answer["web"], "results") if "web" in answer else []
        hits = _hits(rows, "url", "title", "description")
        plain = [Hit(one.url, html.unescape(one.title), html.unescape(one.snippet)) for one in hits]
        return plain, not answer["query"].get("more_results_available")


class SerperSearch(_SearchWithKey):
    """Search the web with Serper, which asks Google.

    Messages, events and failures are those of SearXNGSearch. The key is taken from the environment; without it nothing is run.

    ```turtle
    :search a :SerperSearch ; :key [ :env "SERPER_API_KEY" ] .
    ```
    """

    url: Annotated[str, Protected()] = "https://google.serper.dev/search"
    "Where the API is."

    def question(self, request: SearchRequest, page: int) -> Request:
        """Ask for a page of hits."""
        asked: dict[str, object] = {"q": request.query, "num": _OF_SERPER, "page": page + 1}
        asked |= {"gl": request.country.lower()} if request.country else {}
        asked |= {"hl": request.locale.replace("_", "-").lower()} if request.locale else {}
        headers = {"accept": "application/json", "content-type": "application/json", "x-api-key": self.key.reveal()}
        return Request(self.url, "POST", headers, json.dumps(asked).encode())

    def read(self, answer: Any) -> tuple[list[Hit], bool]:
        """Return the hits; a page that is not full is the last one."""
        rows = self.rows(answer, "organic")
        return _hits(rows, "link", "title", "snippet"), len(rows) < _OF_SERPER


def _hits(rows: Iterable[dict[str, Any]], *names: str) -> list[Hit]:
    return [Hit(*(_text(row.get(name)) for name in names)) for row in rows]


def _patience(fault: PageFault) -> str:
    return f" (retry-after: {fault.retry_after:g} s)" if fault.retry_after else ""


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
