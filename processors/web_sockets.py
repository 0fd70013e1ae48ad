"""WebSockets of other servers: WebSocketSource and WebSocketSink."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, Self
from urllib.parse import urlsplit

from transmissions import Processor, Protected, Range, RunError, Source, Unit, UsageError

from .bus_sink import _Sink, shown
from .fetch import FetchError
from .fetching import SecretHeader, check_url
from .stream_following import TurnedAway, _Returning, turned_away, value_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed

    from transmissions import Message

    from .stream_following import Place

_NORMAL: Final = 1000
_GOING_AWAY: Final = 1001
_BROKEN: Final = 1002
_TOO_LARGE: Final = 1009
"""Codes of a close: of one that has enough, of one that may be back soon, and this side's of what it cannot read: bytes that
are against the protocol, and too large a message."""


class _Socket(Processor):
    extra = "server"

    url: Annotated[str, Protected()]
    "Where to, `ws://…` or `wss://…`. As it is yours, it may lead into a private network; no message can name it."
    secret_headers: Annotated[tuple[SecretHeader, ...], Protected()] = ()
    "Headers of the handshake whose values are secret."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 30_000
    "How long a connection may take to be made, and its server to answer a ping."
    max_record: Annotated[int, Range(ge=1), Unit("bytes")] = 16 * 2**20
    "How large one message of the server may be."

    def check(self) -> None:
        """Refuse what is no URL of a WebSocket.

        Raises:
            UsageError: it is none.

        """
        scheme, colon, rest = self.url.partition(":")
        if scheme not in {"ws", "wss"} or not colon:
            raise UsageError(f":url {self.url!r:.80} is no URL of a WebSocket; it begins with ws:// or wss://")
        check_url("url", f"{scheme.replace('ws', 'http', 1)}:{rest}")
        self._parts = urlsplit(self.url)
        self.where = shown(self.url, ("ws", "wss"))

    async def connect(self) -> ClientConnection:
        """Open a connection; redirects to other servers are not followed, as they would be told what this one is.

        Raises:
            FetchError: there is none.

        """
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus, WebSocketException

        seconds = self.timeout / 1000
        headers = {one.name: one.prefix + one.value.reveal() for one in self.secret_headers}
        try:
            return await connect(
                self.url,
                additional_headers=headers,
                max_size=self.max_record,
                open_timeout=seconds,
                ping_timeout=seconds,
                proxy=None,
                host=self._parts.hostname,
                port=self._parts.port or (443 if self._parts.scheme == "wss" else 80),
            )
        except InvalidStatus as error:
            status = error.response.status_code
            sentence = f"{self.where} answered {status}, and opens no WebSocket"
            raise turned_away(sentence, status, error.response.headers) from error
        except ValueError as error:
            raise TurnedAway(f"{self.where} redirects to another server, where nobody is asked") from error
        except (OSError, TimeoutError, WebSocketException) as error:
            raise FetchError(f"{self.where}: no connection: {str(error).lower() or type(error).__name__}") from error

    def lost(self, error: ConnectionClosed) -> RunError:
        """Return the error for a connection that was closed."""
        if isinstance(error.__cause__, UnicodeDecodeError):
            return RunError(f"{self.where} sent what is no text in UTF-8")
        code = error.sent.code if error.sent and not error.rcvd_then_sent else 0
        if code == _TOO_LARGE:
            return RunError(f"a message of {self.where} is larger than {self.max_record} bytes")
        if code == _BROKEN:
            return RunError(f"{self.where} breaks the protocol of WebSockets: {str(error.__cause__ or error).lower()}")
        return FetchError(f"{self.where}: the connection was lost: {str(error).lower()}")


class WebSocketSource(_Socket, _Returning, Source):
    """Open a WebSocket, and send one message for each that comes.

    First `send` goes out, if it is set, and to each new connection again. A message of the server that is a JSON object is the
    message itself; anything else, and bytes, stand in `content` of a copy of the incoming one. The end of the connection with
    code 1000, or without any, is the end; after any other loss it is made again. A message that is too large, that is no text
    though it says so, or against the protocol is an error at once: it would come again.

    ```turtle
    :prices a :WebSocketSource ; :url "wss://example.org/prices" ; :send '{"subscribe": "EUR"}' .
    ```
    """

    send: Annotated[str, Protected()] = ""
    "What is said to the server when a connection is there."

    def __post_init__(self) -> None:
        """Refuse what is no URL."""
        self.check()

    def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield a message for each that comes."""
        return self.follow(partial(self._once, message), returns=True)

    async def _once(self, message: Message, _: Place) -> AsyncGenerator[Message]:
        from websockets.exceptions import ConnectionClosed

        try:
            async with await self.connect() as connection:
                if self.send:
                    await connection.send(self.send)
                async for told in _heard(connection):  # until it is closed as it should be
                    yield _shaped(told, message)
                if connection.close_code == _GOING_AWAY:
                    raise FetchError(f"{self.where}: the server went away")
        except ConnectionClosed as error:
            raise self.lost(error) from error


class WebSocketSink(_Sink, _Socket):
    """Send messages as JSON over a WebSocket, one by one, and let them go on.

    Each is the message, or its field `inputField`. The connection is made with the first, and again where the server has closed
    it in good order. One that is lost is an error, and made again with the next message, so with `:retry` none is lost but what
    was under way; what the server says is passed over.

    ```turtle
    :tell a :WebSocketSink ; :url "ws://localhost:9000/in" ; :retry [ :attempts 5 ] .
    ```
    """

    _connection: ClientConnection | None = None

    def __post_init__(self) -> None:
        """Refuse what is no URL."""
        super().__post_init__()
        self.check()
        self._most = 1
        self._draining: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._leave()

    async def send(self, parts: list[bytes]) -> None:
        """Send messages."""
        from websockets.exceptions import ConnectionClosed

        if self._connection is not None and self._connection.close_code in {_NORMAL, _GOING_AWAY}:
            await self._leave()
        try:
            if self._connection is None:
                self._connection = await self.connect()
                self._draining = asyncio.create_task(_pass_over(self._connection))
            for part in parts:
                await self._connection.send(part.decode())
        except ConnectionClosed as error:
            await self._leave()
            raise self.lost(error) from error

    async def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
        if self._draining is not None:
            await asyncio.gather(self._draining, return_exceptions=True)
            self._draining = None


async def _heard(connection: ClientConnection) -> AsyncGenerator[str | bytes]:
    """Yield what comes until the connection is closed in good order."""
    from websockets.exceptions import ConnectionClosedOK

    try:
        while True:
            yield await connection.recv()
    except ConnectionClosedOK as error:
        # Where a close came behind a message that cannot be read, the library would have it end there as if all were well.
        if error.__cause__ is not None and not isinstance(error.__cause__, OSError | EOFError):
            raise


async def _pass_over(connection: ClientConnection) -> None:
    async for _ in connection:
        pass


def _shaped(told: str | bytes, message: Message) -> Message:
    value = value_in(told) if isinstance(told, str) else told
    return value if isinstance(value, dict) else {**message, "content": value}
