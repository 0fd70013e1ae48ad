"""Events of a run, printed: for programs as NDJSON, and for people."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from .events import Event, Failure, Metadata, Output, Record, Reset, Result, SearchResult, SearchResults, Summary

_BEYOND: Final = {"heartbeat", "system_status", "backpressure_warning", "progress"}
"""Events that stand on the line of a terminal, and not above it."""


class Lines:
    """Prints events as NDJSON, or results alone; then stderr is told what is missing from them."""

    root = run = ""
    last = 0

    def __init__(self, *, results: bool) -> None:
        self._results = results

    def event(self, event: Event) -> None:
        """Print one."""
        if isinstance(event, Record) or not self._results:
            self._print(event.data)
        elif isinstance(event, Result):
            self._print(event.result)
        elif _is_trouble(event):
            sys.stderr.write(_printable(_said(event)) + "\n")

    def end(self) -> None:
        """Nothing is left to print."""

    def where(self, url: str) -> str:
        """Return the words by which to go on."""
        return f"{self.root}/runs/{self.run} --since {self.last}" if self.run else url

    def _print(self, data: Any) -> None:
        # What another encoding has no signs for would stand there in a way that is no JSON.
        is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        sys.stdout.write(json.dumps(data, ensure_ascii=not is_unicode) + "\n")
        sys.stdout.flush()


class Terminal(Lines):
    """Prints results and errors for people, with a line below them that says how far the run is."""

    def __init__(self) -> None:
        self._count = 0
        self._total: Any = None

    def event(self, event: Event) -> None:
        """Print one."""
        self._count += isinstance(event, Result)
        if event.name not in _BEYOND:
            self._write(_printable(_said(event)))
        told = event.data if event.name == "progress" else event.data.get("progress")
        self._total = (told.get("total") if isinstance(told, dict) else None) or self._total
        sys.stdout.write(f"\r\x1b[K{self._count}{f' of {self._total}' if self._total else ''} results")
        sys.stdout.flush()

    def end(self) -> None:
        """Take the line away."""
        self._write("")

    def _write(self, text: str) -> None:
        sys.stdout.write("\r\x1b[K" + (f"{text}\n" if text else ""))
        sys.stdout.flush()


def _is_trouble(event: Event) -> bool:
    return isinstance(event, Failure | Reset) or (isinstance(event, Summary) and event.status != "complete")


def _said(event: Event) -> str:
    if isinstance(event, Summary):
        return f"{event.status}: {event.successful} results, {event.failed} errors"
    if isinstance(event, Failure):
        return f"error: {event.url}: {event.message}" if event.url else f"error: {event.message}"
    if isinstance(event, Output):
        return event.text.rstrip("\n")
    if isinstance(event, Metadata):
        return f"run {event.request_id}"
    if isinstance(event, Reset):
        return _said_of_reset(event)
    data = event.result if isinstance(event, Result) else event.data
    return _said_of_page(event) or json.dumps(data, ensure_ascii=False, indent=None)


def _said_of_reset(event: Reset) -> str:
    if event.first - 1 > event.since >= 0:
        return f"events {event.since + 1} to {event.first - 1} are lost: the server has them no longer"
    return f"the server does not know how far this was: what it has comes anew, from event {event.first} on"


def _said_of_page(event: Event) -> str:
    """Return in one line what a crawl or a search tells, and nothing of anything else."""
    if isinstance(event, SearchResults):
        return f"found {len(event.hits)} pages"
    if isinstance(event, SearchResult):
        return f"{event.hit.rank}. {event.hit.url}  {event.hit.title}"
    page = event.page if isinstance(event, Result) else None
    return f"{page.status} {page.url}  {page.document.title or ''}".rstrip() if page and page.document else ""


def _printable(text: str) -> str:
    """Return a text that can do nothing to a terminal but stand there."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)
