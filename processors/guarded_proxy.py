"""A proxy on the loopback through which a browser reaches what the guard of this project lets it reach, and nothing else.

A browser follows redirects, opens sockets and asks for names as it likes, and what steers it sees only part of that. So it
gets no other way out than this: each host is judged, and its addresses asked for and judged, by the rules of `egress`, and
the connection is made to the very addresses that were judged. What it sends has to name a visitor, by a word nobody can guess.

    async with GuardedProxy() as proxy:
        with proxy.visit(Allowed(()), most=50 * 2**20) as visitor:
            ... a browser with the proxy `proxy.url`, `visitor.name` and `visitor.word` ...
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from .connections import addresses_of
from .egress import fault_of, take_apart
from .fetch_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .egress import Allowed, Place

_HEAD: Final = 1 << 16
"""Bytes of the head of a request or an answer, at most."""
_PIECE: Final = 1 << 16
_ASKING: Final = 10.0
"""Seconds in which a request has to be there, and a connection made."""
_SILENT: Final = 60.0
"""Seconds for which a connection may be silent."""
_OWN: Final = ("proxy-", "connection:", "keep-alive:")
"""Headers that are for this proxy only."""
_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Visitor:
    """One page, and what it may do: `name` and `word` are its credentials."""

    def __init__(self, allowed: Allowed, most: int) -> None:
        self.name, self.word = "page", secrets.token_urlsafe(24)
        self.allowed = allowed
        self.left = most
        """Bytes that may still come and go; less than 0 if there were too many."""
        self.refused: dict[tuple[str, int], str] = {}
        """Why a host and port were refused."""
        self.at_work: set[asyncio.Task[object]] = set()

    @property
    def credential(self) -> str:
        """What its requests carry."""
        return "Basic " + base64.b64encode(f"{self.name}:{self.word}".encode()).decode()

    def count(self, size: int) -> None:
        """Count what comes and goes.

        Raises:
            _NoMore: it is too much.

        """
        self.left -= size
        if self.left < 0:
            raise _NoMore(413)


class _NoMore(Exception):
    """A request ends here; the status says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Asked(NamedTuple):
    """The head of a request."""

    method: str
    target: str
    headers: list[str]

    @property
    def credential(self) -> str:
        """Who is said to ask."""
        lines = (line.partition(":") for line in self.headers)
        return next((value.strip() for name, _, value in lines if name.lower() == "proxy-authorization"), "")

    @property
    def place(self) -> Place:
        """What is asked for.

        Raises:
            Refused: nobody could say.

        """
        return take_apart(f"https://{self.target}/" if self.method == "CONNECT" else self.target)


class GuardedProxy:
    """Serves while the block lasts; what is open then is closed."""

    url: str

    async def __aenter__(self) -> Self:
        self._visitors: dict[str, Visitor] = {}
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    @contextmanager
    def visit(self, allowed: Allowed, most: int) -> Iterator[Visitor]:
        """Let a page ask for what is allowed, `most` bytes in all."""
        visitor = Visitor(allowed, most)
        self._visitors[visitor.credential] = visitor
        try:
            yield visitor
        finally:
            del self._visitors[visitor.credential]
            for task in visitor.at_work:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except _NoMore as end:
            asks = 'Proxy-Authenticate: Basic realm="pages"\r\n' if end.status == 407 else ""  # noqa: PLR2004
            status = f"HTTP/1.1 {end.status} {HTTPStatus(end.status).phrase}\r\n"
            writer.write(f"{status}{asks}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # One of both has gone, or talks nonsense: there is nobody to tell.
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_ASKING):
            asked = _asked(await reader.readuntil(b"\r\n\r\n"))
        visitor = self._visitors.get(asked.credential)
        if visitor is None:
            raise _NoMore(407)
        task = asyncio.current_task()
        assert task is not None  # a connection is served in a task of its own
        visitor.at_work.add(task)
        try:
            await _pass_on(asked, visitor, reader, writer)
        finally:
            visitor.at_work.discard(task)


def _asked(head: bytes) -> _Asked:
    first, *headers = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or "\n" in first or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - method, target, version
        raise _NoMore(400)
    return _Asked(words[0], words[1], headers)


async def _pass_on(asked: _Asked, visitor: Visitor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    place = _judged(asked, visitor)
    far_reader, far_writer = await _connect(place, visitor)
    try:
        if asked.method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            headers = [line for line in asked.headers if not line.lower().startswith(_OWN)]
            head = "\r\n".join([f"{asked.method} {place.path} HTTP/1.1", *headers, "Connection: close"])
            far_writer.write(head.encode("latin-1") + b"\r\n\r\n")
        await _relay(asked, visitor, (reader, writer), (far_reader, far_writer))
    finally:
        far_writer.transport.abort()


def _judged(asked: _Asked, visitor: Visitor) -> Place:
    """Return what is asked for.

    Raises:
        _NoMore: it is against the rules.

    """
    visitor.count(0)
    try:
        place = asked.place
    except Refused:
        raise _NoMore(403) from None
    if fault := fault_of(place, visitor.allowed):
        visitor.refused[place.host, place.port] = fault
        raise _NoMore(403)
    return place


async def _connect(place: Place, visitor: Visitor) -> _Ends:
    try:
        async with asyncio.timeout(_ASKING):
            return await _first(place, await addresses_of(place.host, place.port, visitor.allowed))
    except Refused as refusal:
        visitor.refused[place.host, place.port] = str(refusal)
        raise _NoMore(403) from None
    except (OSError, TimeoutError):
        raise _NoMore(502) from None


async def _first(place: Place, addresses: list[tuple[int, str]]) -> _Ends:
    for _, address in addresses:
        with suppress(OSError):
            return await asyncio.open_connection(address, place.port, limit=_HEAD)
    raise _NoMore(502)


async def _relay(asked: _Asked, visitor: Visitor, near: _Ends, far: _Ends) -> None:
    """Pass on what comes from both sides, until one of them has ended."""
    both = (_flow(visitor, near[0], far[1]), _back(asked, visitor, far[0], near[1]))
    ways = [asyncio.create_task(way) for way in both]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _back(asked: _Asked, visitor: Visitor, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
    if asked.method != "CONNECT":
        # Each request has a connection of its own, so that no second one can slip through to where the first was let.
        status = b"1"
        while status.startswith(b"1"):
            async with asyncio.timeout(_SILENT):
                head = await far.readuntil(b"\r\n\r\n")
            status = head.partition(b" ")[2]
            lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith((b"connection:", b"keep-alive:"))]
            near.write(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n")
    await _flow(visitor, far, near)


async def _flow(visitor: Visitor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        async with asyncio.timeout(_SILENT):
            piece = await reader.read(_PIECE)
            if not piece:
                return
            visitor.count(len(piece))
            writer.write(piece)
            await writer.drain()
