"""The events of a run, typed. All that was sent is in `data`; a name that is not known here is an `Event`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .crawls import Document, Hit, Page
from .numbers import whole

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `seq` is 0 for one that tells of the connection, and of a bare record where its protocol has no number."""

    name: str
    seq: int
    data: Mapping[str, Any]

    @property
    def timestamp(self) -> str:
        """When it happened: RFC 3339, UTC."""
        return str(self.data.get("timestamp", ""))


@dataclass(frozen=True, slots=True)
class Metadata(Event):
    """The first: who the run is."""

    @property
    def request_id(self) -> str:
        """The name of the run."""
        return str(self.data.get("request_id", ""))

    @property
    def session_id(self) -> str:
        """The session it belongs to."""
        return str(self.data.get("session_id", ""))


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far the run is."""

    @property
    def completed(self) -> int:
        """Results so far."""
        return whole(self.data, "completed")

    @property
    def total(self) -> int | None:
        """How many there will be, where that is known."""
        return self.data.get("total")


@dataclass(frozen=True, slots=True)
class Result(Event):
    """A final message of the run."""

    @property
    def index(self) -> int:
        """Its number, from 0."""
        return whole(self.data, "index")

    @property
    def result(self) -> Any:
        """The message."""
        return self.data.get("result")

    @property
    def page(self) -> Page:
        """The message as a page, where the run is a crawl."""
        return Page.of(self.result if isinstance(self.result, dict) else {})


@dataclass(frozen=True, slots=True)
class Failure(Event):
    """Something went wrong in the run, which may go on."""

    @property
    def error(self) -> Mapping[str, Any]:
        """What is told of it: type, category, message, retryable, error_code."""
        told = self.data.get("error")
        return told if isinstance(told, dict) else {"message": told or self.data.get("message")}

    @property
    def message(self) -> str:
        """The sentence."""
        return str(self.error.get("message") or "")

    @property
    def url(self) -> str:
        """The page that it is about, where the run is a crawl."""
        return str(self.data.get("url") or "")


@dataclass(frozen=True, slots=True)
class Output(Event):
    """What the app prints."""

    @property
    def text(self) -> str:
        """As it is printed."""
        return str(self.data.get("text") or "")


@dataclass(frozen=True, slots=True)
class Summary(Event):
    """The last: what became of the run."""

    @property
    def status(self) -> str:
        """Complete, partial, cancelled or failed."""
        return str(self.data.get("status", ""))

    @property
    def successful(self) -> int:
        """How many results there were."""
        return whole(self.data, "successful")

    @property
    def failed(self) -> int:
        """How many errors there were."""
        return whole(self.data, "failed")


@dataclass(frozen=True, slots=True)
class Reset(Event):
    """The server does not have all that came behind the last event any more; it goes on with `first`."""

    @property
    def since(self) -> int:
        """The number of the last event that was asked for more of; -1 if it is not known."""
        return -1 if self.data.get("since") == -1 else whole(self.data, "since")

    @property
    def first(self) -> int:
        """The number of the event that comes next."""
        return whole(self.data, "first") or 1


@dataclass(frozen=True, slots=True)
class Heartbeat(Event):
    """A sign that the connection lives."""


@dataclass(frozen=True, slots=True)
class SystemStatus(Event):
    """How the server is."""


@dataclass(frozen=True, slots=True)
class BackpressureWarning(Event):
    """The client is behind."""


@dataclass(frozen=True, slots=True)
class Record(Event):
    """What an endpoint sends that has no envelopes."""


@dataclass(frozen=True, slots=True)
class SearchStart(Event):
    """A search begins."""

    @property
    def query(self) -> str:
        """What is looked for."""
        return str(self.data.get("query") or "")


@dataclass(frozen=True, slots=True)
class SearchResults(SearchStart):
    """What was found."""

    @property
    def hits(self) -> list[Hit]:
        """The pages, the best first."""
        found = self.data.get("results")
        return [Hit.of(hit) for hit in found if isinstance(hit, dict)] if isinstance(found, list) else []


@dataclass(frozen=True, slots=True)
class SearchResult(Event):
    """One page that was found, read if that was asked for."""

    @property
    def hit(self) -> Hit:
        """How it was found."""
        return Hit.of(self.data)

    @property
    def content(self) -> Document | None:
        """What it says."""
        content = self.data.get("content")
        return Document.of(content) if isinstance(content, dict) else None

    @property
    def page(self) -> Page | None:
        """What became of fetching it."""
        crawled = self.data.get("crawl_result")
        return Page.of({"url": self.hit.url, **crawled}) if isinstance(crawled, dict) else None


@dataclass(frozen=True, slots=True)
class SearchSummary(SearchStart):
    """What became of a search."""

    @property
    def urls_found(self) -> int:
        """How many pages were found."""
        return whole(self.data, "urls_found")

    @property
    def urls_crawled(self) -> int:
        """How many of them were read."""
        return whole(self.data, "urls_crawled")


KINDS: Final[Mapping[str, type[Event]]] = {
    "metadata": Metadata,
    "progress": Progress,
    "result": Result,
    "error": Failure,
    "output": Output,
    "summary": Summary,
    "reset": Reset,
    "heartbeat": Heartbeat,
    "ping": Heartbeat,
    "system_status": SystemStatus,
    "backpressure_warning": BackpressureWarning,
}
_OF_SEARCHES: Final[Mapping[str, type[Event]]] = {
    "search_start": SearchStart,
    "search_results": SearchResults,
    "search_result": SearchResult,
    "search_summary": SearchSummary,
}


def read(data: Any, seq: int = 0, name: str = "") -> Event:
    """Return an event of what JSON was sent; one that does not say what it is is a bare record, and the protocol may."""
    if not isinstance(data, dict) or not isinstance(data.get("event"), str):
        return Record(name or "record", seq, data if isinstance(data, dict) else {"value": data})
    name = data["event"]
    kind = KINDS.get(name) or _OF_SEARCHES.get(name, Event)
    return kind(name, whole(data, "seq"), data)
