"""A server for an ASGI application: its socket, its limits, and what signals mean to it.

The first SIGINT or SIGTERM closes the socket and lets the requests that are at work finish; the second ends the process.

Whoever is slow is watched in four places: the head of a request has a time, the application gives its body one, and gets with
each scope a function `transmissions.abort` that cuts a connection off whatever its buffers hold; what is left unsent after an
answer is given up by the system itself. Little is on its way to a client at any time, so that thousands that never read are
no matter of memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import resource
import socket
import threading
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from . import signals
from .api_guard import HEADERS
from .errors import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

_PATIENCE: Final = 10.0
"""Seconds a connection has for the head of a request, and for what nobody asks about."""
_SPARE: Final = 256
"""Connections beyond the requests that may be at work; further ones are told to come back."""
_UNSENT: Final = 1 << 15
"""Bytes that may wait here for a connection before its sender waits too."""
_ON_THE_WAY: Final = 1 << 17
"""Bytes the system may take for a connection; by itself it would take megabytes for one that never reads."""
_GIVE_UP: Final = 30_000
"""Milliseconds after which the system gives up what a peer does not take."""
_PING: Final = (30.0, 20.0)
"""Seconds between two pings of a WebSocket, and for the answer."""
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_ENOUGH: Final = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _Doorkeeper:
    """Counts connections, in all and for each address."""

    def __init__(self, most: int, per_address: int | None) -> None:
        self._most = most
        self._per_address = per_address or most
        self._of: Counter[str] = Counter()

    def refusal(self, address: str) -> bytes:
        """Return what a new connection is told if it is not taken; count it if it is."""
        if self._of.total() >= self._most:
            return _BUSY
        if self._of[address] >= self._per_address:
            return _ENOUGH
        self._of[address] += 1
        return b""

    def left(self, address: str) -> None:
        """Know that a connection is gone."""
        self._of[address] -= 1
        if not self._of[address]:
            del self._of[address]


class _Connection(H11Protocol):
    """A connection that is closed if it asks for nothing, at first or any time later."""

    def __init__(self, doorkeeper: _Doorkeeper, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._doorkeeper = doorkeeper
        self._waiting: asyncio.TimerHandle | None = None
        self._is_counted = self._is_socket = False
        self.app = cast("Any", partial(_abortable, self.app, self))

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_UNSENT)
        refusal = self._doorkeeper.refusal(_address(self))
        self._is_counted = not refusal
        if refusal:
            transport.write(refusal)
            transport.close()
        else:
            self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_socket or (self.cycle is not None and not self.cycle.response_complete):
            self._stop_waiting()
        elif self._waiting is None:
            # Part of a head, or the rest of a body that was refused: uvicorn would wait for the next byte for ever.
            self._wait()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._is_socket = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()  # or the timer would hold all that the connection holds
        if self._is_counted:
            self._doorkeeper.left(_address(self))
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(_PATIENCE, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None


def _socket_class() -> Callable[..., Any]:
    """Return a connection of a WebSocket that is counted and can be cut off; its library is not needed without."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    class Socket(WebSocketsSansIOProtocol):
        def __init__(self, doorkeeper: _Doorkeeper, **arguments: Any) -> None:
            super().__init__(**arguments)
            self._doorkeeper = doorkeeper
            self.app = cast("Any", partial(_abortable, self.app, self))

        def connection_lost(self, exc: Exception | None) -> None:
            self._doorkeeper.left(_address(self))
            super().connection_lost(exc)

        def keepalive_timeout(self) -> None:
            super().keepalive_timeout()
            self.transport.abort()  # Whoever answers no ping will not take what is unsent either.

    return Socket


def _address(protocol: Any) -> str:
    return protocol.client[0] if protocol.client else ""


async def _abortable(app: ASGIApp, protocol: Any, scope: Scope, receive: Receive, send: Send) -> None:
    scope["extensions"] = {**scope.get("extensions", {}), "transmissions.abort": protocol.transport.abort}
    await app(scope, receive, send)


class Server(uvicorn.Server):
    """One that heeds signals as runs do."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        concurrent: int,
        timeout: float,
        kill: Callable[[], object],
        sockets: bool = False,
        drain: Callable[[float], Awaitable[None]] | None = None,
        per_address: int | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        doorkeeper = _Doorkeeper(concurrent + _SPARE, per_address)
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=cast("Any", partial(_Connection, doorkeeper)),
            ws=cast("Any", partial(_socket_class(), doorkeeper)) if sockets else "none",
            ws_max_size=1 << 20,
            ws_ping_interval=_PING[0],
            ws_ping_timeout=_PING[1],
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(timeout) + 5,
            h11_max_incomplete_event_size=HEADERS,
        )
        super().__init__(config)
        self._kill = kill
        self._finish = drain
        self._patience = patience
        self._stop: signals.Stop | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let the application end what it does, and close the rest."""
        if self._finish is not None:
            for server in self.servers:
                server.close()
            await self._finish(self._patience)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Heed signals as a run does; only in the main thread can they be."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        with signals.watched(self._drain, self._kill) as self._stop:
            yield

    def _drain(self) -> None:
        self.should_exit = True

    def until_asked_to_stop(self, listener: socket.socket) -> None:
        """Serve in a thread, until `should_exit` is set."""
        asyncio.run(self.serve([listener]))

    def until_stopped(self, listener: socket.socket) -> int:
        """Serve until a signal comes, and return the exit code."""
        _allow_files()
        self.until_asked_to_stop(listener)
        return self._stop.exit_code if self._stop else 0


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens at `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        UsageError: there is no such host here.
        RunError: the port is taken, or may not be used.

    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except (socket.gaierror, OverflowError) as error:
        raise UsageError(f"cannot listen at '{host}', port {port}: {getattr(error, 'strerror', None) or error}") from error
    except OSError as error:
        raise RunError(f"cannot listen at {host}, port {port}: {(error.strerror or str(error)).lower()}") from error
    # asyncio sets it for sockets it made itself; without it, each answer waits 40 ms for the client's system to say it came.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ON_THE_WAY)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GIVE_UP)
    return listener


def _allow_files() -> None:
    """Let this process have as many connections and files open as it may: each is a number the system hands out."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def url_of(listener: socket.socket) -> str:
    """Return the URL a socket is reached at."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
