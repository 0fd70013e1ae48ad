"""The server behind HttpServer: who may send what, and a queue of what was sent.

This module needs starlette, and is imported only when something listens.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response

from transmissions import RunError

from .media_types import media_type, read_as_typed, text_in

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from transmissions import Message

WAITING: Final = 64
"""Requests whose messages are not on their way yet, at most."""

_FIELDS: Final = 1000
"""Fields of a query or a form, at most."""

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Rules(NamedTuple):
    """What an inbox takes."""

    base: str
    """A path without a slash at its end."""
    root: Path | None
    """The folder of static files, resolved."""
    names: frozenset[str]
    origins: frozenset[str]
    token: str
    timeout: float
    """In seconds."""
    max_size: int
    """Bytes of a body."""


class Arrived(NamedTuple):
    """A request whose client waits."""

    record: Message
    is_taken: asyncio.Future[bool]


class _Refusal(Exception):
    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        self.reply = JSONResponse({"error": sentence}, status, headers)


class Inbox:
    """An ASGI application that queues every request, and answers it once it was taken from there."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._queue: asyncio.Queue[Arrived | None] = asyncio.Queue()

    async def next(self) -> Arrived | None:
        """Return the next request that came, and have it answered; None when there will be no more.

        Cancelling this leaves every request where it is, so that none is answered 202 and lost.
        """
        while (arrived := await self._queue.get()) and arrived.is_taken.cancelled():
            pass
        if arrived:
            arrived.is_taken.set_result(True)
        return arrived

    def close(self) -> None:
        """Turn away who waits still."""
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting:
                waiting.is_taken.cancel()
        self._queue.put_nowait(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        try:
            reply = await self._reply(request)
        except _Refusal as refusal:
            reply = refusal.reply
        except ClientDisconnect:
            return
        origin = request.headers.get("origin")
        if origin and self._is_invited(origin):
            reply.headers.update({"access-control-allow-origin": origin, "vary": "Origin"})
        reply.headers["x-content-type-options"] = "nosniff"
        await reply(scope, receive, send)

    async def _reply(self, request: Request) -> Response:
        self._check_caller(request)
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return _preflight(request)
        self._check_token(request)
        path = self._below(request.scope["path"])
        file = self._file(path) if request.method in {"GET", "HEAD"} else None
        if file:
            return FileResponse(file)
        if request.method not in _METHODS:
            raise _Refusal(405, f"{request.method} is not taken here", Allow=", ".join(_METHODS))
        record = {
            "method": request.method,
            "path": path,
            "query": _by_name(request.scope["query_string"].decode("latin-1")),
            "headers": self._headers(request),
            "body": _parsed(request, await self._body(request)),
        }
        return await self._deliver(record)

    def _check_caller(self, request: Request) -> None:
        """Refuse pages of other origins, and those that call a name of their own which leads here (DNS rebinding)."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if not _is_one_of(host, self._rules.names):
            raise _Refusal(403, "no server of that name is here; the setting `names` lets one in")
        if origin is not None and not self._is_invited(origin) and urlsplit(origin).netloc.lower() != host.lower():
            raise _Refusal(403, "requests from pages of other origins are refused; the setting `cors` lets them in")

    def _is_invited(self, origin: str) -> bool:
        return bool(self._rules.origins & {origin, "*"})

    def _check_token(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.strip().encode(), self._rules.token.encode()) and scheme.lower() == "bearer"
        if self._rules.token and not is_right:
            raise _Refusal(401, "a token is needed: `Authorization: Bearer TOKEN`", **{"WWW-Authenticate": "Bearer"})

    def _below(self, path: str) -> str:
        base = self._rules.base
        if path != base and not path.startswith(f"{base}/"):
            raise _Refusal(404, f"nothing is here; requests are taken below {base}/")
        return path[len(base) :] or "/"

    def _file(self, path: str) -> Path | None:
        """Return the file a path names: nothing hidden, nothing a link leads to from elsewhere."""
        root = self._rules.root
        parts = [part for part in path.split("/") if part]
        if root is None or any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        try:
            found = root.joinpath(*parts).resolve()
            found = found / "index.html" if found.is_dir() else found
            return found if found.is_relative_to(root) and found.resolve() == found and found.is_file() else None
        except OSError:  # a name longer than any
            return None

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {name: ", ".join(request.headers.getlist(name)) for name in request.headers}
        if self._rules.token:
            headers.pop("authorization", None)
        return headers

    async def _body(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(self._rules.timeout):
                return await _read(request, self._rules.max_size)
        except TimeoutError:
            raise _Refusal(408, "the request was not whole in time", Connection="close") from None

    async def _deliver(self, record: Message) -> Response:
        arrived = Arrived(record, asyncio.get_running_loop().create_future())
        if self._queue.qsize() >= WAITING:
            raise _Refusal(503, "too many requests are waiting", **{"Retry-After": "1"})
        self._queue.put_nowait(arrived)
        await asyncio.wait([arrived.is_taken], timeout=self._rules.timeout)
        if arrived.is_taken.cancel() or arrived.is_taken.cancelled():
            raise _Refusal(503, "the run does not take the request, or is being ended", **{"Retry-After": "1"})
        return JSONResponse({"accepted": True}, 202)


async def _read(request: Request, max_size: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > max_size:
            raise _Refusal(413, f"the body is larger than {max_size} bytes", Connection="close")
    return bytes(body)


def _preflight(request: Request) -> Response:
    asked = request.headers.get("access-control-request-headers", "")
    allowed = {"access-control-allow-methods": ", ".join(_METHODS), "access-control-allow-headers": asked}
    return Response(status_code=204, headers=allowed)


def _is_one_of(host: str, names: frozenset[str]) -> bool:
    """Whether a host header is one of the names, or an address: one that leads elsewhere would not have led here."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        return name in names or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _by_name(query: str) -> dict[str, str | list[str]]:
    """Return a query or a form as an object: a text for each name, or a list where a name comes twice."""
    try:
        several = parse_qs(query, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise _Refusal(400, f"the query cannot be read: {error}") from error
    return {name: values[0] if len(values) == 1 else values for name, values in several.items()}


def _parsed(request: Request, body: bytes) -> Any:
    header = request.headers.get("content-type", "")
    if media_type(header) == "application/x-www-form-urlencoded":
        return _by_name(text_in(header, body))
    try:
        return read_as_typed(header, body, "the body")
    except RunError as error:
        raise _Refusal(400, str(error)) from error
