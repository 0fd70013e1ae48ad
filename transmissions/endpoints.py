"""The rules for the paths that apps are served at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .errors import UsageError
from .findings import ERROR, did_you_mean
from .problem import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .findings import Findings
    from .problem import Span
    from .subjects import Subject

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_RESERVED: Final = ("apps", "runs", "sessions", "healthz", "health", "metrics", "openapi.json", "static")
_OF_ITSELF: Final = ("json-array", "file")
"""Protocols that leave no room for envelopes."""


def parameters_of(path: str) -> list[str]:
    """Return the names of a path's parts that stand for anything."""
    return _PARAMETER.findall(path)


def keys_of(endpoint: Mapping[str, Any]) -> list[str]:
    """Return what no other endpoint of a server may have in common with one, as people read it."""
    path = _PARAMETER.sub("{}", endpoint["path"])
    method, envelope = method_of(endpoint), endpoint.get("envelope") is not False
    is_more = is_followed(str(endpoint.get("protocol")), method, envelope=envelope)
    return [f"{method} {path}", *([f"GET {path}", f"GET {path}/stream"] if is_more else [])]


def is_followed(protocol: str, method: str, *, envelope: bool) -> bool:
    """Whether a run is begun at an endpoint with a POST, and a GET of the same path gets its events, by their session."""
    return protocol == "sse" and method == "POST" and envelope


def method_of(endpoint: Mapping[str, Any]) -> str:
    """Return how an endpoint is asked for; a WebSocket is always opened with a GET."""
    return "GET" if endpoint.get("protocol") == "websocket" else str(endpoint.get("method", "GET"))


def refuse_doubles(served: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Refuse two endpoints in one place; given are the names of apps, and endpoints of theirs.

    Raises:
        UsageError: there are two.

    """
    first: dict[str, str] = {}
    for name, endpoint in served:
        for key in keys_of(endpoint):
            other = first.setdefault(key, name)
            if other != name:
                raise UsageError(f"{key} is an endpoint of two apps, {other} and {name}; serve one of them")


def check_endpoints(transmissions: Sequence[Subject], entries: Sequence[Subject], findings: Findings) -> None:
    """Report endpoints that take each other's place or the server's own, and parts of paths that fill nothing."""
    records = [given.record for subject in transmissions for given in subject.values.get("endpoint", ()) if given.record]
    texts = _texts_of(entries)
    first: dict[str, Span] = {}
    for record in records:
        endpoint, span = record.plain(), _span_of(record, "path")
        if not isinstance(endpoint.get("path"), str):
            continue
        if endpoint["path"].lstrip("/").split("/")[0] in _RESERVED:
            sentence = f"{endpoint['path']} is the server's own: a path may not begin with {', '.join(_RESERVED)}"
            findings.report(ERROR, "endpoint", sentence, span)
        for key in (key for key in keys_of(endpoint) if first.setdefault(key, span) is not span):
            related = (Label(first[key], "the first"),)
            findings.report(ERROR, "two-endpoints", f"two endpoints are {key}", span, "again", related=related)
        for name in (name for name in parameters_of(endpoint["path"]) if name not in texts):
            sentence = f"the app has no :argument '{name}' of kind Text, so {{{name}}} would fill nothing"
            findings.report(ERROR, "unknown-argument", sentence, span, mend=did_you_mean(name, texts, ""))
        if endpoint.get("protocol") in _OF_ITSELF and endpoint.get("envelope"):
            sentence = f"a {endpoint['protocol']} has no room for envelopes"
            findings.report(ERROR, "endpoint", sentence, _span_of(record, "envelope"))


def _texts_of(entries: Sequence[Subject]) -> set[str]:
    said = [given.plain for subject in entries for given in subject.values.get("argument", ()) if isinstance(given.plain, dict)]
    return {str(one.get("name")) for one in said if one.get("kind", "Text") == "Text"}


def _span_of(record: Subject, term: str) -> Span:
    given = next(iter(record.values.get(term, ())), None)
    return (given.span if given else None) or record.span
