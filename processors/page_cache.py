"""Pages that were fetched before: looked for in front of a crawl's steps (PageRecall), kept behind them (PageRemember)."""

from __future__ import annotations

import json
import time
from hashlib import blake2b
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING, Any, Final, Self

from transmissions import RunError, __version__, as_json, suggestion

from .crawl_gate import thresholds_said
from .crawl_page import is_open
from .crawl_request import CACHE_MODES
from .crawl_scope import host_of
from .egress import take_apart
from .fetch_errors import Refused
from .page_keeping import _AtTheShelf
from .page_shelf import Flight

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transmissions import Message

_OF_THE_CRAWL: Final = frozenset(
    ["cache_mode", "concurrency", "exclude", "include", "max_depth", "max_pages", "scope", "sitemaps", "timeout_seconds"]
)
"""Options that say which pages are fetched, not what becomes of one."""
_OF_THE_FETCH: Final = frozenset(
    ["agent", "attempts", "body", "bytes", "cache_key", "from_cache", "is_changed", "is_revalidated", "stale"]
)
"""Fields that are true of one fetch alone, or too large to be kept."""
_VALIDATORS: Final = ("etag", "last-modified")
_LONGEST: Final = 200
"""Characters of a path that stand in a key."""
_DIGEST: Final = 16
"""Bytes of a key's digest."""
_SHOWN: Final = 8
"""Digits of the digest that clients are shown; all of them make the key, for eight are soon the same twice."""
_OK: Final = range(200, 300)


class PageRecall(_AtTheShelf):
    """Take pages that were fetched before from where PageRemember has kept them.

    Writes `cache_key`, `crawl:v1:HOST:PATH:DIGITS`. The digits stand for the URL, the options of the request that change what
    comes of a page (`extraction`, `headless`), the settings of all steps up to PageRemember and the gate's of the environment:
    whoever may fetch less, or reads otherwise, is given nothing of it. A page that is there and not older than `ttl` gets all
    that was found out then, with the `status`, the gate's decision and the quality of that time, and `from_cache`; the steps
    behind let it pass. One that is older is put into `stale`, and PageFetch asks whether it has changed. `options.cache_mode`
    of a request says whether pages are looked for and kept.

    A page that is being fetched already is waited for, and so fetched once; only with `:concurrency` and `:ordered false`, for
    others could not overtake it. A store that fails is told once, and the crawl goes on without it. `summary` has in `cache`
    how many pages were `fresh`, `old` and `absent`, and how many were `waited` for.

    ```turtle
    :recall a :PageRecall ; :concurrency 64 ; :ordered false ; :settings :cache .
    :cache :store "redis://localhost:6379/0" ; :ttl 86400000 .
    ```
    """

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        mine, *behind = dropwhile(lambda node: node.path != self.context.node, self.context.plan.nodes())
        self._waits = mine.concurrency > 1 and not mine.ordered
        between = takewhile(lambda node: not node.type.endswith("PageRemember"), behind)
        settings = [(node.type, node.settings) for node in between]
        self._steps = json.dumps([__version__, thresholds_said(), settings], sort_keys=True, default=str)
        return self

    async def process(self, message: Message) -> Message:
        """Look for a page."""
        reads, writes = _mode(message) if is_open(message) else (False, False)
        if reads or writes:
            try:
                key = self._key(message)
            except Refused:  # To fetch it will say so, better.
                return message
            await self._recall(message, key, reads=reads, writes=writes)
        return message

    async def _recall(self, page: Message, key: str, *, reads: bool, writes: bool) -> None:
        page["cache_key"] = key[: _SHOWN - 2 * _DIGEST]
        if reads and self._waits:
            self._counted["waited"] += await self._shelf.wait(key, self.patience / 1000)
        flight = self._shelf.take_off(key, page) if writes else None
        found = await self._find(key) if reads else None
        if found:
            age, fields = found
            if age < self.ttl:
                page |= {**fields, "from_cache": True}
                if flight:
                    flight.done(page)
                return
            page["stale"] = fields
        if flight:
            page["flight"] = flight

    async def _find(self, key: str) -> tuple[float, dict[str, Any]] | None:
        """Return the age in milliseconds of what is kept, and its fields."""
        entry = await self._shelf.get(key, self.context.log)
        stored, fields = _read(entry) if entry else (0.0, {})
        age = abs(time.time() - stored) * 1000  # A clock that was put back makes nothing last for ever.
        self._counted["fresh" if age < self.ttl else "old" if age < self.keep else "absent"] += 1
        return (age, fields) if age < max(self.ttl, self.keep) else None

    def _key(self, page: Message) -> str:
        place = take_apart(page["url"])
        options = {name: value for name, value in _options(page).items() if name not in _OF_THE_CRAWL}
        said = json.dumps([place.url, place.user, options, self._steps], sort_keys=True, default=str)
        path = place.path.partition("?")[0].strip("/")[:_LONGEST]
        digest = blake2b(said.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).hexdigest()
        return f"crawl:v1:{host_of(place)}:{path}:{digest}"


class PageRemember(_AtTheShelf):
    """Keep pages that are well, for PageRecall to find.

    What the steps between the two have added to a page is kept, but for its `body`: a page with a status of success and
    without a fault, unless its server asks otherwise or it is larger than `maxEntry`. A page that was older than `ttl` gets
    `is_changed`: whether its `content_hash` is another now. Of a page that was rendered nothing is asked on condition later:
    its server knows of its first document only. `summary` has in `cache` how many pages were `stored`, `unchanged`,
    `too_large`, `not_allowed`, `unfit` (JSON has no words for a field) and `lost` (the store fails), and how many `evicted` to
    make room.

    ```turtle
    :remember a :PageRemember ; :concurrency 64 ; :ordered false ; :settings :cache .
    :cache :store "pages.db" ; :maxBytes 1073741824 .
    ```
    """

    async def process(self, message: Message) -> Message:
        """Keep a page."""
        flight, stale = (message.pop(name, None) for name in ("flight", "stale")) if "cache_key" in message else (None, None)
        try:
            if "fault" not in message and message.get("status") in _OK:
                if stale:
                    message["is_changed"] = _content(message) != _content(stale)
                if isinstance(flight, Flight):
                    await self._remember(message, flight)
        finally:
            if isinstance(flight, Flight):
                flight.done(message)
        return message

    async def _remember(self, page: Message, flight: Flight) -> None:
        self._counted["unchanged"] += bool(page.get("is_revalidated"))
        if self.obey and _asks_not_to(page):
            self._counted["not_allowed"] += 1
            return
        now = time.time()
        entry = self._entry(page, flight.before, now)
        if entry:
            evicted = await self._shelf.put(flight.key, now, entry, self.context.log)
            self._counted["lost" if evicted is None else "stored"] += 1
            self._counted["evicted"] += evicted or 0

    def _entry(self, page: Message, before: Iterable[str], now: float) -> bytes | None:
        if _length(page) > self.max_entry:  # to write it would take long, and be in vain
            self._counted["too_large"] += 1
            return None
        fields = {name: page[name] for name in page.keys() - _OF_THE_FETCH - set(before) if not isinstance(page[name], bytes)}
        headers = {} if page.get("rendered") else page.get("headers", {})
        fields["headers"] = {name: headers[name] for name in _VALIDATORS if name in headers}
        try:
            entry = as_json({"stored": now, "page": fields}, strict=True)
        except RunError as error:
            if not self._counted["unfit"]:
                self.context.log.warning("pages as this one are not kept: %s: %s", page["url"], error)
            self._counted["unfit"] += 1
            return None
        if len(entry) > self.max_entry:
            self._counted["too_large"] += 1
            return None
        return entry


def _options(page: Message) -> dict[str, Any]:
    return page.get("options") or {}


def _mode(page: Message) -> tuple[bool, bool]:
    mode = _options(page).get("cache_mode", "read_write")
    if mode not in [*CACHE_MODES]:
        raise RunError(f"options.cache_mode is {mode!r}, and no mode there is{suggestion(str(mode), CACHE_MODES)}")
    return CACHE_MODES[mode]


def _read(entry: bytes) -> tuple[float, dict[str, Any]]:
    """Return when a page was kept, and its fields; what cannot be read is as old as can be."""
    try:
        found = json.loads(entry)
        return float(found["stored"]), dict(found["page"])
    except (ValueError, TypeError, KeyError):
        return 0.0, {}


def _content(page: Message) -> Any:
    return (page.get("document") or {}).get("content_hash")


def _length(page: Message) -> int:
    """Return how many characters of text a page has: its entry has no fewer bytes."""
    return sum(len(value) for value in (page.get("document") or {}).values() if isinstance(value, str))


def _asks_not_to(page: Message) -> bool:
    said = (page.get("headers") or {}).get("cache-control", "").lower()
    return not {word.partition("=")[0].strip() for word in said.split(",")}.isdisjoint({"no-store", "private"})
