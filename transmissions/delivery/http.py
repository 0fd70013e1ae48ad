"""Streams over HTTP: NDJSON and Server-Sent Events, as ASGI responses."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from .attended import Attended
from .compat import flat
from .connection import Connection, Pace
from .envelope import as_line, as_sse
from .errors import BackpressureExceeded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from .live import LiveRun

# The seed's own client breaks on the bare type: without a charset it gets bytes where it expects text.
NDJSON: Final = "application/x-ndjson; charset=utf-8"
SSE: Final = "text/event-stream; charset=utf-8"
_RETRY: Final = b"retry: 3000\n\n"
"""How long an EventSource waits before it comes again, in milliseconds."""
ABORT: Final = "transmissions.abort"
"""The extension of a scope by which a connection is cut off, whatever its buffers hold."""
TEXTS: Final = "transmissions.texts"
"""The extension by which a WebSocket sends many messages at once."""
PARTS: Final = "transmissions.parts"
"""The extension by which the parts of a body are sent past what looks at the head of an answer only."""
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
        try:
            async with Attended(gone(receive)):
                await self.connection.deliver(_body(scope.get("extensions", {}).get(PARTS, send), gzip), self._since)
        except BackpressureExceeded:
            cut_off(scope)
            await gone(receive)
            return
        if self.is_whole:
            await send({"type": "http.response.body", "body": gzip.end() if gzip else b"", "more_body": False})

    @property
    def is_whole(self) -> bool:
        """Whether the body is ended as one that is complete."""
        return self.connection.ended != "gone"

    def _headers(self, scope: Scope, is_gzip: bool) -> list[tuple[bytes, bytes]]:
        live = self.connection.live
        buffer = live.log.buffer
        headers = {
            "content-type": SSE if self.connection.protocol == "sse" else NDJSON,
            "cache-control": "no-cache",
            "vary": "accept-encoding",
            "x-accel-buffering": "no",
            "x-content-type-options": "nosniff",
            "x-request-id": live.name,
            "x-session-id": live.identity.get("session_id", ""),
            "x-buffer-capacity": str(buffer.capacity),
            "x-buffer-current": str(len(live.log)),
            "x-backpressure-threshold": str(buffer.threshold),
        }
        if is_gzip:
            headers["content-encoding"] = "gzip"
        if scope["http_version"] == "1.1" and (b"connection", b"close") not in scope["headers"]:
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


def _body(send: Send, gzip: _Gzip | None) -> Callable[[list[bytes]], Awaitable[None]]:
    async def body(pieces: list[bytes]) -> None:
        data = b"".join(pieces)
        await send({"type": "http.response.body", "body": gzip.pack(data) if gzip else data, "more_body": True})

    return body


def cut_off(scope: Scope) -> None:
    """End a connection whatever its buffers hold, where the server can."""
    abort = scope.get("extensions", {}).get(ABORT)
    if abort:
        abort()


async def gone(receive: Receive) -> None:
    """Wait until the client is."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _takes_gzip(scope: Scope) -> bool:
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding").decode("latin-1").lower()
    for part in accepted.split(","):
        name, *parameters = part.replace(" ", "").split(";")
        if name == "gzip":
            return not any(one.startswith("q=0") and not one.strip("q=0.") for one in parameters)
    return False
