"""The WebSockets of a server: counted, small, and cut off when it is time. What they need is imported with this."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.utils import ClientDisconnected
from websockets.protocol import State

from .bell import Bell, Gate
from .doors import address
from .extensions import HeadFirst, extended
from .wary import WarySocket

if TYPE_CHECKING:
    from .doors import Doorkeeper

LAST: Final = 2.0
"""Seconds that a client has to close a socket when the server ends."""
_WHOLE_TEXT: Final = 0x81
"""The first byte of a message of text in one frame."""
_SHORT: Final = 125
_MIDDLING: Final = 0xFFFF
"""Bytes of a message whose length takes one byte, and two more."""


class Heard:
    """What a client has said and nobody has heard yet; an `asyncio.Queue` takes 3 KB before there is anything in it."""

    def __init__(self) -> None:
        self._said: list[Any] = []
        self._bell = Bell()

    def put_nowait(self, message: Any) -> None:
        """Keep a message until somebody hears it."""
        self._said.append(message)
        self._bell.ring()

    async def get(self) -> Any:
        """Return the next message, when there is one."""
        while not self._said:
            await self._bell.wait()
        return self._said.pop(0)

    def empty(self) -> bool:
        """Whether all was heard."""
        return not self._said


class Socket(WarySocket):
    """A WebSocket of a connection that was counted already."""

    # Half of uvicorn's names, too, so that there are few enough for its objects to share one list of them: 1 KB for each.
    __slots__ = (
        *("_doorkeeper", "curr_msg_data_type", "frames", "handshake_initiated", "initial_response", "last_ping_rtt"),
        *("pending_ping_payload", "ping_interval", "ping_sent_at", "ping_timeout", "read_paused", "request", "response"),
    )

    def __init__(self, doorkeeper: Doorkeeper, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.queue, self.writable = cast("Any", Heard()), cast("Any", Gate())
        self._doorkeeper = doorkeeper
        self.app = cast("Any", partial(extended, self.app, self))

    def connection_lost(self, exc: Exception | None) -> None:
        """Let another one in."""
        self._doorkeeper.left(address(self))
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End with the server; a client that was told to close has a moment to read the last of what was sent."""
        if self.close_timer is None:
            super().shutdown()
        else:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(LAST, self.transport.close)

    def keepalive_timeout(self) -> None:
        """Cut the connection off: whoever answers no ping will not take what is unsent either."""
        super().keepalive_timeout()
        self.transport.abort()

    async def send(self, message: Any) -> None:
        """Do what the application wants, and forget what the handshake needed."""
        if message["type"] == "websocket.accept":
            self.transport = cast("Any", HeadFirst(self, self.loop))
        await super().send(message)
        # uvicorn takes an answer that refuses for none, and would log a fault of the application.
        self.handshake_complete = self.handshake_complete or self.close_sent
        if self.request is not None:  # What was asked for is in the scope; the parser, too, would hold it to the end.
            self.request.headers.clear()
            self.request = self.response = cast("Any", None)
            self.conn.available_extensions = None

    def send_now(self, text: bytes) -> bool:
        """Send a message, if nothing has to be waited for, and say whether it is sent."""
        if not self.writable.is_set() or self._is_gone:
            return False
        # Most come alone, and most sockets do not compress: this is what `_framed` does then, in a third of the time.
        self.transport.write(self._framed([text]) if self.conn.extensions else _head(len(text)) + text)
        return True

    async def send_texts(self, texts: list[bytes]) -> None:
        """Send messages in one write: a system call for each would be dear.

        Raises:
            ClientDisconnected: the client is gone.

        """
        await self.writable.wait()
        if self._is_gone:
            raise ClientDisconnected
        self.transport.write(self._framed(texts))

    @property
    def _is_gone(self) -> bool:
        return self.disconnected or self.conn.state is not State.OPEN

    def _framed(self, texts: list[bytes]) -> bytes:
        if not self.conn.extensions:
            return b"".join([part for text in texts for part in (_head(len(text)), text)])
        for text in texts:  # They compress.
            self.conn.send_text(text)
        return b"".join(self.conn.data_to_send())


def _head(length: int) -> bytes:
    """Return what is in front of a message of text. The library would take a quarter of all that a small event costs."""
    if length <= _SHORT:
        return bytes((_WHOLE_TEXT, length))
    if length <= _MIDDLING:
        return bytes((_WHOLE_TEXT, _SHORT + 1)) + length.to_bytes(2)
    return bytes((_WHOLE_TEXT, _SHORT + 2)) + length.to_bytes(8)
