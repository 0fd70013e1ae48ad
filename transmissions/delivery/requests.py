"""What becomes of a request: who asks, for which app, on what terms, and the run it begins."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from transmissions import engine
from transmissions.accepted import Unaccepted, accepted_by, read_request
from transmissions.accepted_schema import json_schema
from transmissions.api_replies import Refusal, new_id
from transmissions.api_requests import read_message
from transmissions.api_runs import Cleaner
from transmissions.arguments import bind
from transmissions.errors import UsageError
from transmissions.json_text import as_json
from transmissions.logs import variables_in
from transmissions.near import suggestion
from transmissions.plan import walk

from .asks import is_name, read_headers
from .errors import InvalidRequest, KeyUsed, NotFound, NotReady
from .hub import Asked, Client

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from starlette.requests import HTTPConnection, Request
    from starlette.types import Scope

    from transmissions.accepted import Accepted
    from transmissions.api_runs import Served
    from transmissions.message import Message
    from transmissions.running import Run

    from .hub import Hub
    from .live import LiveRun
    from .terms import Terms

_BODY: Final = 1 << 20
_KEY: Final = 128
_LATER: Final = 60
"""Seconds after which a server may have been given what it lacks."""
_PATIENCE: Final = 30.0
"""Seconds the body of a request may take."""


class Requests:
    """Begins runs of apps for those who ask. `terms` says by name of an app how it is delivered."""

    def __init__(self, hub: Hub, served: Sequence[Served], terms: Mapping[str, Terms], timeout: float | None) -> None:
        self.served = {one.name: one for one in served}
        self._hub = hub
        self._terms = terms
        self._timeout = timeout
        self._accepts: dict[str, Accepted | None] = {}
        self._keys: dict[str, list[str]] = {}
        """The environment variables that each app needs."""

    def app(self, connection: HTTPConnection) -> Served:
        """Return the app a request is for.

        Raises:
            NotFound: it is not served.

        """
        name = connection.path_params["app"]
        served = self.served.get(name)
        if served is None:
            raise NotFound(f"no app '{name[:64]}' is served{suggestion(name, self.served)}")
        return served

    def client(self, connection: HTTPConnection) -> Client:
        """Return who a client is: the token it came with, whom its session was made for, or where it comes from."""
        address = connection.client.host if connection.client else ""
        token = connection.headers.get("authorization", "").partition(" ")[2].strip()  # its scheme is spelt in many ways
        owner = None if token else self._hub.sessions.owner_of(session_in(connection.scope))
        return Client(owner or self._hub.sessions.client(token or address), address)

    def session(self, given: str | None, client: Client) -> str:
        """Return the name of a client's session, or of a new one where it gave none."""
        return self._hub.sessions.check(given, client.owner) if given else self._hub.sessions.new(client.owner)

    def terms(self, connection: HTTPConnection, served: Served) -> Terms:
        """Return how runs of an app are delivered to a client that asks for it so."""
        base = self._terms[served.name]
        asked = read_headers(connection.headers, connection.query_params, base.buffer)
        warnings = tuple(asked.warnings)
        return base._replace(buffer=asked.buffer, budget=asked.budget, may_drop=asked.may_drop, warnings=warnings)

    async def begin(self, request: Request) -> LiveRun:
        """Begin what a request over HTTP asks for, or find it where it is asked for again."""
        served, client = self.app(request), self.client(request)
        terms = self.terms(request, served)
        session = self.session(request.headers.get("x-session-id"), client)
        message = await self.message(request)
        name = request.headers.get("x-request-id", "")
        name = name if is_name(name) and not self._hub.has(name, client) else new_id()
        names = {"request_id": name, "session_id": session, "stream_type": served.name}
        key = request.headers.get("idempotency-key", "")
        if len(key) > _KEY:
            raise InvalidRequest(f"an Idempotency-Key has at most {_KEY} signs")
        asked = self._asked(served, message, names, terms, key and f"{served.name} {key}")
        return self._hub.begin(asked._replace(digest=_digest(message) if key else b""), client)[0]

    async def message(self, request: Request) -> Message:
        """Return the first message of the run that a request asks for."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise Refusal(415, f"a body is JSON (application/json), not {kind[:64]}", {"Accept": "application/json"})
        try:
            async with asyncio.timeout(_PATIENCE):
                return await read_message(request, _BODY)
        except TimeoutError as error:
            raise Refusal(408, "the body took too long", {"Connection": "close"}) from error

    def begin_on_socket(
        self, served: Served, client: Client, terms: Terms, session: str, name: str, message: Message
    ) -> LiveRun:
        """Begin what a message of a socket asks for, or find it where it is asked for again."""
        names = {"request_id": name, "session_id": session, "stream_type": served.name}
        # Requests of a socket are numbered by its client, and other clients of the same owner do the same.
        asked = self._asked(served, message, names, terms, f"{served.name} {session} {name}")
        try:  # Who comes back for a run may have no message for it.
            return self._hub.begin(asked._replace(digest=_digest(message) if message else b""), client)[0]
        except KeyUsed as error:
            said = f"a run '{name}' was begun with another message; a new one needs a request_id of its own"
            raise KeyUsed(said) from error

    def accepts(self, served: Served) -> Accepted | None:
        """Return what the messages must look like that an app begins with, where it says so."""
        if served.name not in self._accepts:
            self._accepts[served.name] = accepted_by(served.plan)
        return self._accepts[served.name]

    def schema(self, served: Served) -> dict[str, Any] | None:
        """Return the JSON Schema of the messages that an app begins with, where it says what they look like."""
        accepted = self.accepts(served)
        return json_schema(accepted.record, at_most=accepted.at_most) if accepted else None

    def _refuse_unaccepted(self, served: Served, message: Message) -> None:
        accepted = self.accepts(served)
        if accepted is None:
            return
        try:
            filled = bind(served.plan, (), known=message.keys()).messages
        except UsageError:
            filled = [{}]  # What is missing is told with all the rest.
        try:
            for fields in filled:
                read_request(accepted.record, {**message, **fields}, at_most=accepted.at_most)
        except Unaccepted as error:
            faults = [{"name": one.path, "message": one.said} for one in error.faults]
            raise InvalidRequest(str(error), fields=faults) from error

    def _refuse_without_keys(self, served: Served) -> None:
        if served.name not in self._keys:
            nodes = (node for entry in served.plan.entries() for node in walk(entry.pipe))
            self._keys[served.name] = [name for node in nodes for name in variables_in(node.settings)]
        missing = [name for name in self._keys[served.name] if name not in os.environ]
        if missing:
            raise NotReady(f"the environment variable {missing[0]} is not set", retry_after=_LATER)

    def _asked(self, served: Served, message: Message, names: dict[str, str], terms: Terms, key: str) -> Asked:
        self._refuse_unaccepted(served, message)
        self._refuse_without_keys(served)
        # A folder of a name that the client chose could be anywhere.
        folder = served.output / new_id()
        return Asked(
            names, partial(self._open, served, message, folder, names["request_id"]), terms, key, Cleaner(served, folder)
        )

    def _open(self, served: Served, message: Message, folder: Path, request_id: str) -> Run:
        run = engine.open(
            served.plan, message=message, target=served.target, output=folder, timeout=self._timeout, own_output=True
        )
        run.state.about["request_id"] = request_id
        return run


def _digest(message: Message) -> bytes:
    return sha256(as_json(message)).digest()


def session_in(scope: Scope) -> str:
    """Return the session that a request names in its query."""
    return parse_qs(str(scope["query_string"], "latin-1")).get("session_id", [""])[0]
