"""The connections of a client. This module needs aiohttp, and is imported only when something is asked for."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

import aiohttp
from yarl import URL

from transmissions.errors import describe

from .answers import CLOSING, check, check_open, check_stream, redirects_refused, told
from .errors import Disconnected, Refused
from .wire import LARGEST, Arrived, Broken, Frames, Lines, read_message

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from .options import Options

    Batch = list[Arrived | Broken]

_NOTHING_MORE: Final = 204
_UNKNOWN: Final = 404
_CLOSED: Final = {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


class Endpoint(NamedTuple):
    """Where runs are begun, and where all runs are found."""

    root: str
    path: str


class Asked(NamedTuple):
    """A run as it is asked for. `name` is what it is known by from then on."""

    message: Mapping[str, Any]
    name: str
    session: str
    key: str


def new_session(options: Options) -> aiohttp.ClientSession:
    """Return what makes the connections of one client."""
    limits = aiohttp.ClientTimeout(total=None, sock_connect=options.connect_timeout, sock_read=options.idle)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=limits,
        headers=options.headers(),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[redirects_refused()],
    )


class _Transport:
    """How one run is asked for, and its events come; `name` is what it is known by."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: Endpoint, asked: Asked, options: Options) -> None:
        self.name = asked.name
        self.has_begun = False
        self.was_closed_well = False
        """Whether the server has said all that it had to."""
        self._session = session
        self._endpoint = endpoint
        self._asked = asked
        self._options = options


class Http(_Transport):
    """NDJSON or Server-Sent Events. What broke off is asked for again by the name of the run."""

    async def batches(self, since: int) -> AsyncGenerator[Batch, None]:
        """Yield what comes behind a number, until the connection ends.

        Raises:
            Refused: the server will not.
            Disconnected: the connection broke.

        """
        check_open(self._session)
        with told(self._session):
            response = await self._opened(since)
            if response.status == _UNKNOWN and self.has_begun and self._asked.key:
                # The server that had the run is lost, or has forgotten it: another begins it anew.
                response.close()
                self.has_begun = False
                yield [Arrived({"event": "reset", "since": since, "first": 1, "last": 0})]
                response = await self._opened(0)
            async with response:
                await check(response, self._options)
                check_stream(response)
                self._learn(response)
                reader = Frames() if "event-stream" in response.content_type else Lines()
                async for chunk in response.content.iter_any():
                    yield reader.feed(chunk)
                yield reader.end()

    async def _opened(self, since: int) -> aiohttp.ClientResponse:
        async with asyncio.timeout(self._options.first_byte_timeout):
            return await self._open(since)

    async def _open(self, since: int) -> aiohttp.ClientResponse:
        headers = {"Accept": "text/event-stream" if self._options.protocol == "sse" else "application/x-ndjson"}
        if self._options.protocol == "sse" and since:
            headers["Last-Event-ID"] = str(since)
        # The session stands in the query, too: by it a balancer can send all that belongs together to one server.
        query = {"session_id": self._asked.session} | ({"since": str(since)} if since else {})
        if self.has_begun:
            run = URL(f"{self._endpoint.root}/runs/{quote(self.name, safe='')}/stream", encoded=True)
            return await self._session.get(run, headers=headers, params=query, allow_redirects=False)
        # If the answer to this is lost, the key has the next one be to the same run.
        headers |= {"Idempotency-Key": self._asked.key, "X-Request-ID": self._asked.name, "X-Session-ID": self._asked.session}
        last = "sse" if self._options.protocol == "sse" else "stream"
        url = f"{self._endpoint.root}{self._endpoint.path}/{last}"
        return await self._session.post(url, headers=headers, params=query, json=self._asked.message, allow_redirects=False)

    def _learn(self, response: aiohttp.ClientResponse) -> None:
        if response.status == _NOTHING_MORE:
            raise Refused(response.status, {"message": "the run has ended, and there is no more of it"})
        self.name = response.headers.get("X-Request-ID", self.name)
        self.has_begun = True


class WebSocket(_Transport):
    """One run on a socket of its own."""

    async def batches(self, since: int) -> AsyncGenerator[Batch, None]:
        """Yield what comes behind a number, until the connection ends or the server says that nothing more comes over it.

        Raises:
            Refused: the server will not.
            Disconnected: the connection broke.

        """
        url = f"{self._endpoint.root}{self._endpoint.path}/ws"
        session = {"session_id": self._asked.session}
        check_open(self._session)
        with told(self._session):
            async with asyncio.timeout(self._options.first_byte_timeout):
                socket = await self._session.ws_connect(url, params=session, max_msg_size=LARGEST, timeout=CLOSING)
            async with socket:
                said = {"action": "run", "request_id": self.name, "data": self._asked.message, "since": str(since or "")}
                await socket.send_str(json.dumps(said))
                self.has_begun = True
                while (event := await self._next(socket)) is not None:
                    yield [event] if event else []

    async def _next(self, socket: aiohttp.ClientWebSocketResponse) -> Arrived | Broken | tuple[()] | None:
        """Return an event, nothing if a message is none, or None if no more come."""
        message = await socket.receive(timeout=self._options.idle)
        if message.type in _CLOSED:
            self._closed(socket, message.extra)
            return None
        if message.type is not aiohttp.WSMsgType.TEXT:
            return ()
        read = read_message(message.data)
        if isinstance(read, Broken) or not _is_enveloped(read.data):
            return read
        return self._event_in(read.data)

    def _closed(self, socket: aiohttp.ClientWebSocketResponse, reason: str | None) -> None:
        code = socket.close_code
        if code == aiohttp.WSCloseCode.OK:
            self.was_closed_well = True
        elif error := socket.exception():
            raise Disconnected(f"the connection to the server broke: {describe(error)}")
        elif code not in {None, aiohttp.WSCloseCode.ABNORMAL_CLOSURE}:
            raise Disconnected(f"the socket was closed ({code}{f': {reason}' if reason else ''})")

    def _event_in(self, message: dict[str, Any]) -> Arrived | tuple[()] | None:
        data = message["data"]
        if isinstance(data.get("event"), str):
            return Arrived(data)
        if message["message_type"] == "error":
            told = data.get("error")
            raise Refused(0, told if isinstance(told, dict) else data)
        return None if message["message_type"] == "detached" else ()


def _is_enveloped(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get("message_type"), str) and isinstance(data.get("data"), dict)
