"""The HTTP client that libraries of providers are given, so that nothing leaves but what was meant.

Left to themselves they take proxies, keys and further headers from the environment, and follow redirects anywhere. This one
does neither, and reads no body beyond a limit. It needs httpx2, which those libraries are built on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx2

from transmissions import __version__

from .fetch_errors import FetchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

BrokenOff: Final = httpx2.HTTPError
"""What a reply that does not come to its end raises."""
_CONNECT: Final = 10.0
"""Seconds a connection may take to be made, at most."""
_SENT: Final = {"accept", "anthropic-version", "connection", "content-length", "content-type", "host"}
"""Headers of a library that say nothing about this machine and its owner."""
_EVENTS: Final = "text/event-stream"
_BLANK: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def open_client(timeout: float, max_bytes: int, headers: Mapping[str, str], *, trim: bool) -> httpx2.AsyncClient:
    """Return a client that sends `headers` with each request; with `trim`, few of the library's own go along.

    `timeout` is in seconds, and for each step of a request; `max_bytes` bounds each body. Redirects are replies.
    """
    # A body that came compressed could be of any size when it is decoded.
    own = {"accept-encoding": "identity", "user-agent": f"transmissions/{__version__}"}

    def prepare(names: httpx2.Headers) -> dict[str, str]:
        kept = {name: value for name, value in names.items() if not trim or name in _SENT}
        return {**kept, **own, **{name.lower(): value for name, value in headers.items()}}

    return httpx2.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(timeout, connect=min(timeout, _CONNECT)),
        transport=_Guarded(max_bytes, prepare),
    )


class _Guarded(httpx2.AsyncHTTPTransport):
    """Connects without a proxy, sends prepared headers, and refuses bodies that are too large or compressed."""

    def __init__(self, most: int, prepare: Callable[[httpx2.Headers], dict[str, str]]) -> None:
        super().__init__(trust_env=False)
        self._most = most
        self._prepare = prepare

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and let the body of its response be read up to the limit."""
        # A request of our own: the libraries leave notes for themselves in the headers of theirs.
        sent = httpx2.Request(
            request.method,
            request.url,
            headers=self._prepare(request.headers),
            stream=request.stream,
            extensions=request.extensions,
        )
        response = await super().handle_async_request(sent)
        coding = response.headers.get("content-encoding", "identity")
        if coding.lower() != "identity":
            await response.aclose()
            raise FetchError(f"the answer is encoded as {coding[:40]!r}, which was not asked for")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        is_endless = response.headers.get("content-type", "").startswith(_EVENTS)  # Each of its events is bounded.
        response.stream = (_CutEvents if is_endless else _Cut)(response.stream, self._most)
        return response


class _Cut(httpx2.AsyncByteStream):
    """A body that may not be larger than `most` bytes."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size = self._size(size, piece)
            if size > self._most:
                raise FetchError(f"the answer is larger than {self._most} bytes")
            yield piece

    def _size(self, before: int, piece: bytes) -> int:
        return before + len(piece)

    async def aclose(self) -> None:
        await self._stream.aclose()


class _CutEvents(_Cut):
    """A stream of which no event may be larger."""

    _tail = b""

    def _size(self, before: int, piece: bytes) -> int:
        seen = self._tail + piece
        self._tail = seen[-3:]
        ends = [found.end() for found in _BLANK.finditer(seen)]
        return len(seen) - ends[-1] if ends else before + len(piece)
