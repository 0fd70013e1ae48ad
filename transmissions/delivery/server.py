"""`trans serve`: every served app as NDJSON, Server-Sent Events and WebSocket, and its runs over plain HTTP.

    POST /apps/{name}/stream        a run as NDJSON
    POST /apps/{name}/sse           a run as Server-Sent Events; with X-Session-ID and no wish for a stream: 202 and where it is
    GET  /apps/{name}/sse[/stream]  the run of a session
    WS   /apps/{name}/ws            runs on a socket
    GET  /runs  GET DELETE /runs/{id}  POST /runs/{id}/{pause,resume,cancel}  GET /runs/{id}/stream?since=
    GET  /apps /healthz /health/streaming

A pure ASGI application; it opens no socket. A request's body is the first message; it sets no setting.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from transmissions import engine
from transmissions.about import first_sentence
from transmissions.api_replies import Refusal
from transmissions.api_requests import read_message
from transmissions.near import suggestion

from .asks import read_headers, read_since, request_id
from .buffer import BufferLimits
from .envelope import encode
from .errors import DeliveryError, InvalidRequest, NotFound
from .http import StreamResponse
from .hub import Caps, Hub
from .live import LiveRun, Terms
from .websocket import Socket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import HTTPConnection, Request
    from starlette.websockets import WebSocket

    from transmissions.api_runs import Served
    from transmissions.message import Message
    from transmissions.running import Run

    from .connection import Pace

_BODY = 1 << 20


class StreamServer:
    """The apps that are served, and their runs."""

    def __init__(self, served: Sequence[Served], *, pace: Pace, caps: Caps, timeout: float | None = None) -> None:
        self.hub = Hub(caps)
        self._served = {one.name: one for one in served}
        self._pace = pace
        self._timeout = timeout

    def application(self) -> Starlette:
        """Return the ASGI application."""
        routes = [
            Route("/apps", self.apps, methods=["GET"]),
            Route("/apps/{app}/stream", partial(self.stream, "ndjson"), methods=["POST"]),
            Route("/apps/{app}/sse", partial(self.stream, "sse"), methods=["POST"]),
            Route("/apps/{app}/sse", self.attach, methods=["GET"]),
            Route("/apps/{app}/sse/stream", self.attach, methods=["GET"]),
            WebSocketRoute("/apps/{app}/ws", self.socket),
            Route("/runs", self.runs, methods=["GET"]),
            Route("/runs/{id}", self.run, methods=["GET", "DELETE"]),
            Route("/runs/{id}/stream", self.again, methods=["GET"]),
            Route("/runs/{id}/{action:str}", self.control, methods=["POST"]),
            Route("/healthz", self.health, methods=["GET"]),
        ]
        return Starlette(routes=routes, exception_handlers={DeliveryError: _refuse, Refusal: _refuse, HTTPException: _no_route})

    def kill(self) -> None:
        """End the processes of all runs at once. May be called from any thread."""
        for live in tuple(self.hub.runs.values()):
            live.kill()

    async def stream(self, protocol: str, request: Request) -> Response | StreamResponse:
        """Begin a run, and send its events or say where they are."""
        served = self._find(request.path_params["app"])
        message = await read_message(request, _BODY)
        live = self._begin(request, served, message)
        wants = "text/event-stream" in request.headers.get("accept", "") or "x-session-id" not in request.headers
        if protocol == "sse" and not wants:
            session = live.identity["session_id"]
            where = f"/apps/{served.name}/sse/stream?session_id={session}"
            return _json({"session_id": session, "request_id": live.id, "stream_url": where}, 202)
        return self._response(live, protocol, None)

    async def attach(self, request: Request) -> Response | StreamResponse:
        """Send the events of a session's run."""
        self._find(request.path_params["app"])
        owner = _owner(request)
        session = self.hub.check_session(request.query_params.get("session_id", ""), owner)
        live = self.hub.of_session(session, owner)
        since = read_since(request.headers.get("last-event-id"), request.query_params.get("since"))
        if live.is_over and since is not None and since >= live.log.last:
            return Response(status_code=204)  # so that an EventSource comes no more
        return self._response(live, "sse", since)

    async def again(self, request: Request) -> StreamResponse:
        """Send the events of a run, from where a client left it."""
        live = self.hub.find(request.path_params["id"], _owner(request))
        since = read_since(request.headers.get("last-event-id"), request.query_params.get("since"))
        protocol = "sse" if "text/event-stream" in request.headers.get("accept", "") else "ndjson"
        return self._response(live, protocol, since)

    async def socket(self, websocket: WebSocket) -> None:
        """Run an app over a WebSocket."""
        served = self._find(websocket.path_params["app"])
        owner = _owner(websocket)
        given = websocket.query_params.get("session_id", "")
        session = self.hub.check_session(given, owner) if given else self.hub.new_session(owner)

        def begin(message: Message, asked: str, since: str) -> tuple[LiveRun, int | None]:
            names = {"request_id": asked, "session_id": session, "stream_type": served.name}
            terms = Terms(BufferLimits())
            live, new = self.hub.begin(names, owner, asked, partial(self._open, served, message, asked), terms)
            return live, None if new else read_since(None, since)

        names = {"session_id": session, "app": served.name}
        await Socket(websocket, begin, self._pace, names, frozenset({served.name})).serve()

    async def runs(self, request: Request) -> Response:
        """List a client's runs."""
        return _json({"runs": self.hub.of(_owner(request))})

    async def run(self, request: Request) -> Response:
        """Tell of a run, or end it."""
        live = self.hub.find(request.path_params["id"], _owner(request))
        if request.method == "DELETE":
            live.cancel()
        return _json(live.status())

    async def control(self, request: Request) -> Response:
        """Pause, resume or cancel a run."""
        action = request.path_params["action"]
        if action not in {"pause", "resume", "cancel"}:
            raise NotFound(f"there is no '{action[:64]}' for a run; there are pause, resume and cancel")
        live = self.hub.find(request.path_params["id"], _owner(request))
        getattr(live, action)()
        return _json(live.status())

    async def apps(self, _: Request) -> Response:
        """Say which apps are served."""
        return _json({"apps": [{"name": one.name, "about": first_sentence(one.app)} for one in self._served.values()]})

    async def health(self, _: Request) -> Response:
        """Say that the server lives."""
        return _json({"status": "ok", "streams": sum(not live.is_over for live in self.hub.runs.values())})

    def _begin(self, request: Request, served: Served, message: Message) -> LiveRun:
        owner = _owner(request)
        lenient = request.query_params.get("lenient") in {"1", "true"}
        asked = read_headers(request.headers, BufferLimits(), lenient=lenient)
        given = request.headers.get("x-session-id")
        session = self.hub.check_session(given, owner) if given else self.hub.new_session(owner)
        name = request_id(request.headers.get("x-request-id"), uuid.uuid4().hex)
        if name in self.hub.runs:
            name = uuid.uuid4().hex
        names = {"request_id": name, "session_id": session, "stream_type": served.name}
        key = request.headers.get("idempotency-key", "")[:128]
        terms = Terms(asked.buffer, asked.may_drop)
        return self.hub.begin(names, owner, key, partial(self._open, served, message, name), terms)[0]

    def _open(self, served: Served, message: Message, name: str) -> Run:
        return engine.open(
            served.plan,
            message=message,
            target=served.target,
            output=served.output / name,
            timeout=self._timeout,
            own_output=True,
        )

    def _response(self, live: LiveRun, protocol: str, since: int | None) -> StreamResponse:
        return StreamResponse(live, protocol, self._pace, since, {})

    def _find(self, name: str) -> Served:
        served = self._served.get(name)
        if served is None:
            raise NotFound(f"no app '{name[:64]}' is served{suggestion(name, self._served)}")
        return served


def _owner(connection: HTTPConnection) -> str:
    """Return who a client is: the token it came with, or where it comes from."""
    token = connection.headers.get("authorization", "")
    return token or (connection.client.host if connection.client else "")


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    safe = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(encode(value) + b"\n", status, safe, media_type="application/json")


async def _refuse(_: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        error = InvalidRequest(str(error)) if error.status == 400 else error  # noqa: PLR2004 - a bad request
    if isinstance(error, DeliveryError):
        headers = {"Retry-After": f"{error.retry_after:g}"} if error.retry_after is not None else {}
        return _json({"error": error.told()}, error.status, headers)
    assert isinstance(error, Refusal)
    return _json({"error": {"type": "Refused", "message": str(error), "retryable": False}}, error.status, error.headers)


async def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    said = f"no {request.method} {request.url.path} is here"
    return _json({"error": {"type": "NotFound", "message": said, "retryable": False}}, status, headers)
