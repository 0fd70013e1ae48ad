"""A page on its way through a crawl: which messages are pages, what goes wrong with one, and what clients are told of it.

A page is a message with a `url`. Each step adds what it finds out; one that fails puts a `fault` into it, and the steps behind
let it pass, to the report at the end: so every URL has one result or one error, and none ends the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions import RunError

from .fetch_errors import (
    BadCoding,
    BadTLS,
    BrokenOff,
    FetchError,
    NoAddress,
    NotConnected,
    Refused,
    TimedOut,
    TooLarge,
    TooManyRedirects,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from transmissions import Message


class Fault(NamedTuple):
    """What is known of everything that goes wrong in one way."""

    type: str
    """The word for it in figures: `timeout`, `network_error`, `http_error`, `parse_error`, `too_large`, `policy`."""
    category: str
    retryable: bool
    suggestions: tuple[str, ...]


_AGAIN: Final = "Try again later"
FAULTS: Final[Mapping[str, Fault]] = {
    "NET_TIMEOUT": Fault(
        "timeout", "network", True, ("Retry with longer timeout", "Check network connectivity", "Verify URL accessibility")
    ),
    "NET_DNS": Fault("network_error", "network", True, ("Check the name of the host", "Check network connectivity")),
    "NET_CONNECT": Fault("network_error", "network", True, ("Check network connectivity", "Verify URL accessibility")),
    "NET_TLS": Fault("network_error", "network", False, ("Check the certificate of the server",)),
    "NET_BROKEN": Fault("network_error", "network", True, (_AGAIN,)),
    "HTTP_STATUS": Fault("http_error", "http", False, ("Verify URL accessibility",)),
    "HTTP_BUSY": Fault("http_error", "http", True, ("Wait as long as the server asks for", "Reduce request concurrency")),
    "HTTP_SERVER": Fault("http_error", "http", True, (_AGAIN,)),
    "HTTP_REDIRECTS": Fault("http_error", "http", False, ("Ask for the URL the page has now",)),
    "POLICY_URL": Fault("policy", "policy", False, ("Give an absolute http or https URL",)),
    "POLICY_EGRESS": Fault("policy", "policy", False, ("Name the host in :allow, in your own Turtle, if it is meant",)),
    "POLICY_ROBOTS": Fault("policy", "policy", False, ("Ask the owner of the site for permission",)),
    "LIMIT_BYTES": Fault("too_large", "limit", False, ("Raise :maxBytes in your own Turtle",)),
    "LIMIT_LINE": Fault("too_large", "limit", False, ("Ask for the page by itself with another extraction",)),
    "LIMIT_TIME": Fault("timeout", "limit", False, ("Raise :timeLimit of the extraction in your own Turtle",)),
    "LIMIT_MEMORY": Fault("too_large", "limit", False, ("Raise :memoryLimit of the extraction in your own Turtle",)),
    "PARSE_TYPE": Fault("parse_error", "content", False, ("Name the content type in :accept, in your own Turtle",)),
    "PARSE_ENCODING": Fault("parse_error", "content", False, ("Verify what the server sends",)),
    "PARSE_FAILED": Fault("parse_error", "content", False, ("Ask for the full extraction",)),
    "RENDER_FAILED": Fault("parse_error", "render", True, (_AGAIN, "Ask for the page without rendering")),
    "RENDER_TIMEOUT": Fault("timeout", "render", True, ("Retry with longer timeout", "Ask for the page without rendering")),
}
"""Every `error_code`, and what it means."""

_OF_FETCHING: Final = {
    Refused: "POLICY_EGRESS",
    TimedOut: "NET_TIMEOUT",
    NoAddress: "NET_DNS",
    BadTLS: "NET_TLS",
    NotConnected: "NET_CONNECT",
    TooLarge: "LIMIT_BYTES",
    TooManyRedirects: "HTTP_REDIRECTS",
    BrokenOff: "NET_BROKEN",
    BadCoding: "PARSE_ENCODING",
}


_KINDS: Final[Mapping[str, type]] = {
    "url": str,
    "index": int,
    "depth": int,
    "host": str,
    "options": dict,
    "began": float,
    "status": int,
    "final_url": str,
    "redirects": list,
    "headers": dict,
    "content_type": str,
    "charset": str,
    "fetched_at": str,
    "agent": str,
    "body": bytes,
    "bytes": int,
    "gate_decision": str,
    "measures": dict,
    "document": dict,
    "links": list,
    "processing_stages": list,
    "stale": dict,
    "fault": dict,
}
"""What the fields of a page are that other steps read."""
_WRITTEN_BY: Final = {
    **dict.fromkeys(("index", "host", "options"), "CrawlFrontier"),
    **dict.fromkeys(("status", "final_url", "headers", "content_type", "charset", "fetched_at", "body"), "PageFetch"),
    "document": "PageExtract",
}


class PageFault(RunError):
    """What is wrong with one page. `code` is one of `FAULTS`; `context` is told to clients."""

    def __init__(self, code: str, said: str, *, retry_after: float = 0.0, **context: object) -> None:
        super().__init__(said)
        self.code = code
        self.retry_after = retry_after
        self.context = context


def is_page(message: Message, *needed: str) -> bool:
    """Whether a message is a page at all; what else comes along passes every step of a crawl.

    Raises:
        RunError: it is one, and a field is not what steps of a crawl write there, or one of `needed` is missing.

    """
    if not isinstance(message.get("url"), str) or "event" in message:
        return False
    wrong = next((name for name, kind in _KINDS.items() if name in message and not isinstance(message[name], kind)), None)
    if wrong:
        raise RunError(f"the field '{wrong}' of a page is no {_KINDS[wrong].__name__} but a {type(message[wrong]).__name__}")
    return _has(message, needed)


def is_open(message: Message, *needed: str) -> bool:
    """Whether there is something to do for a step: a page that has not failed and was not found in a cache.

    Raises as `is_page` does.
    """
    return is_good(message) and not message.get("from_cache") and _has(message, needed)


def is_good(message: Message, *needed: str) -> bool:
    """Whether a message is a page that has not failed, fetched now or known.

    Raises as `is_page` does.
    """
    return is_page(message) and "fault" not in message and _has(message, needed)


def _has(page: Message, needed: tuple[str, ...]) -> bool:
    missing = next((name for name in needed if name not in page), None)
    if missing:
        raise RunError(f"the page has no field '{missing}': {_WRITTEN_BY[missing]} writes it, and stands in front")
    return True


def mark(page: Message, stage: str) -> None:
    """Note that a stage is done with a page."""
    page["processing_stages"] = [*page.get("processing_stages", ()), stage]


async def attempt_page(page: Message, work: Awaitable[Message]) -> Message:
    """Return what becomes of a page: what `work` returns, or the page with its fault."""
    try:
        return await work
    except RunError as error:
        page["fault"] = told(error)
        return page


def told(error: RunError) -> dict[str, Any]:
    """Return what clients are told of a failure, without a time."""
    code = code_of(error)
    fault = FAULTS[code]
    return {
        "type": fault.type,
        "category": fault.category,
        "message": str(error),
        "retryable": fault.retryable,
        "retry_after_seconds": error.retry_after or None,
        "error_code": code,
        "context": dict(error.context) if isinstance(error, PageFault) else {},
    }


def code_of(error: RunError) -> str:
    """Return the error code of a failure."""
    if isinstance(error, PageFault):
        return error.code
    of_fetching = next((code for kind, code in _OF_FETCHING.items() if isinstance(error, kind)), "NET_BROKEN")
    return of_fetching if isinstance(error, FetchError) else "PARSE_FAILED"


def may_pass(error: RunError, patience: float) -> bool:
    """Whether trying again is of use, to whoever waits so many seconds if a server asks for it."""
    return FAULTS[code_of(error)].retryable and error.retry_after <= patience
