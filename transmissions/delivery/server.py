"""`trans serve`: every served app as NDJSON, Server-Sent Events and WebSocket, and its runs over plain HTTP.

    POST /apps/{app}/stream         a run as NDJSON
    POST /apps/{app}/sse            a run as Server-Sent Events; with X-Session-ID and no wish for a stream: 202 and where it is
    GET  /apps/{app}/sse[/stream]   the run of a session
    WS   /apps/{app}/ws             runs on a socket
    POST /sessions                  a session that stands for the token, for pages
    GET  /runs  GET DELETE /runs/{id}  POST /runs/{id}/{pause,resume,cancel}  GET /runs/{id}/stream?since=
    GET  /                          the page, which starts a run and shows it
    GET  /apps /healthz /health/streaming /metrics /openapi.json

A pure ASGI application; it opens no socket. A request's body is the first message; it sets no setting. What crawls and searches
has its endpoints elsewhere, and delivers through the same core.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from transmissions.about import first_sentence

from . import page
from .asks import read_compat, read_since
from .buffer import BufferLimits
from .errors import InvalidRequest, NotFound, TooMany
from .extensions import last
from .http import StreamResponse
from .hub import Caps, Client, Hub
from .observed import Observed
from .openapi import document
from .places import Place, declared, followed, only_route, socket_routes
from .replies import HANDLERS, json_reply, nothing_there
from .requests import Requests, session_in
from .terms import Terms
from .timing import Timed
from .tracing import traced
from .websocket import GOING_AWAY, Socket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Scope
    from starlette.websockets import WebSocket

    from transmissions.api_runs import Served
    from transmissions.message import Message

    from .connection import Pace
    from .live import LiveRun

_ACTIONS: Final = ("pause", "resume", "cancel")


class StreamServer:
    """The apps that are served, and their runs. `terms` says by name of an app how it is delivered, if not as usual."""

    def __init__(
        self,
        served: Sequence[Served],
        *,
        pace: Pace,
        caps: Caps,
        timeout: float | None = None,
        terms: Mapping[str, Terms] | None = None,
        token: str | None = None,
        buffer: BufferLimits | None = None,
    ) -> None:
        self.hub = Hub(caps, token)
        self._observed = Observed(self.hub)
        usual = Terms(buffer or BufferLimits())
        self._requests = Requests(
            self.hub, served, dict.fromkeys((one.name for one in served), usual) | dict(terms or {}), timeout
        )
        self._pace = pace
        self._caps = caps
        self._sockets: dict[Socket, str] = {}
        self._endpoints = [Place(self.hub, one, pace, timeout) for one in declared(served)]

    def application(self) -> ASGIApp:
        """Return the ASGI application."""
        routes = [
            *page.routes(),
            Route("/apps", self.apps, methods=["GET"]),
            only_route("/apps/{app}/stream", partial(self.stream, "ndjson"), "POST"),
            *followed("/apps/{app}/sse", partial(self.stream, "sse"), self.attach),
            *socket_routes("/apps/{app}/ws", self.socket),
            Route("/sessions", self.session, methods=["POST"]),
            Route("/runs", self.runs, methods=["GET"]),
            Route("/runs/{id}", self.run, methods=["GET", "DELETE"]),
            only_route("/runs/{id}/stream", self.again, "GET"),
            Route("/runs/{id}/{action}", self.control, methods=["POST"]),
            Route("/healthz", self.health, methods=["GET"]),
            Route("/health/streaming", self._observed.health, methods=["GET"]),
            Route("/metrics", self._observed.metrics, methods=["GET"]),
            Route("/openapi.json", self.openapi, methods=["GET"]),
            *(route for one in self._endpoints for route in one.routes(self)),
        ]
        lifecycle, application = self.hub.lifecycle, Starlette(routes=routes, exception_handlers=HANDLERS)
        application.router.default = nothing_there
        return traced(Timed(application, lifecycle), lifecycle)

    def admits(self, scope: Scope) -> bool:
        """Whether a request needs no token: for the page, or because a session stands for it, to follow or begin a run."""
        path = scope["path"]
        if page.is_asked(scope):
            return True
        is_stream = scope["type"] == "websocket" or (
            scope["method"] == "GET" and path.startswith(("/apps/", "/runs/")) and path.endswith(("/sse", "/stream"))
        )
        is_stream = is_stream or any(one.is_at(scope) for one in self._endpoints)
        return is_stream and self.hub.sessions.owner_of(session_in(scope)) is not None

    def kill(self) -> None:
        """End the processes of all runs at once. May be called from any thread."""
        for live in tuple(self.hub.runs.values()):
            live.kill()

    async def drain(self, seconds: float) -> None:
        """Take no more runs, let those there are end, and close what is left."""
        idle = [asyncio.create_task(one.close_when_idle(GOING_AWAY, "the server is ending")) for one in self._sockets]
        await self.hub.drain(seconds)
        if idle:
            await asyncio.wait(idle, timeout=1.0)
        await self.hub.close()

    def _of(self, place: Place | None) -> tuple[Requests, Pace]:
        return (place.requests, place.pace) if place else (self._requests, self._pace)

    async def stream(self, protocol: str, request: Request, place: Place | None = None) -> Response | StreamResponse:
        """Begin a run, and send its events or say where they are; `place` is the endpoint it is declared for."""
        requests, pace = self._of(place)
        compat = read_compat(request.query_params.get("compat"))
        live = await requests.begin(request)
        since = read_since(request.headers.get("last-event-id"), request.query_params.get("since"))
        wants = "text/event-stream" in request.headers.get("accept", "") or "x-session-id" not in request.headers
        if protocol == "sse" and not wants:
            session = live.identity["session_id"]
            where = f"{request.scope['path']}/stream?session_id={session}{'&compat=v1' * compat}"
            return json_reply({"session_id": session, "request_id": live.name, "stream_url": where}, 202)
        return StreamResponse(live, protocol, pace, since, compat=compat)

    async def attach(self, request: Request, place: Place | None = None) -> Response | StreamResponse:
        """Send the events of a session's run."""
        requests, pace = self._of(place)
        served, client = requests.app(request), requests.client(request)
        if not (given := request.query_params.get("session_id")):
            raise InvalidRequest("a session is followed here: name it by ?session_id=ID")
        session = self.hub.sessions.check(given, client.owner)
        return self._again(self.hub.of_session(session, served.name, client), request, "sse", pace)

    async def again(self, request: Request) -> Response | StreamResponse:
        """Send the events of a run, from where a client left it."""
        live = self.hub.find(request.path_params["id"], self._requests.client(request))
        protocol = "sse" if "text/event-stream" in request.headers.get("accept", "") else "ndjson"
        return self._again(live, request, protocol, self._pace)

    def _again(self, live: LiveRun, request: Request, protocol: str, pace: Pace) -> Response | StreamResponse:
        compat = read_compat(request.query_params.get("compat"))
        since = read_since(request.headers.get("last-event-id"), request.query_params.get("since"))
        if live.log.is_ended and since == live.log.last:
            return Response(status_code=204)  # so that an EventSource comes no more
        return StreamResponse(live, protocol, pace, since, compat=compat)

    async def socket(self, websocket: WebSocket, place: Place | None = None) -> None:
        """Run an app over a WebSocket; `place` is the endpoint it was declared for."""
        requests, pace = self._of(place)
        served, client = requests.app(websocket), requests.client(websocket)
        session, terms = requests.session(websocket.query_params.get("session_id"), client), requests.terms(websocket, served)
        if sum(address == client.address for address in self._sockets.values()) >= self._caps.sockets:
            raise TooMany(f"{self._caps.sockets} sockets of yours are open, and more are not taken", retry_after=1)

        def begin(message: Message, name: str, since: str) -> tuple[LiveRun, int]:
            number = read_since(None, since)
            return requests.begin_on_socket(served, client, terms, session, name, message), number

        names = {"session_id": session, "app": served.name}
        socket = Socket(websocket, begin, pace, names)
        await last(websocket.scope, partial(self._attend, socket, client))

    async def _attend(self, socket: Socket, client: Client) -> None:
        self._sockets[socket] = client.address
        try:
            await socket.serve()
        finally:
            del self._sockets[socket]

    async def session(self, request: Request) -> Response:
        """Make a session that stands for the token."""
        return json_reply({"session_id": self.hub.sessions.new(self._requests.client(request).owner)}, 201)

    async def runs(self, request: Request) -> Response:
        """List a client's runs."""
        return json_reply({"runs": self.hub.of(self._requests.client(request))})

    async def run(self, request: Request) -> Response:
        """Tell of a run, or end it."""
        live = self.hub.find(request.path_params["id"], self._requests.client(request))
        if request.method == "DELETE":
            live.cancel()
        return json_reply(live.status())

    async def control(self, request: Request) -> Response:
        """Pause, resume or cancel a run."""
        action = request.path_params["action"]
        if action not in _ACTIONS:
            raise NotFound(f"there is no '{action[:64]}' for a run; there are {', '.join(_ACTIONS)}")
        live = self.hub.find(request.path_params["id"], self._requests.client(request))
        getattr(live, action)()
        return json_reply(live.status())

    async def apps(self, _: Request) -> Response:
        """Say which apps are served."""
        return json_reply(
            {"apps": [{"name": one.name, "about": first_sentence(one.app)} for one in self._requests.served.values()]}
        )

    async def health(self, _: Request) -> Response:
        """Say that the server lives."""
        return json_reply({"status": "draining" if self.hub.is_draining else "ok", "streams": self.hub.streams})

    async def openapi(self, _: Request) -> Response:
        """Describe all of this."""
        apps = {name: self._requests.schema(one) for name, one in self._requests.served.items()}
        return json_reply(document(apps, [(one.endpoint, one.requests.schema(one.served)) for one in self._endpoints]))
