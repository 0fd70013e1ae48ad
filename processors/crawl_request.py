"""What a crawl is asked for: URLs and options, with the same words on the command line, over HTTP and on a WebSocket."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_args

from transmissions import Length, Range, Record, Unit, UsageError

CacheMode = Literal["read_write", "enabled", "read_through", "write_through", "read_only", "write_only", "disabled", "bypass"]
_UNREAD: Final = ("write_only", "disabled", "bypass")
_UNWRITTEN: Final = ("read_only", "disabled", "bypass")
CACHE_MODES: Final = {mode: (mode not in _UNREAD, mode not in _UNWRITTEN) for mode in get_args(CacheMode)}
"""For each mode, whether a cache is read and whether it is written."""


class CrawlOptions(Record):
    """How the pages of one crawl are to be fetched and read."""

    concurrency: Annotated[int | None, Range(ge=1, le=256)] = None
    "How many pages are at work at once; what the frontier's setting says if nothing is said, and never more than that allows."
    cache_mode: CacheMode = "read_write"
    "Whether pages are taken from the cache, and put there."
    timeout_seconds: Annotated[float, Range(ge=0.1, le=300), Unit("s")] = 30
    "How long fetching one page may take, all redirects and each try by itself."
    extraction: Literal["article", "full"] = "article"
    "Whether the main text of a page is wanted, or all of it."
    headless: Literal["auto", "never", "always"] = "auto"
    "Whether a page is rendered in a browser: if it seems to need that, never, or always."
    max_depth: Annotated[int, Range(ge=0, le=100)] = 0
    "How many links away from the URLs that were asked for pages are fetched too."
    max_pages: Annotated[int, Range(ge=1)] = 100_000
    "How many pages are fetched at most."
    scope: Literal["host", "domain", "prefix", "any"] = "host"
    "Which links are followed: to the host of the URL that was asked for, to hosts below its name too, below its path, or all."
    include: Annotated[tuple[str, ...], Length(le=100)] = ()
    "Globs; only links whose path fits one are followed. `**` stands for any number of folders."
    exclude: Annotated[tuple[str, ...], Length(le=100)] = ()
    "Globs; links whose path fits one are not."
    sitemaps: bool = False
    "Whether the pages that a site lists in its sitemaps are fetched too, as if they were linked from the URL asked for."


class CrawlRequest(Record):
    """What the first message of a crawl says."""

    urls: Annotated[tuple[str, ...], Length(ge=1)]
    "The URLs, http or https. One that stands twice is answered twice."
    options: CrawlOptions = CrawlOptions()
    "How."
    about: tuple[Any, ...] = ()
    "For each URL, what its page is to carry along in `about`; by steps in front, not by clients."

    def __post_init__(self) -> None:
        """Refuse to leave out what is asked for."""
        if len(self.urls) > self.options.max_pages:
            raise UsageError(f"options.max_pages: {self.options.max_pages} are fewer than the {len(self.urls)} URLs asked for")
