"""The endpoints of a server as OpenAPI 3.1, for clients and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from transmissions import __version__
from transmissions.endpoints import is_followed, parameters_of

from .asks import HEADERS, PRESETS
from .envelope import PROTOCOL
from .schema import PREFIX, schemas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .declared import Endpoint

    Schema = Mapping[str, Any] | None

_JSON: Final = "application/json"
_EVENT: Final = {"$ref": f"{PREFIX}Event"}
_MEDIA: Final = {
    "ndjson": "application/x-ndjson",
    "sse": "text/event-stream",
    "json-array": _JSON,
    "file": "application/octet-stream",
}
_NAME: Final = {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,128}$"}
_NO_MORE: Final = {"204": {"description": "Nothing comes any more."}}
_BEGUN: Final = {
    "202": {
        "description": "The run has begun; `stream_url` says where its events are.",
        "content": {_JSON: {"schema": {"type": "object"}}},
    }
}
_TOLD: Final = {
    "/apps": "The apps that are served.",
    "/healthz": "Whether the server lives.",
    "/health/streaming": "How its streams do.",
    "/openapi.json": "This.",
}
_REFUSALS: Final = {
    "400": "The request makes no sense; the answer says where.",
    "401": "A token is needed.",
    "403": "Not for pages of other origins, or under this name.",
    "404": "There is no such thing here, or it is somebody else's.",
    "405": "Another method is.",
    "408": "The body took too long.",
    "413": "The body is too large.",
    "415": "The body is no JSON.",
    "422": "Another message was sent with this Idempotency-Key.",
    "429": "This client has enough streams, or asks too often; come back after Retry-After.",
    "431": "The headers are too large.",
    "503": "The server has enough streams, or is ending; come back after Retry-After.",
}


def document(apps: Mapping[str, Schema], endpoints: Sequence[tuple[Endpoint, Schema]] = ()) -> dict[str, Any]:
    """Return the document for a server of these apps, and of the endpoints they declare, each with what its body looks like."""
    since = [_query("since", {"type": "integer", "minimum": 0}), _header("Last-Event-ID", {"type": "string"})]
    paths: dict[str, Any] = _app_paths(apps, since) | _run_paths(since) | _told_paths()
    for one, schema in ((one, schema) for one, schema in endpoints if one.protocol != "websocket"):
        paths.setdefault(one.path, {})[one.method.lower()] = _declared(one, schema)
        if is_followed(one.protocol, one.method, envelope=one.envelope):
            paths[one.path]["get"] = _followed([], since)
            paths[f"{one.path}/stream"] = {"get": _followed([], since)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Transmissions", "version": __version__, "x-protocol-version": PROTOCOL},
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}, {}],
    }


def _app_paths(apps: Mapping[str, Schema], since: list[dict[str, Any]]) -> dict[str, Any]:
    app = _path("app", {"type": "string", "enum": list(apps)})
    body = _body({"anyOf": [{"title": name, **(schema or {"type": "object"})} for name, schema in apps.items()]})
    wishes = [_query("lenient", {"type": "string", "enum": ["1"]}), _query("preset", {"type": "string", "enum": list(PRESETS)})]
    begin = [app, *wishes, *since, *_headers()]
    begin_sse = _operation("Run an app; its events as Server-Sent Events.", begin, _sse() | _BEGUN, body)
    read_sse = _followed([app], since)
    return {
        "/apps/{app}/stream": {"post": _operation("Run an app; its events as NDJSON.", begin, _stream(), body)},
        "/apps/{app}/sse": {"post": begin_sse, "get": read_sse},
        "/apps/{app}/sse/stream": {"get": read_sse},
    }


def _run_paths(since: list[dict[str, Any]]) -> dict[str, Any]:
    run = _path("id", {"type": "string", "minLength": 1, "maxLength": 128})
    action = _path("action", {"type": "string", "enum": ["pause", "resume", "cancel"]})
    events = _operation("The events of a run, from where a client left it.", [run, *since], _stream() | _NO_MORE)
    return {
        "/sessions": {"post": _operation("Make a session that stands for the token.", [], _json("A session.", "201"))},
        "/runs": {"get": _operation("A client's runs.", [], _json("They.", "200"))},
        "/runs/{id}": {
            "get": _operation("A run.", [run], _json("It.", "200")),
            "delete": _operation("Cancel a run.", [run], _json("It.", "200")),
        },
        "/runs/{id}/stream": {"get": events},
        "/runs/{id}/{action}": {"post": _operation("Pause, resume or cancel a run.", [run, action], _json("It.", "200"))},
    }


def _told_paths() -> dict[str, Any]:
    told = {path: {"get": _operation(about, [], _json(about, "200"))} for path, about in _TOLD.items()}
    health = told["/health/streaming"]["get"]["responses"]
    health |= _json("They do badly, or the server is ending; ask again after Retry-After.", "503")
    scrape = {"200": _reply("The metrics.", "text/plain", {"type": "string"})}
    return told | {"/metrics": {"get": _operation("Metrics for Prometheus.", [], scrape)}}


def _followed(parameters: list[Any], since: list[dict[str, Any]]) -> dict[str, Any]:
    session = _query("session_id", _NAME, required=True)
    return _operation("The events of a session's run.", [*parameters, session, *since], _sse() | _NO_MORE)


def _declared(endpoint: Endpoint, body: Schema) -> dict[str, Any]:
    media = _MEDIA[endpoint.protocol]
    schema = _EVENT if endpoint.envelope and media == _MEDIA["ndjson"] else {"type": "array"} if media == _JSON else {}
    parameters = [_path(name, {"type": "string"}) for name in parameters_of(endpoint.path)]
    replies = {"200": _reply("The messages of the run.", media, schema), "500": _reply("It failed.", _JSON, {})}
    if is_followed(endpoint.protocol, endpoint.method, envelope=endpoint.envelope):
        replies |= _BEGUN
    return _operation("An endpoint of an app.", parameters, replies, _body(body) if endpoint.method == "POST" else None)


def _body(schema: Schema) -> dict[str, Any]:
    is_required = bool(schema and schema.get("required"))
    return {"required": is_required, "content": {_JSON: {"schema": schema or {"type": "object"}}}}


def _operation(about: str, parameters: list[Any], replies: Mapping[str, Any], body: Any = None) -> dict[str, Any]:
    refusals = {code: _reply(said, _JSON, {"$ref": f"{PREFIX}Refusal"}) for code, said in _REFUSALS.items()}
    said: dict[str, Any] = {"summary": about, "parameters": parameters, "responses": refusals | dict(replies)}
    return said | ({"requestBody": body} if body else {})


def _stream() -> dict[str, Any]:
    return {"200": _reply("Its events, one on each line.", "application/x-ndjson", _EVENT)}


def _sse() -> dict[str, Any]:
    return {"200": _reply("Its events; `data` is one, `id` its number.", "text/event-stream", {})}


def _json(about: str, status: str) -> dict[str, Any]:
    return {status: _reply(about, _JSON, {"type": "object"})}


def _reply(about: str, media: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": about, "content": {media: {"schema": schema}}}


def _headers() -> list[dict[str, Any]]:
    numbers = [_header(name, {"type": "integer", "minimum": one.low, "maximum": one.high}) for name, one in HEADERS.items()]
    texts = [_header(one, _NAME) for one in ("X-Session-ID", "X-Request-ID", "Idempotency-Key")]
    return [*numbers, _header("X-Enable-Backpressure", {"type": "boolean"}), *texts]


def _path(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str, schema: Mapping[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _header(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": schema}


def _schemas() -> dict[str, Any]:
    refusal = {"type": "object", "properties": {"error": {}}, "required": ["error"]}
    return {**schemas(), "Refusal": refusal}
