"""The one door to the network: every request of every processor goes out through `Door`.

    async with Door(timeout=30) as door:
        reply = await door.fetch(Request("https://example.org/"), trusted=True)

`trusted=True` is for a URL written in the user's own Turtle. A URL from a message, a page or a feed is guarded (see
`egress`): at every hop of its redirects, all addresses of its host must be public, and the connection is made to those.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Final, Self

from transmissions import trace_headers

from .content_coding import PIECE, decoder_of
from .egress import Allowed, fault_of, resolve, take_apart
from .exchange import Answer, Reply, Request, is_home, onward, prepared
from .fetch_errors import FetchError, Refused, TimedOut, TooLarge, TooManyRedirects

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection

    import aiohttp

    from .egress import Place

__all__ = ["Answer", "Door", "FetchError", "Refused", "Reply", "Request"]

_REDIRECTS: Final = {301, 302, 303, 307, 308}
_RATIO: Final = 200
"""So many times as large as it travelled, a body is a bomb: packed, pages are a tenth, lists of numbers a hundredth."""
_HARMLESS: Final = 1 << 20


class Door:
    """Fetches. Times are in seconds; `timeout` is for the answer to begin, for each pause in it, and for a whole `fetch`.

    `max_bytes` bounds a body both as it travels and decoded; one of a URL that is not trusted is refused, too, where it is 200
    times as large as what was sent. `redirects` 0 follows none: the reply is then what came.
    """

    def __init__(
        self, *, timeout: float = 30.0, max_bytes: int = 64 * 2**20, redirects: int = 5, allow: Collection[str] = ()
    ) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._redirects = redirects
        self._allowed = Allowed(allow)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def fetch(self, request: Request, *, trusted: bool) -> Reply:
        """Send a request and return the reply, whatever its status.

        Raises:
            FetchError: there is none, it is not whole in time, or its body is too large.

        """
        seconds = self._seconds(request)
        deadline = asyncio.get_running_loop().time() + seconds
        async with self.stream(request, trusted=trusted) as answer:
            try:
                async with asyncio.timeout_at(deadline):
                    return Reply(*answer[:4], await _whole(answer), answer.way)
            except TimeoutError:
                raise TimedOut(f"{take_apart(answer.url).shown}: the answer was not whole in {seconds:g} s") from None

    @asynccontextmanager
    async def stream(self, request: Request, *, trusted: bool) -> AsyncIterator[Answer]:
        """Open the answer to a request, to take its body as it comes; leaving the block closes the connection.

        Raises:
            FetchError: there is no answer, or (while the body is read) it breaks off or is too large.

        """
        place = take_apart(request.url)
        if trusted and (traced := trace_headers()):  # Others need not know what belongs together.
            request = request._replace(headers={**traced, **request.headers})
        seconds, way = self._seconds(request), list[str]()
        try:
            async with asyncio.timeout(seconds):
                response, place = await self._arrive(prepared(request, place), place, trusted, way)
        except TimeoutError:
            raise TimedOut(f"{place.shown}: no answer within {seconds:g} s") from None
        try:
            async with aclosing(self._pieces(response, place, most=None if trusted else _RATIO)) as pieces:
                yield Answer(response.status, response.reason or "", place.url, _headers(response), pieces, tuple(way))
        finally:
            response.close()

    async def pour(self, request: Request, pieces: AsyncIterator[bytes]) -> Reply:
        """Send a request to a URL of the user's own, with a body that comes in pieces, and return the reply.

        Each piece is asked for when the one before it was taken. That may last for ever: whoever gives them looks at the time.

        Raises:
            FetchError: there is no reply, or its body is too large.

        """
        from .connections import Sockets, open_session

        place, sockets = take_apart(request.url), Sockets()
        request = request._replace(headers={**trace_headers(), **request.headers})
        async with open_session(None, self._timeout, sockets) as session:
            try:
                response = await self._ask(session, prepared(request, place), place, pieces)
                async with aclosing(self._pieces(response, place)) as found:
                    answer = Answer(response.status, response.reason or "", place.url, _headers(response), found)
                    return Reply(*answer[:4], await _whole(answer))
            finally:
                sockets.end()

    def _seconds(self, request: Request) -> float:
        return min(request.timeout or self._timeout, self._timeout)

    async def _arrive(
        self, request: Request, place: Place, trusted: bool, way: list[str]
    ) -> tuple[aiohttp.ClientResponse, Place]:
        if not trusted:
            self._check(place)
        first = place
        for _ in range(max(1, self._redirects + 1)):
            response = await self._send(request, place, trusted)
            location = response.headers.get("location", "") if response.status in _REDIRECTS else ""
            if not location or not self._redirects:
                return response, place
            response.close()
            way.append(place.url)
            target = self._judge(place, location, trusted)
            trusted = trusted and is_home(place, target)
            request, place = onward(request, response.status, target.origin == place.origin), target
        raise TooManyRedirects(f"{first.shown} redirects more than {self._redirects} times, last to {place.shown}")

    def _check(self, place: Place) -> None:
        fault = fault_of(place, self._allowed)
        if fault:
            raise Refused(f"{place.shown}: {fault}")

    def _judge(self, place: Place, location: str, trusted: bool) -> Place:
        try:
            target = resolve(place, location)
            if target.user or not (trusted and is_home(place, target)):
                self._check(target)
        except Refused as error:
            raise Refused(f"{place.shown} redirects to what is refused: {error}") from error
        return target

    async def _send(self, request: Request, place: Place, trusted: bool) -> aiohttp.ClientResponse:
        from .connections import open_session

        if trusted not in self._sessions:
            self._sessions[trusted] = open_session(None if trusted else self._allowed, self._timeout)
        return await self._ask(self._sessions[trusted], request, place, request.body)

    async def _ask(
        self, session: aiohttp.ClientSession, request: Request, place: Place, body: bytes | AsyncIterator[bytes] | None
    ) -> aiohttp.ClientResponse:
        from yarl import URL

        from .connections import explained

        url = URL(place.url, encoded=True)
        with explained(place, self._timeout):
            return await session.request(request.method, url, headers=request.headers, data=body, allow_redirects=False)

    async def _pieces(self, response: aiohttp.ClientResponse, place: Place, most: int | None = None) -> AsyncGenerator[bytes]:
        from .connections import check_end, explained

        bounds = _Bounds(place, self._max_bytes, most)
        with explained(place, self._timeout):
            decoder = decoder_of(response.headers.get("content-encoding", ""))
            if response.method != "HEAD":
                bounds.check(response.content_length or 0)
            async for data in response.content.iter_chunked(PIECE):
                bounds.receive(len(data))
                for piece in decoder.decode(data):
                    bounds.decode(len(piece))
                    yield piece
                    await asyncio.sleep(0)  # a few bytes may be very many when they are decoded: others have their turn
            check_end(response)
            decoder.end()


class _Bounds:
    """How large a body may become: `largest` bytes, and `most` times what was sent."""

    def __init__(self, place: Place, largest: int, most: int | None) -> None:
        self._place = place
        self._largest = largest
        self._most = most
        self._received = self._decoded = 0

    def check(self, size: int) -> None:
        """Refuse a size that is too large."""
        if size > self._largest:
            raise TooLarge(f"{self._place.shown}: the body is larger than {self._largest} bytes")

    def receive(self, size: int) -> None:
        """Count bytes as they were sent."""
        self._received += size
        self.check(self._received)

    def decode(self, size: int) -> None:
        """Count bytes as they were meant."""
        self._decoded += size
        self.check(self._decoded)
        if self._most and self._decoded > max(self._most * self._received, _HARMLESS):
            raise TooLarge(f"{self._place.shown}: the body is more than {self._most} times as large as what was sent")


async def _whole(answer: Answer) -> bytes:
    body = BytesIO()  # gives its bytes without a copy
    async for piece in answer.pieces:
        body.write(piece)
    return body.getvalue()


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}
    if "content-encoding" in headers:  # the body is decoded: neither is true of it any more
        del headers["content-encoding"]
        headers.pop("content-length", None)
    return headers
