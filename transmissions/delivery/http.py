"""Streams over HTTP: NDJSON and Server-Sent Events, as ASGI responses."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from .connection import Connection, Pace, watched
from .envelope import as_line, as_sse
from .errors import BackpressureExceeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from .live import LiveRun

# The seed's own client breaks on the bare type: without a charset it gets bytes where it expects text.
NDJSON: Final = "application/x-ndjson; charset=utf-8"
SSE: Final = "text/event-stream; charset=utf-8"
_RETRY: Final = b"retry: 3000\n\n"
"""How long an EventSource waits before it comes again, in milliseconds."""
ABORT: Final = "transmissions.abort"
"""The extension of a scope by which a connection is cut off, whatever its buffers hold."""


class StreamResponse:
    """The events of a run, as they come."""

    def __init__(self, live: LiveRun, protocol: str, pace: Pace, since: int | None, headers: Mapping[str, str]) -> None:
        self.connection = Connection(live, protocol, as_sse if protocol == "sse" else as_line, pace)
        self._since = since
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them until the end, or until the client is gone."""
        is_sse = self.connection.protocol == "sse"
        compressor = zlib.compressobj(6, zlib.DEFLATED, 31) if _takes_gzip(scope) else None
        await send({"type": "http.response.start", "status": 200, "headers": self._raw_headers(is_sse, compressor is not None)})

        async def body(data: bytes) -> None:
            if compressor is not None:
                data = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
            await send({"type": "http.response.body", "body": data, "more_body": True})

        if is_sse:
            await body(_RETRY)
        try:
            async with watched(self.connection.deliver(body, self._since), _gone(receive)) as delivered:
                delivered()
        except BackpressureExceeded:
            abort = scope.get("extensions", {}).get(ABORT)
            if abort:
                abort()
            return
        if self.connection.ended not in {"gone", "slow"}:
            rest = compressor.flush() if compressor is not None else b""
            await send({"type": "http.response.body", "body": rest, "more_body": False})

    def _raw_headers(self, is_sse: bool, is_gzip: bool) -> list[tuple[bytes, bytes]]:
        live = self.connection.live
        buffer = live.log.buffer
        headers = {
            "content-type": SSE if is_sse else NDJSON,
            "cache-control": "no-cache",
            "x-accel-buffering": "no",
            "x-content-type-options": "nosniff",
            "x-request-id": live.id,
            "x-session-id": live.identity.get("session_id", ""),
            "x-buffer-capacity": str(buffer.capacity),
            "x-buffer-current": str(len(live.log)),
            "x-backpressure-threshold": str(buffer.threshold),
            **({"content-encoding": "gzip", "vary": "accept-encoding"} if is_gzip else {}),
            **self._headers,
        }
        return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _takes_gzip(scope: Scope) -> bool:
    accepted = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1").lower()
    return any(
        part.strip().startswith("gzip") and "q=0" not in part.replace(" ", "").split(";") for part in accepted.split(",")
    )
