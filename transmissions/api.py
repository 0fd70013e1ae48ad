"""The HTTP API: `POST /api/APP` runs an app on the JSON object it is sent. A pure ASGI application; it opens no socket.

How it behaves. Code that differs from this is a bug.

*A request is a run.* It has processors, counts and an output folder of its own; nothing but what processors keep outside of
themselves passes from one to the next. Its body is the first message, and fills in what the app declares as arguments; it
never sets a setting, except where a processor says that a message field may.

*An answer* is `{"success": true, "requestId": …, "data": …}`: `data` is the first final message, or null if there is none.
The others are in `rest`, text that was printed is in `output`. If messages became dead letters or input was skipped,
`warnings` has their numbers. A failure is `{"success": false, "requestId": …, "error": …}` with the `node` it happened at: 400
for a body that is no message or lacks an argument, 404 for an app that is not served, 413 for a large body, 500 for a run that
failed, 503 with Retry-After when too many are at work, 504 for one that took too long. A run whose client goes away is
cancelled: nobody would get its answer. One that cannot be stopped, as with a call in a thread, keeps its place until it ends.

*Outputs* go to `APP-output/REQUEST-ID`, which is made when the first is written. Where they are to go where the command line
puts them (`--in-place`), the requests of an app stand in line, as two runs from the command line do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from .about import first_sentence
from .api_replies import Refusal, new_id, refused, reply
from .api_requests import gone_away, read_message
from .api_runs import AtWork, Limits, Served, answer
from .delivery.attended import Attended
from .json_text import as_json
from .near import suggestion
from .supervisor import Raised, attempt_async

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

_LOG = logging.getLogger(__name__)


class API:
    """The apps that are served, and the requests at work."""

    def __init__(self, served: Sequence[Served], limits: Limits) -> None:
        self.at_work: AtWork = set()
        self._served = {one.name: one for one in served}
        self._limits = limits
        self._busy = 0

    def application(self) -> Starlette:
        """Return the ASGI application."""
        routes = [
            Route("/api/{app}", self.call, methods=["POST"]),
            Route("/apps", self.apps, methods=["GET"]),
            Route("/healthz", self.health, methods=["GET"]),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _no_route})

    def kill(self) -> None:
        """End the processes of all runs at once. May be called from any thread."""
        for run in tuple(self.at_work):
            run.state.kill()

    async def call(self, request: Request) -> Response:
        """Run an app."""
        request_id, name = new_id(), request.path_params["app"]
        body = await attempt_async(self._call(request, name, request_id))
        if isinstance(body, Raised):
            refusal = _refusal(body.error)
            fault = None if refusal is body.error else body.error
            _LOG.log(
                _level(refusal), "POST /api/%s: %d, request %s: %s", name, refusal.status, request_id, refusal, exc_info=fault
            )
            return refused(refusal, request_id)
        _LOG.debug("POST /api/%s: 200, request %s", name, request_id)
        return reply(body, request_id)

    async def _call(self, request: Request, name: str, request_id: str) -> bytes:
        served = self._served.get(name)
        if served is None:
            raise Refusal(404, f"no app '{name}' is served{suggestion(name, self._served)}")
        with self._place():
            try:
                async with asyncio.timeout(self._limits.timeout):
                    message = await read_message(request, self._limits.body)
            except TimeoutError as error:
                raise Refusal(408, "the body took too long", {"Connection": "close"}) from error
            async with Attended(request.scope, request.receive):
                return await answer(served, message, request_id, self._limits, self.at_work)
        raise gone_away()

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        # A run that could not be stopped is at work, though its request is answered.
        if (at_work := max(self._busy, len(self.at_work))) >= self._limits.concurrent:
            busy = {"Retry-After": "1", "Connection": "close"}
            raise Refusal(503, f"{at_work} requests are at work, and more are not taken", busy)
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def apps(self, _: Request) -> Response:
        """Say which apps are served, and which fields of a message they take."""
        return reply(as_json({"apps": [_about(one) for one in self._served.values()]}), new_id())

    async def health(self, _: Request) -> Response:
        """Say that the server lives."""
        return reply(as_json({"status": "ok", "requests": self._busy}), new_id())


def _refusal(error: BaseException) -> Refusal:
    """Return what a client is told; of a fault of ours, only that it is one."""
    return error if isinstance(error, Refusal) else Refusal(500, "a fault of the server; its log says more")


def _about(served: Served) -> dict[str, Any]:
    fields = [
        {"field": one.field, "required": one.required, **({"about": one.help} if one.help else {})}
        for one in served.plan.arguments
    ]
    return {"name": served.name, "about": first_sentence(served.app), "fields": fields}


async def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    there = "POST /api/APP, GET /apps and GET /healthz are here"
    return refused(Refusal(status, f"no {request.method} {request.url.path}; {there}", headers), new_id())


def _level(refusal: Refusal) -> int:
    return logging.WARNING if refusal.status in {500, 503, 504} else logging.DEBUG
