"""What a client asks of servers, and how long it waits for them."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from .backoff import Backoff

Protocol = Literal["ndjson", "sse", "websocket"]
PROTOCOLS: Final = ("ndjson", "sse", "websocket")
_MISSED: Final = 3
"""Heartbeats that may fail to come before a connection is taken for dead."""


class Options(NamedTuple):
    """Seconds, if nothing else is said."""

    token: str | None = None
    protocol: Protocol = "ndjson"
    backoff: Backoff = Backoff()
    connect_timeout: float = 10.0
    first_byte_timeout: float = 30.0
    """For the head of an answer."""
    heartbeat: float = 30.0
    """How often the server sends something; when nothing came for three of them, the connection is made anew."""
    timeout: float | None = None
    """For a run as a whole."""
    buffer_size: int | None = None
    """Events that may wait for this client at the server."""
    enable_backpressure: bool | None = None
    """Whether the server may leave out events that are not essential when this client is behind."""
    slow_client_threshold_ms: int | None = None
    max_memory: int | None = None
    """Bytes that may wait for this client at the server."""
    gzip: bool = False

    def __repr__(self) -> str:
        """Return them without the token, which is not to stand in a log."""
        shown = self._asdict() | {"token": self.token and "…"}
        return f"Options({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def idle(self) -> float:
        """How long nothing may come."""
        return self.heartbeat * _MISSED

    def headers(self) -> dict[str, str]:
        """Return what is sent with each request."""
        asked = {
            "X-Buffer-Size": self.buffer_size,
            "X-Slow-Client-Threshold": self.slow_client_threshold_ms,
            "X-Max-Memory-Per-Connection": self.max_memory,
        }
        headers = {name: str(value) for name, value in asked.items() if value is not None}
        if self.enable_backpressure is not None:
            headers["X-Enable-Backpressure"] = str(self.enable_backpressure).lower()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token.strip()}"
        # Another's compression costs it more than a fast network gains.
        return {**headers, "Accept-Encoding": "gzip" if self.gzip else "identity"}
