"""A real SPARQL 1.1 endpoint on the loopback, over a store in this process: query, update, basic auth, errors in sentences."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pyoxigraph
from local_server import Page, Seen, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = pyoxigraph.QueryResultsFormat.JSON


class SPARQLEndpoint:
    """Answers at `/query` and `/update`; with `login` ("name:password") only who says so."""

    def __init__(self, login: str = "") -> None:
        self.store = pyoxigraph.Store()
        self.expected = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self.url = ""
        self.texts: list[str] = []

    def answer(self, seen: Seen) -> Page:
        if self.expected and seen.headers.get("authorization") != self.expected:
            return Page(b"please say who you are", status=401)
        kind = seen.path.removeprefix("/")
        media = seen.headers.get("content-type", "")
        text = seen.body.decode()
        if media.startswith("application/x-www-form-urlencoded"):
            text = parse_qs(text)[kind][0]
        elif not media.startswith(f"application/sparql-{kind}"):
            return Page(b"unsupported media type", status=415)
        self.texts.append(text)
        try:
            return self._done(kind, text)
        except SyntaxError as error:
            return Page(f"Parse error:\n  {error}".encode(), status=400)

    def _done(self, kind: str, text: str) -> Page:
        if kind == "update":
            self.store.update(text)
            return Page(status=204)
        body = self.store.query(text).serialize(format=JSON)
        return Page(body, {"Content-Type": "application/sparql-results+json"})


@contextlib.contextmanager
def sparql_endpoint(login: str = "") -> Iterator[SPARQLEndpoint]:
    """Run an endpoint."""
    endpoint = SPARQLEndpoint(login)
    with serving(endpoint.answer) as server:
        endpoint.url = server.url
        yield endpoint
