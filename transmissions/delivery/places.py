"""The endpoints that apps declare, each at its own path: who may ask, what a request says, and how it is answered."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import Response
from starlette.routing import Match, Route, WebSocketRoute

from transmissions.api_replies import Refusal
from transmissions.endpoints import is_followed, refuse_doubles
from transmissions.engine import only
from transmissions.fields import get_field

from .bare import EndpointResponse
from .buffer import BufferLimits
from .declared import Endpoint
from .errors import InvalidRequest, NotFound, Overloaded
from .files import Download, Transfer, find
from .replies import json_reply
from .requests import Requests
from .terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import HTTPConnection, Request
    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from transmissions.api_runs import Served
    from transmissions.message import Message

    from .connection import Pace
    from .hub import Asked, Hub
    from .live import LiveRun
    from .server import StreamServer

_LATEST: Final = re.compile(r"([0-9a-f]{32})\.([0-9]{1,18})")


class Declared(NamedTuple):
    """An endpoint, and the app that declares it, as it runs there."""

    served: Served
    endpoint: Endpoint


def declared(served: Iterable[Served]) -> list[Declared]:
    """Return the endpoints of the apps that are served.

    Raises:
        UsageError: two are in one place.

    """
    found = [(one, fields) for one in served for fields in one.plan.endpoints]
    refuse_doubles((one.name, fields) for one, fields in found)
    return [_declared(one, dict(fields)) for one, fields in found]


def _declared(served: Served, fields: dict[str, Any]) -> Declared:
    plan = only(served.plan, fields.pop("transmission"))
    return Declared(served._replace(plan=plan), Endpoint.from_plan(fields))


class Place:
    """One endpoint of a server."""

    def __init__(self, hub: Hub, declared: Declared, pace: Pace, timeout: float | None) -> None:
        self.served, self.endpoint = declared
        endpoint = self.endpoint
        self.requests = _Asking(hub, declared, timeout if endpoint.timeout is None else endpoint.timeout / 1000)
        self.pace = pace._replace(
            heartbeat=endpoint.heartbeat / 1000, send=endpoint.send_timeout / 1000, longest=endpoint.longest / 1000
        )
        self._hub = hub
        self._routes: Sequence[BaseRoute] = []

    def routes(self, server: StreamServer) -> Sequence[BaseRoute]:
        """Return the routes to it; events are sent, and sockets opened, as at the server's own paths."""
        told, path = self.endpoint, self.endpoint.path
        stream = partial(server.stream, told.protocol, place=self)
        if told.protocol == "websocket":
            self._routes = socket_routes(path, partial(server.socket, place=self))
        elif is_followed(told.protocol, told.method, envelope=told.envelope):
            self._routes = followed(path, stream, partial(server.attach, place=self))
        elif told.protocol == "ndjson" and told.method == "POST" and told.envelope:
            self._routes = [only_route(path, stream, "POST")]
        else:
            heads = ["HEAD"] if told.protocol == "file" and told.method == "GET" else []
            self._routes = [only_route(path, self.answer, told.method, *heads)]
        return self._routes

    def is_at(self, scope: Scope) -> bool:
        """Whether a request leads here, and may come from an EventSource or a WebSocket, which can send no token."""
        is_asked_so = scope["type"] == "websocket" or scope["method"] in {"GET", "HEAD"}
        return is_asked_so and any(route.matches(scope)[0] is Match.FULL for route in self._routes)

    async def answer(self, request: Request) -> Any:
        """Begin a run and send its messages, or go on where a client that comes back has left it."""
        protocol, failure = self.endpoint.protocol, self.requests.failure
        if protocol == "file":
            return await self._file(request)
        came_back = _LATEST.fullmatch(request.headers.get("last-event-id", ""))
        live = self._left(request, came_back[1]) if came_back else None
        since = int(came_back[2]) if came_back and live else 0
        if live and live.log.is_ended and since >= live.log.last:
            return Response(status_code=204)  # so that an EventSource comes no more
        live = live or await self.requests.begin(request)
        return EndpointResponse(live, protocol, self.pace, since, failure)

    async def _file(self, request: Request) -> Response | Download:
        live, transfer = await self.requests.begin_transfer(request)
        message = await transfer.named
        try:
            path = find(self.requests.folder, message, self.endpoint.file_field)
        except NotFound:
            transfer.end()
            await live.log.wait(sys.maxsize, lambda: live.is_over)
            if live.state == "failed":
                return json_reply(self.requests.failure("the run failed"), 500)
            raise
        return Download(path, live, transfer, self.pace)

    def _left(self, request: Request, run: str) -> LiveRun | None:
        try:
            return self._hub.find(run, self.requests.client(request))
        except NotFound:
            return None


def only_route(path: str, answer: Any, *methods: str) -> Route:
    """Return a route for some methods alone: whoever asks for the head of a stream must not take it, or begin a run."""
    route = Route(path, answer, methods=list(methods))
    route.methods = set(methods)
    return route


def socket_routes(path: str, answer: Any) -> list[BaseRoute]:
    """Return the route of a WebSocket, and one that tells whoever asks for its path without an upgrade."""
    return [WebSocketRoute(path, answer), _Upgrade(path, answer)]


class _Upgrade(Route):
    """Tells whoever asks for the path of a WebSocket in another way, by whatever method."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - it is refused
        sentence = f"{scope['path'][:200]} is a WebSocket; ask for it by GET with `Upgrade: websocket`"
        headers = {"Allow": "GET", "Upgrade": "websocket", "Connection": "Upgrade"}
        raise Refusal(426 if scope["method"] == "GET" else 405, sentence, headers)


def followed(path: str, begin: Any, attach: Any) -> list[Route]:
    """Return the routes of a run that is begun with a POST, and whose events a GET gets."""

    async def either(request: Request) -> Any:
        return await (begin if request.method == "POST" else attach)(request)

    return [only_route(path, either, "GET", "POST"), only_route(f"{path}/stream", attach, "GET")]


class _Asking(Requests):
    """Begins runs of one endpoint."""

    def __init__(self, hub: Hub, declared: Declared, timeout: float | None) -> None:
        self._only, self._endpoint = declared
        super().__init__(hub, [self._only], {self._only.name: self._own_terms()}, timeout)
        self._texts = [one for one in self._only.plan.arguments if one.kind == "Text"]
        self._begun: list[LiveRun] = []
        self._transfer: Transfer | None = None

    @property
    def folder(self) -> Path:
        """The folder that files are in."""
        return Path(self._only.plan.folder, self._endpoint.folder)

    def failure(self, said: str) -> object:
        """Return what is sent of a failed run where there are no envelopes."""
        text = self._endpoint.failure or said
        return {"type": "error", "error": text} if self._endpoint.protocol == "sse" else {"error": text}

    def app(self, connection: HTTPConnection) -> Served:  # noqa: ARG002 - it is the same for all
        """Return the app that is served here."""
        return self._only

    async def begin(self, request: Request) -> LiveRun:
        """Begin what is asked for, if it may be."""
        if request.headers.get("sec-fetch-site") == "cross-site":
            raise Refusal(403, "requests from pages of other origins are refused")  # an image's have no Origin
        self._begun = [live for live in self._begun if not live.is_over]
        most = self._endpoint.streams
        if most is not None and len(self._begun) >= most:
            raise Overloaded(f"{most} streams of {self._endpoint.path} are open, and more are not taken", retry_after=1)
        live = await super().begin(request)
        self._begun.append(live)
        return live

    async def begin_transfer(self, request: Request) -> tuple[LiveRun, Transfer]:
        """Begin what is asked for where it is a file."""
        live = await self.begin(request)
        assert self._transfer is not None  # made in the same step of the loop
        return live, self._transfer

    async def message(self, request: Request) -> Message:
        """Return the body of a POST, and the parts of path and query that the app has an argument for."""
        message = await super().message(request) if self._endpoint.method == "POST" else {}
        for argument in self._texts:
            given: Any = request.path_params.get(argument.name) or request.query_params.get(argument.name)
            if given is not None and argument.together:
                given = request.query_params.getlist(argument.name) or [given]
            if given is not None:
                message[argument.field] = given
            elif argument.required and argument.field not in message and self.accepts(self._only) is None:
                raise InvalidRequest(f"{self._endpoint.path} needs a parameter '{argument.name}'")
        return message

    def _asked(self, served: Served, message: Message, names: dict[str, str], terms: Terms, key: str) -> Asked:
        # Every bare message is a record that is asked for, whatever it calls itself.
        terms = terms._replace(may_drop=terms.may_drop and not terms.bare, counted=self._counted(message))
        if self._endpoint.protocol != "file":
            return super()._asked(served, message, names, terms, key and f"{self._endpoint.path} {key}")
        asked = super()._asked(served, message, names, terms, "")
        self._transfer = Transfer(asked.open_run)
        return asked._replace(open_run=self._transfer.open)

    def _counted(self, message: Message) -> tuple[str, int] | None:
        field = self._endpoint.counts
        value = get_field(message, field) if field else None
        return (field.rpartition(".")[2], len(value)) if isinstance(value, list) else None

    def _own_terms(self) -> Terms:
        told = self._endpoint
        limits = BufferLimits(**{name: getattr(told, name) for name in BufferLimits._names})  # noqa: SLF001 - its own list
        bare = told.protocol != "file" and (not told.envelope or told.protocol == "json-array")
        terms = Terms(limits, ring=told.ring, replay=told.replay, grace=told.grace / 1000, bare=bare)
        # An array that is cut off says that it failed by having no end.
        return terms._replace(failure=(lambda _: None) if told.protocol == "json-array" else self.failure)
