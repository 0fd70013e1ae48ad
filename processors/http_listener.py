"""The socket behind HttpServer. This module needs uvicorn, and is imported only when something listens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

import uvicorn

from transmissions import RunError

from .http_inbox import WAITING, Inbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_HEADERS: Final = 1 << 15
"""Bytes of a request line and its headers."""


class _Server(uvicorn.Server):
    """One that leaves signals to whoever started the run."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


@contextlib.asynccontextmanager
async def listening(inbox: Inbox, host: str, port: int) -> AsyncIterator[str]:
    """Serve an inbox while the block lasts, and give the URL; at its end, what was accepted is answered.

    Raises:
        RunError: nothing can listen there.

    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        inbox,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=2 * WAITING,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=_HEADERS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    serving.add_done_callback(lambda _: inbox.close())
    with listener:  # which uvicorn closes only where it is not cancelled
        try:
            yield _url_of(listener)
        finally:
            server.should_exit = True
            inbox.close()
            await serving


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise RunError(f"cannot listen at {host}, port {port}: {(error.strerror or str(error)).lower()}") from error


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
