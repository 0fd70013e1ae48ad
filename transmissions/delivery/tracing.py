"""Spans of OpenTelemetry for a server: one for each request, and in it one for each delivery. See `transmissions.tracing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from transmissions.tracing import context_of, tracer

from .extensions import AFTER
from .lifecycle import ConnectionClosed, ConnectionEstablished, StreamCompleted, StreamStarted, StreamTerminated

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .lifecycle import Lifecycle

_ASKED_OFTEN: Final = {"/healthz", "/metrics"}
"""What is asked for over and over, and is of no interest."""


def traced(app: ASGIApp, lifecycle: Lifecycle) -> ASGIApp:
    """Return an application whose requests and deliveries have spans, if OpenTelemetry is set up; else the same."""
    found = tracer()
    if found is None:
        return app
    lifecycle.listen(_Deliveries(found))
    return _Requests(app, found)


class _Requests:
    """Makes a span of each request, which belongs to the one its header `traceparent` names. Runs begun in it belong to it."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or scope["path"] in _ASKED_OFTEN:
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind

        scope.get("extensions", {}).pop(AFTER, None)  # What lasts belongs to its request.

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope.get("method", "GET")
        # Not the query: who holds a session may follow its runs.
        about = {"http.request.method": method, "url.path": scope["path"], "url.scheme": scope["scheme"]}
        with self._tracer.start_as_current_span(method, context_of(headers), SpanKind.SERVER, about) as span:
            await self._app(scope, receive, _noting(span, send))


def _noting(span: Span, send: Send) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            span.set_attribute("http.response.status_code", message["status"])
        await send(message)

    return noting


class _Deliveries:
    """Listens to a lifecycle, and makes a span of each connection of a run."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._spans: dict[str, Span] = {}

    def __call__(self, told: object) -> None:
        """Follow a connection from its beginning to its end."""
        if isinstance(told, ConnectionEstablished):
            span = self._tracer.start_span(f"deliver {told.protocol}")
            self._spans[told.connection_id] = span
            _set(span, protocol=told.protocol, resumed=told.is_again)
        elif isinstance(told, StreamStarted):
            _set(self._spans[told.connection_id], request_id=told.request_id)
        elif isinstance(told, StreamCompleted):
            _set(self._spans[told.connection_id], ended="complete")
        elif isinstance(told, StreamTerminated):
            _set(self._spans[told.connection_id], ended=told.reason)
        elif isinstance(told, ConnectionClosed):
            span = self._spans.pop(told.connection_id)
            _set(span, bytes=told.bytes_sent, messages=told.messages_sent)
            span.end()


def _set(span: Span, **attributes: Any) -> None:
    for name, value in attributes.items():
        span.set_attribute(f"transmissions.{name}", value)
