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
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import uvicorn

from . import signals
from .delivery.doors import PATIENCE, Connection, Doorkeeper
from .errors import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.types import ASGIApp

_SPARE: Final = 256
"""Connections beyond the requests that may be at work; further ones are told to come back."""
_ON_THE_WAY: Final = 1 << 16
"""Bytes the system may take for a connection; by itself it would take megabytes for one that never reads."""
_UNSENT: Final = 1 << 14
"""Bytes of these that may wait for the network, where the system knows of such a limit: what is further on costs no delay."""
_GIVE_UP: Final = 30_000
"""Milliseconds after which the system gives up what a peer does not take."""
_PONG: Final = 20.0
"""Seconds for the answer to a ping of a WebSocket."""


class SocketLimits(NamedTuple):
    """What WebSockets may do."""

    largest: int = 1 << 20
    """Bytes of a message."""
    ping: float = 30.0
    """Seconds between two pings."""


class Server(uvicorn.Server):
    """One that heeds signals as runs do."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        concurrent: int,
        timeout: float,
        kill: Callable[[], object],
        sockets: SocketLimits | None = None,
        drain: Callable[[float], Awaitable[None]] | None = None,
        per_address: int | None = None,
        patience: float = PATIENCE,
    ) -> None:
        doorkeeper = Doorkeeper(concurrent + _SPARE, per_address)
        config = uvicorn.Config(
            app,
            loop="auto",
            http=cast("Any", partial(Connection, doorkeeper)),
            ws=_sockets(doorkeeper) if sockets else "none",
            ws_max_size=(sockets or SocketLimits()).largest,
            ws_ping_interval=(sockets or SocketLimits()).ping,
            ws_ping_timeout=_PONG,
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(timeout) + 5,
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
        # uvloop, if it is there. It has a wake-up pipe of its own for signals; what hears them here is a thread at ours.
        with listener, asyncio.Runner(loop_factory=self.config.get_loop_factory()) as runner:
            runner.run(self.serve([listener]))

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
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GIVE_UP)
    return listener


def _sockets(doorkeeper: Doorkeeper) -> Any:
    from .delivery.socket_door import Socket  # What it needs is not installed where no WebSocket is served.

    return partial(Socket, doorkeeper)


def _allow_files() -> None:
    """Let this process have as many connections and files open as it may: each is a number the system hands out."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def url_of(listener: socket.socket) -> str:
    """Return the URL a socket is reached at."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
