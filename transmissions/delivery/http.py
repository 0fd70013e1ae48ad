"""Streams over HTTP: NDJSON and Server-Sent Events, as ASGI responses."""

from __future__ import annotations

import zlib
from functools import partial
from typing import TYPE_CHECKING, Final

from .attended import Attended
from .compat import flat
from .connection import Connection, Pace
from .envelope import as_line, as_sse
from .errors import BackpressureExceeded
from .extensions import NOW, PARTS, cut_off, gone, last

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .live import LiveRun

# The seed's own client breaks on the bare type: without a charset it gets bytes where it expects text.
NDJSON: Final = "application/x-ndjson; charset=utf-8"
SSE: Final = "text/event-stream; charset=utf-8"
_RETRY: Final = b"retry: 3000\n"
"""How long an EventSource waits before it comes again, in milliseconds: a line of the first frame, as some clients take one
without data for an event."""
SHOWN: Final = ("x-request-id", "x-session-id", "x-buffer-capacity", "x-buffer-current", "x-backpressure-threshold")
"""Headers of ours that pages of other origins may read."""


class StreamResponse:
    """The events of a run, as they come, from behind a number."""

    def __init__(self, live: LiveRun, protocol: str, pace: Pace, since: int = 0, *, compat: bool = False) -> None:
        is_sse = protocol == "sse"
        encode = as_sse if is_sse else as_line
        self.connection = Connection(live, protocol, flat(encode) if compat else encode, pace, _RETRY if is_sse else b"")
        self._since = since

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them until the end, or until the client is gone."""
        gzip = _Gzip() if _takes_gzip(scope) else None
        await send({"type": "http.response.start", "status": 200, "headers": self._headers(scope, gzip is not None)})
        extensions = scope.get("extensions", {})
        await last(scope, partial(self._deliver, scope, receive, extensions.get(PARTS, send), gzip))

    async def _deliver(self, scope: Scope, receive: Receive, send: Send, gzip: _Gzip | None) -> None:
        is_ended = False

        async def body(pieces: list[bytes]) -> None:
            nonlocal is_ended
            is_ended = self.connection.is_through and self.is_whole
            data = b"".join(pieces)
            pieces.clear()
            if gzip:
                data = gzip.pack(data) + (gzip.end() if is_ended else b"")
            await send({"type": "http.response.body", "body": data, "more_body": not is_ended})

        try:
            async with Attended(scope, receive):
                await self.connection.deliver(body, self._since, None if gzip else scope.get("extensions", {}).get(NOW))
        except BackpressureExceeded:
            cut_off(scope)
            await gone(receive)
            return
        if self.is_whole and not is_ended:
            await send({"type": "http.response.body", "body": gzip.end() if gzip else b"", "more_body": False})

    @property
    def is_whole(self) -> bool:
        """Whether the body is ended as one that is complete."""
        return self.connection.ended != "gone"

    def _headers(self, scope: Scope, is_gzip: bool) -> list[tuple[bytes, bytes]]:
        live = self.connection.live
        log, buffer = live.log, live.log.buffer
        headers = {
            "content-type": SSE if self.connection.protocol == "sse" else NDJSON,
            "cache-control": "no-cache",
            "vary": "accept-encoding",
            "x-accel-buffering": "no",
            "x-content-type-options": "nosniff",
            "x-request-id": live.name,
            "x-session-id": live.identity.get("session_id", ""),
            "x-buffer-capacity": str(buffer.capacity),
            "x-buffer-current": str(len(log) - (not log.taken)),  # the first of all goes with the head
            "x-backpressure-threshold": str(buffer.threshold),
        }
        if is_gzip:
            headers["content-encoding"] = "gzip"
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in scope["headers"])
        if scope["http_version"] == "1.1" and not closes:
            headers["connection"] = "keep-alive"
        return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


class _Gzip:
    """A compressor that lets everything out at once, with a window small enough for very many of them (32 KiB)."""

    def __init__(self) -> None:
        self._work = zlib.compressobj(1, zlib.DEFLATED, 16 + 12, 5)

    def pack(self, data: bytes) -> bytes:
        """Return some data compressed, to its last byte."""
        return self._work.compress(data) + self._work.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        """Return what ends it."""
        return self._work.flush()


def _takes_gzip(scope: Scope) -> bool:
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding").decode("latin-1").lower()
    for part in accepted.split(","):
        name, *parameters = part.replace(" ", "").split(";")
        if name == "gzip":
            return not any(one.startswith("q=0") and not one.strip("q=0.") for one in parameters)
    return False
