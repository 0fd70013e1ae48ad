"""What a declared endpoint sends: events as anywhere else, or a run's final messages as they are.

Bare messages are lines of NDJSON, frames of Server-Sent Events (with an `event:` where the message has a field `event`), or
the items of one JSON array. There is no summary, so the body itself says whether it is whole: one that broke off, for whatever
reason, is not ended as HTTP ends a body. A run that fails before its first message is answered with 500, except over SSE; later
its last line or frame says so, and an array is left open. A WebSocket is closed behind the last record: with 1000, or with 1011
if the run did not end well.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Final

from transmissions.json_text import as_json

from .connection import Connection
from .envelope import LAST, as_line, as_sse
from .http import StreamResponse
from .replies import json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from .connection import Pace
    from .envelope import Event
    from .live import LiveRun

RETRY: Final = b"retry: 3000\n"
_JSON: Final = b"application/json; charset=utf-8"
_WHOLE: Final = {"complete", "partial"}
_NEW: Final = 3
"""Events of a run that failed before its first message: metadata, the error, the summary."""


class EndpointResponse(StreamResponse):
    """The messages of a run of a declared endpoint, from behind a number."""

    def __init__(self, live: LiveRun, protocol: str, pace: Pace, since: int, failure: Callable[[str], object]) -> None:
        super().__init__(live, protocol, pace, since)
        self._protocol = protocol
        self._new = not since
        self._failure = failure
        self._patience = pace.heartbeat
        first = RETRY if protocol == "sse" else b""
        counted = "sse" if protocol == "sse" else "ndjson"  # the protocols there are figures of
        self.connection = Connection(live, counted, _encoder(protocol, live), pace, first)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them until the end, or until the client is gone."""
        live = self.connection.live
        if live.terms.bare and self._new and self._protocol != "sse" and await self._fails_at_once():
            await json_reply(self._failure("the run failed"), 500, {"X-Request-ID": live.name})(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    async def _fails_at_once(self) -> bool:
        live = self.connection.live
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await live.log.wait(1, lambda: False)
        return live.state == "failed" and not live.counts.done and live.log.last <= _NEW

    @property
    def is_whole(self) -> bool:
        """Whether the body is ended as one that is complete."""
        live = self.connection.live
        if not live.terms.bare:
            return super().is_whole
        is_told = live.state == "failed" and self._protocol != "json-array"
        return self.connection.is_through and (ends_well(live) or is_told)

    def _headers(self, scope: Scope, is_gzip: bool) -> list[tuple[bytes, bytes]]:
        headers = super()._headers(scope, is_gzip)
        if self._protocol != "json-array":
            return headers
        return [(name, _JSON if name == b"content-type" else value) for name, value in headers]


def ends_well(live: LiveRun) -> bool:
    """Whether the records of a run that has ended are all there are."""
    return live.state in _WHOLE and not live.reason


def _encoder(protocol: str, live: LiveRun) -> Callable[..., bytes]:
    if protocol == "sse":
        return _Frames(live.id)
    return _Array(live) if protocol == "json-array" else _line


def _line(event: Event, *, bare: bool = False) -> bytes:
    if not bare:
        return as_line(event)
    if event.name == "heartbeat":
        return b"\n"
    return b"" if event.name == "output" else as_line(event)


class _Frames:
    """Frames whose ids say which run they are of: an EventSource that comes back asks for the path again, not for a run."""

    def __init__(self, run: str) -> None:
        self._run = run.encode()

    def __call__(self, event: Event, *, bare: bool = False) -> bytes:
        number = b"id: %b.%d\n" % (self._run, event.seq) if event.seq else b""
        if not bare:
            return number + as_sse(event._replace(seq=0))
        if event.name == "heartbeat":
            return b": heartbeat\n\n"
        if not event.body or event.name == "output":
            return b""
        name, body = _named(event)
        return b"%b%bdata: %b\n\n" % (b"event: %b\n" % name if name else b"", number, body)


def _named(event: Event) -> tuple[bytes, bytes]:
    """Return the name a message gives itself in its field `event`, and the rest of it."""
    if b'"event"' not in event.body:
        return b"", event.body
    record = json.loads(event.body)
    if record.get("event") != event.name:
        return b"", event.body
    del record["event"]
    return event.name.encode(), as_json(record)


class _Array:
    """Pieces that are one JSON array together; only a run that ended well closes it."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._is_begun = False

    def __call__(self, event: Event, *, bare: bool = False) -> bytes:  # noqa: ARG002 - it is always
        if event.name == "heartbeat":
            return b"\n"
        if event.name == LAST:
            return (b"]" if self._is_begun else b"[]") if ends_well(self._live) else b""
        if not event.body or event.name == "output":
            return b""
        start = b"," if self._is_begun else b"["
        self._is_begun = True
        return start + event.body
