"""Where a crawl ends: each page becomes one result or one error, and the frontier is told what it links to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from transmissions import Processor, Range, RunError, Unit, as_json

from .crawl_figures import Figures
from .crawl_lines import REPORTED
from .crawl_page import FAULTS, PageFault, is_page, told
from .moments import now

if TYPE_CHECKING:
    from transmissions import Message

_ADDED: Final = (
    "final_url",
    "redirects",
    "content_type",
    "charset",
    "fetched_at",
    "bytes",
    "depth",
    "note",
    "noindex",
    "is_revalidated",
    "is_changed",
)
"""What is told of a page besides what every result has."""
_SURELY: Final = 6
"""Bytes one character of text takes in JSON, at most."""


class CrawlReport(Processor):
    r"""Make of each page the event that tells of it: one `result`, or one `error`.

    A `result` has `index`, `result` (`url`, `status`, `from_cache`, `gate_decision`, `quality_score`, `processing_time_ms`,
    `document`, `error`, `cache_key` and what is known of the fetch), `progress` and `pipeline_metadata`. An `error` has `url`,
    `index`, `status`, `message`, `error` (`type`, `category`, `error_code`, `retryable`, …) and `recovery_suggestions`. What
    is no page passes. The run's `progress` and `summary` tell the figures of the crawl, and an error makes it end with code 3.

    ```turtle
    :report a :CrawlReport ; :longest 1048576 .
    ```
    """

    extra = "crawl"
    stateful = True

    longest: Annotated[int | None, Range(ge=1024), Unit("bytes")] = None
    "How long a result may be, as JSON; a longer one is an error. Unlimited if not said."

    def __post_init__(self) -> None:
        """Begin to count."""
        self._figures = Figures()

    async def __aenter__(self) -> Self:
        self.context.whiteboard[REPORTED] = True
        return self

    def process(self, message: Message) -> Message | list[Message]:
        """Turn a page into its event."""
        if is_page(message):
            return self._report(message)
        if "urls" in message:
            raise RunError("the request in the field 'urls' was read by nobody: a CrawlFrontier belongs in front")
        return message

    def finish(self) -> list[Message] | None:
        """Say in words how the crawl went."""
        figures = self._figures
        pages = f"{figures.completed} page{'' if figures.completed == 1 else 's'}"
        words = f"{figures.successful} of {pages} read, {figures.from_cache} from the cache"
        self.context.emit("summary", text=words)
        return None

    def event_of(self, page: Message, milliseconds: int) -> Message:
        """Return the event that tells of a page that is well."""
        return result_of(page, milliseconds)

    def _report(self, page: Message) -> Message:
        milliseconds = round((time.monotonic() - page.get("began", time.monotonic())) * 1000)
        event = {} if "fault" in page else self.event_of(page, milliseconds)
        if self._is_too_long(page, event):
            page["fault"] = told(PageFault("LIMIT_LINE", f"the result is longer than {self.longest} bytes"))
        figures = self._figures
        figures.count(page, milliseconds)
        self._tell(page)
        if "fault" in page:
            self.context.skip(f"{page['url']}: {_reason(page)}", told=True, url=page["url"])
            return error_of(page)
        return event | {
            "progress": {"completed": figures.completed, "total": self._total(), "success_rate": figures.success_rate}
        }

    def _tell(self, page: Message) -> None:
        ticket = page.pop("ticket", None)
        if ticket:
            ticket.done(page)
        self.context.emit("progress", **self._figures.progress(page, self._total()))
        self.context.emit("summary", **self._figures.summary(self._total()))

    def _total(self) -> int:
        crawl = self.context.whiteboard.get("crawl")
        return max(getattr(crawl, "total", 0), self._figures.completed)

    def _is_too_long(self, page: Message, event: Message) -> bool:
        document = page.get("document") or {}
        text = len(document.get("markdown") or "") + len(document.get("text") or "")
        return self.longest is not None and text * _SURELY > self.longest and len(as_json(event)) > self.longest


def result_of(page: Message, milliseconds: int) -> Message:
    """Return what is told of a page that is well."""
    return {
        "event": "result",
        "index": page.get("index", 0),
        "result": {
            "url": page["url"],
            "status": page.get("status", 0),
            "from_cache": bool(page.get("from_cache")),
            "gate_decision": page.get("gate_decision", "raw"),
            "quality_score": page.get("quality_score", 0.0),
            "processing_time_ms": milliseconds,
            "document": page.get("document"),
            "error": None,
            "cache_key": page.get("cache_key", ""),
            **{name: page[name] for name in _ADDED if name in page},
        },
        "pipeline_metadata": {
            "gate_decision_reason": page.get("gate_decision_reason", ""),
            "extraction_method": page.get("extraction_method", ""),
            "processing_stages": page.get("processing_stages", []),
        },
    }


def _reason(page: Message) -> str:
    return str(page["fault"]["message"]).removeprefix(f"{page['url']}: ")


def error_of(page: Message) -> Message:
    """Return what is told of a page that has failed."""
    fault: dict[str, Any] = page["fault"]
    return {
        "event": "error",
        "url": page["url"],
        "index": page.get("index", 0),
        "status": page.get("status", 0),
        "message": fault["message"],
        "error": {**fault, "timestamp": now()},
        "recovery_suggestions": list(FAULTS[fault["error_code"]].suggestions),
    }
