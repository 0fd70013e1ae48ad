"""A server for an ASGI application: its socket, its limits, and what signals mean to it.

The first SIGINT or SIGTERM closes the socket and lets the requests that are at work finish; the second ends the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from . import signals
from .api_guard import HEADERS
from .errors import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

_PATIENCE: Final = 10.0
"""Seconds a connection has for the head of a request, and for what nobody asks about."""
_SPARE: Final = 256
"""Connections beyond the requests that may be at work; further ones are told to come back."""


class _Connection(H11Protocol):
    """A connection that is closed if it asks for nothing, at first or any time later."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._waiting is None:
            # Part of a head, or the rest of a body that was refused: uvicorn would wait for the next byte for ever.
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()  # or the timer would hold all that the connection holds
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(_PATIENCE, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None


class Server(uvicorn.Server):
    """One that heeds signals as runs do."""

    def __init__(
        self, app: ASGIApp, *, concurrent: int, timeout: float, kill: Callable[[], object], sockets: bool = False
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=_Connection,
            ws="websockets-sansio" if sockets else "none",
            ws_max_size=1 << 20,
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=concurrent + _SPARE,
            timeout_graceful_shutdown=int(timeout) + 5,
            h11_max_incomplete_event_size=HEADERS,
        )
        super().__init__(config)
        self._kill = kill
        self._stop: signals.Stop | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Heed signals as a run does."""
        with signals.watched(self._drain, self._kill) as self._stop:
            yield

    def _drain(self) -> None:
        self.should_exit = True

    def until_stopped(self, listener: socket.socket) -> int:
        """Serve until a signal comes, and return the exit code."""
        asyncio.run(self.serve([listener]))
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
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL a socket is reached at."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
