"""What a server of ours does for its application beyond ASGI, by the extensions of a scope. Other servers may do without."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ABORT: Final = "transmissions.abort"
"""The extension of a scope by which a connection is cut off, whatever its buffers hold."""
TEXTS: Final = "transmissions.texts"
"""The extension by which a WebSocket sends many messages at once."""
PARTS: Final = "transmissions.parts"
"""The extension by which the parts of a body are sent past what looks at the head of an answer only."""
NOW: Final = "transmissions.now"
"""The extension by which a part of a body, or a text, is sent if nothing has to be waited for; it says whether it is."""
AFTER: Final = "transmissions.after"
"""The extension by which something is done when all layers in front of it have returned: what lasts is not to keep them."""
GONE: Final = "transmissions.gone"
"""The extension by which a function is called when the client is gone; a later one, or None, takes its place."""


async def last(scope: Scope, work: Callable[[], Awaitable[None]]) -> None:
    """Do what lasts when all layers in front of it have returned, where the server can; else at once."""
    after = scope.get("extensions", {}).get(AFTER)
    if after:
        after(work)
    else:
        await work()


def cut_off(scope: Scope) -> None:
    """End a connection whatever its buffers hold, where the server can."""
    abort = scope.get("extensions", {}).get(ABORT)
    if abort:
        abort()


async def gone(receive: Receive) -> None:
    """Wait until the client is."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def extended(app: ASGIApp, protocol: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that came over a connection of ours."""
    lasting: list[Callable[[], Awaitable[None]]] = []
    extensions = {**scope.get("extensions", {}), ABORT: protocol.transport.abort, AFTER: lasting.append}
    scope["extensions"] = extensions
    cycle: Any = None
    if scope["type"] == "websocket":
        extensions |= {TEXTS: protocol.send_texts, NOW: protocol.send_now}
    else:
        cycle = cast("Any", send).__self__
        cycle.transport = HeadFirst(cycle, protocol.loop)
        send = partial(_unframed, cycle, send) if scope["http_version"] == "1.0" else send
        extensions |= {PARTS: send, GONE: protocol.when_gone, NOW: partial(protocol.send_now, cycle)}
    try:
        await app(scope, receive, send)
        while lasting:
            await lasting.pop()()
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            # A body that is not whole is not ended as one; uvicorn would do the same, and log a fault.
            cycle.transport.close()
            cycle.disconnected = True
    finally:
        extensions.clear()  # They hold the connection, which holds the scope.


class HeadFirst:
    """Stands for the transport of an answer until its head is out, with what is there at once: each write is a system call."""

    __slots__ = ("_cycle", "_head", "_loop", "_transport")

    def __init__(self, cycle: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Keep the head until something follows, or its turn is over."""
        if self._head:
            self._cycle.transport = self._transport
            self._transport.write(self._head + data)
            self._head = b""
        else:
            self._head = data
            self._loop.call_soon(self._turned)

    def close(self) -> None:
        """Close when the head is out."""
        self._turned()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _turned(self) -> None:
        if self._head:
            self.write(b"")


async def _unframed(cycle: Any, send: Send, message: Message) -> None:
    """Send without chunks: who speaks HTTP/1.0 has no word for them, and takes what comes until the connection ends."""
    if message["type"] == "http.response.start":
        cycle.chunked_encoding = False
    else:
        cycle.expected_content_length = len(message.get("body", b""))
    await send(message)
