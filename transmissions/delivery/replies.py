"""Answers that are no streams: JSON, and what went wrong before a stream began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.websockets import WebSocket

from transmissions.api_replies import REQUEST_ID, Refusal, new_id
from transmissions.json_text import as_json

from .errors import DeliveryError, InvalidRequest

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import Receive, Scope, Send

_SAFE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_TOO_OFTEN: Final = 429


def json_reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a value as an answer."""
    return Response(as_json(value) + b"\n", status, {**_SAFE, **(headers or {})}, media_type="application/json")


def refused(refusal: Refusal, request_id: str) -> Response:
    """Return the reply of a refusal."""
    said = _said("Refused", str(refusal), retryable=refusal.status == _TOO_OFTEN)
    return json_reply(said, refusal.status, {REQUEST_ID: request_id, **refusal.headers})


async def _refuse(connection: HTTPConnection, error: Exception) -> Response | None:
    reply = _reply(connection, error)
    if isinstance(connection, WebSocket):
        await connection.send_denial_response(reply)
        return None
    return reply


def _reply(connection: HTTPConnection, error: Exception) -> Response:
    if isinstance(error, Refusal) and error.status == 400:  # noqa: PLR2004 - a bad request
        error = InvalidRequest(str(error))
    if isinstance(error, DeliveryError):
        headers = {"Retry-After": f"{error.retry_after:.0f}"} if error.retry_after is not None else {}
        return json_reply({"error": error.told()}, error.status, headers)
    if isinstance(error, Refusal):
        return refused(error, new_id())
    if isinstance(error, HTTPException):
        return _no_route(connection, error)
    return json_reply(_said("Fault", "a fault of the server; its log says more"), 500)


async def nothing_there(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
    """Answer what leads nowhere; by itself starlette would have nothing to say to a WebSocket."""
    raise HTTPException(404)


def _no_route(connection: HTTPConnection, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 405:  # noqa: PLR2004 - another method
        there = headers.get("Allow", "")
        return json_reply(_said("MethodNotAllowed", f"{connection.scope['path'][:200]} takes {there}"), 405, headers)
    return json_reply(_said("NotFound", f"nothing is at {connection.scope['path'][:200]}"), error.status_code, headers)


def _said(kind: str, sentence: str, *, retryable: bool = False) -> dict[str, Any]:
    return {"error": {"type": kind, "category": "request", "message": sentence, "retryable": retryable}}


HANDLERS: Final[dict[Any, Any]] = dict.fromkeys((DeliveryError, Refusal, HTTPException, Exception), _refuse)
