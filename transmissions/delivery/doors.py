"""The HTTP connections of a server: counted, watched as long as they ask for nothing, and cut off when it is time."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from transmissions.api_guard import HEADERS

from .extensions import extended

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

PATIENCE: Final = 10.0
"""Seconds a connection has for the head of a request, and for what nobody asks about."""
_UNSENT: Final = 1 << 14
"""Bytes that may wait here for a connection before its sender waits too."""
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_ENOUGH: Final = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Doorkeeper:
    """Counts connections, in all and for each address."""

    def __init__(self, most: int, per_address: int | None) -> None:
        self._most = most
        self._per_address = per_address or most
        self._of: Counter[str] = Counter()
        self._all = 0

    def refusal(self, address: str) -> bytes:
        """Return what a new connection is told if it is not taken; count it if it is."""
        if self._all >= self._most:
            return _BUSY
        if self._of[address] >= self._per_address:
            return _ENOUGH
        self._of[address] += 1
        self._all += 1
        return b""

    def left(self, address: str) -> None:
        """Know that a connection is gone."""
        self._of[address] -= 1
        self._all -= 1
        if not self._of[address]:
            del self._of[address]


class Connection(HttpToolsProtocol):
    """A connection that is closed if it asks for nothing, at first or any time later."""

    # With so many names more than uvicorn's own its objects would share no list of them: 1 KB for each connection.
    __slots__ = ("_doorkeeper", "_gone", "_is_counted", "_is_socket", "_unread", "_waiting")

    def __init__(self, doorkeeper: Doorkeeper, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._doorkeeper = doorkeeper
        self._waiting: asyncio.TimerHandle | None = None
        self._is_counted = self._is_socket = False
        self._unread = 0
        self._gone: Callable[[], object] | None = None
        self.app = cast("Any", partial(extended, self.app, self))

    def when_gone(self, call: Callable[[], object] | None) -> None:
        """Call something, and nothing else, when the client is gone."""
        self._gone = call
        if call is not None and self.parser is None:
            self.loop.call_soon(call)

    def send_now(self, cycle: Any, part: bytes) -> bool:
        """Send a part of the body of an answer whose head is out, if nothing has to be waited for; say whether it is sent."""
        if self.flow.write_paused or self.transport.is_closing() or cycle.chunked_encoding is None:
            return False
        cycle.transport.write(b"%x\r\n%b\r\n" % (len(part), part) if cycle.chunked_encoding else part)
        return True

    def connection_made(self, transport: Any) -> None:
        """Take a connection, or tell it to come back."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_UNSENT)
        refusal = self._doorkeeper.refusal(address(self))
        self._is_counted = not refusal
        if refusal:
            transport.write(refusal)
            transport.close()
        else:
            self._wait()

    def data_received(self, data: bytes) -> None:
        """Take data, and watch as long as they make no request."""
        self._unread += len(data)
        super().data_received(data)
        if self._unread > HEADERS:
            self.send_400_response(f"more than {HEADERS} bytes of headers")
        elif self._is_socket or (self.cycle is not None and not self.cycle.response_complete):
            self._stop_waiting()
        elif self._waiting is None:
            # Part of a head, or the rest of a body that was refused: uvicorn would wait for the next byte for ever.
            self._wait()

    def handle_websocket_upgrade(self) -> None:
        """Become a WebSocket, which is watched by pings."""
        self._is_socket = True
        super().handle_websocket_upgrade()
        self._let_go()

    def on_headers_complete(self) -> None:
        """Begin an answer."""
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body. What is in front of it and behind it, up to the next head, is counted: nobody else does."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Know that a request is whole."""
        self._unread = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave nothing behind."""
        self._stop_waiting()  # or the timer would hold all that the connection holds
        if self._is_counted:
            self._doorkeeper.left(address(self))
        super().connection_lost(exc)
        self._let_go()
        if self._gone is not None:
            self._gone()

    def _let_go(self) -> None:
        # Each of them holds this: it would stay, with its request, until somebody collects what holds itself.
        self.app = self.parser = cast("Any", None)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(PATIENCE, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None


def address(protocol: Any) -> str:
    """Return where a connection comes from; an empty text if it is told nowhere."""
    return protocol.client[0] if protocol.client else ""
