"""Where a search ends: SearchReport tells what became of each page that was found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .access import need_text
from .crawl_page import is_page
from .crawl_report import CrawlReport, result_of

if TYPE_CHECKING:
    from transmissions import Message


class _Search:
    """One search, as far as it is told."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.began = time.monotonic()
        self.found: int | None = None
        """How many pages were found, once that is known."""
        self.asked = self.crawled = self.failed = 0
        """How many of them were to be crawled, were, and could not be."""

    def hear(self, event: Message) -> None:
        """Take what an event tells of the search."""
        self.found = event.get("urls_found", self.found)
        self.asked = event.get("total_urls", self.asked)

    def summary(self) -> Message:
        """Return the event that ends it."""
        return {
            "event": "search_summary",
            "query": self.query,
            "status": "complete" if self.crawled == self.asked else "partial",
            "urls_found": self.found,
            "urls_crawled": self.crawled,
            "urls_failed": self.failed,
            "total_processing_time_ms": round((time.monotonic() - self.began) * 1000),
        }


class SearchReport(CrawlReport):
    """Make of each page that was searched for the event that tells of it, and at the end tell how the search went.

    A `search_result` has `url`, `rank`, `search_title`, `search_snippet`, `content` (`title`, `markdown`, `word_count`) and
    `crawl_result` (`status`, `processing_time_ms`, `quality_score`, `from_cache`). An `error` is that of a CrawlReport, with
    rank, title and snippet. Pages that were not found but linked to are `result`s. The last event is the `search_summary`:
    `query`, `status`, `urls_found`, `urls_crawled`, `urls_failed` and `total_processing_time_ms`. A search that
    failed has none.

    ```turtle
    :report a :SearchReport .
    ```
    """

    def __post_init__(self) -> None:
        """Begin to count."""
        super().__post_init__()
        self._search: _Search | None = None

    def process(self, message: Message) -> Message | list[Message]:
        """Turn a page into its event, and look at those of the search."""
        if is_page(message):
            return self._of_page(message)
        if message.get("event") == "search_start":
            ended, self._search = self._end(), _Search(need_text(message, "query"))
            return [*ended, message]
        if self._search:
            self._search.hear(message)
        return super().process(message)

    def finish(self) -> list[Message]:
        """End the last search."""
        super().finish()
        ended = self._end()
        if ended:
            self.context.emit("summary", text="{urls_found} found, {urls_crawled} of them read".format_map(ended[-1]))
        return ended

    def event_of(self, page: Message, milliseconds: int) -> Message:
        """Return the event that tells of a page that is well."""
        if "about" not in page:
            return result_of(page, milliseconds)
        document = page.get("document") or {}
        return {
            "event": "search_result",
            "url": page["url"],
            "content": {name: document.get(name) for name in ("title", "markdown", "word_count")},
            "crawl_result": {
                "status": page.get("status", 0),
                "processing_time_ms": milliseconds,
                "quality_score": page.get("quality_score", 0.0),
                "from_cache": bool(page.get("from_cache")),
            },
        }

    def _of_page(self, page: Message) -> Message:
        event, about = self._report(page), page.get("about")
        if about and self._search:
            self._search.crawled += "fault" not in page
            self._search.failed += "fault" in page
        return {**event, **about} if about else event

    def _end(self) -> list[Message]:
        search, self._search = self._search, None
        return [search.summary()] if search and search.found is not None else []
