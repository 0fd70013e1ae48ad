"""Where SPARQL is answered: at an endpoint, or by a store inside this process."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import urlencode
from weakref import WeakValueDictionary

from transmissions import RunError

from .egress import take_apart
from .fetch import Request
from .fetch_errors import FetchError
from .sparql_text import refuse_network
from .structure import parse_json

if TYPE_CHECKING:
    from pathlib import Path

    import pyoxigraph

    from transmissions import Processor

    from .fetch import Door, Reply

RESULTS: Final = "application/sparql-results+json"
_GRAPHS: Final = frozenset(
    {"application/n-quads", "application/n-triples", "application/rdf+xml", "application/trig", "text/turtle"}
)
_SAID: Final = 400
"""Characters of an endpoint's own sentence that an error repeats."""
_FAILED: Final = 400
_PARTIAL: Final = 206


class Answering(Protocol):
    """What answers queries and carries out updates."""

    async def query(self, text: str) -> Any:
        """Return the result of SELECT or ASK as SPARQL's JSON has it."""
        ...

    async def update(self, text: str) -> str:
        """Carry out an update and return how that went."""
        ...


class Address(NamedTuple):
    """An endpoint's URL, its credentials, and whether the user wrote the URL in a config of the app."""

    url: str
    user: str = ""
    password: str = ""
    trusted: bool = True


class Endpoint:
    """A SPARQL 1.1 endpoint, asked by POST."""

    def __init__(self, door: Door, address: Address, headers: dict[str, str], *, as_form: bool) -> None:
        self._door, self._address, self._as_form = door, address, as_form
        self._headers = dict(headers)
        if address.user:
            token = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    async def query(self, text: str) -> Any:
        """Return the result of SELECT or ASK as SPARQL's JSON has it.

        Raises:
            FetchError: there is no answer, or it is an error; the sentence has what the endpoint says.
            RunError: it is no answer to such a query, or only a part of one.

        """
        reply = await self._send("query", text, RESULTS)
        shown, kind = take_apart(reply.url).shown, reply.content_type
        if kind in _GRAPHS:
            raise RunError(f"{shown} answered with a graph ({kind}), and not as to SELECT or ASK")
        if reply.status == _PARTIAL or "x-sql-state" in reply.headers:  # as Virtuoso does when a query takes it too long
            said = reply.headers.get("x-sql-message", "")
            raise RunError(
                f"{shown} answered with a part of the results only{f': {said}' if said else ''}; ask for less at once"
            )
        if kind and not kind.endswith("json") and reply.body.lstrip()[:1] != b"{":
            raise RunError(f"{shown} answered {kind}, and not JSON{_said(reply)}")
        answer = parse_json(reply.body, shown)
        if not _is_result(answer):
            raise RunError(f"{shown} answered JSON that is no result of SELECT or ASK{_said(reply)}")
        return answer

    async def update(self, text: str) -> str:
        """Carry out an update; return the status of the reply.

        Raises:
            FetchError: there is no answer, or it is an error; the sentence has what the endpoint says.

        """
        return str((await self._send("update", text, "*/*")).status)

    async def _send(self, kind: str, text: str, accept: str) -> Reply:
        media = "application/x-www-form-urlencoded" if self._as_form else f"application/sparql-{kind}; charset=utf-8"
        body = urlencode({kind: text}) if self._as_form else text
        headers = {"Accept": accept, "Content-Type": media, **self._headers}
        request = Request(self._address.url, "POST", headers, body.encode())
        reply = await self._door.fetch(request, trusted=self._address.trusted)
        if reply.status >= _FAILED:
            raise FetchError(f"{take_apart(reply.url).shown} answered {reply.status} {reply.reason}{_said(reply)}")
        return reply


def _said(reply: Reply) -> str:
    said = " ".join(reply.text().split())
    return f": {said[:_SAID]}{'…' if said[_SAID:] else ''}" if said else ""


def _is_result(answer: Any) -> bool:
    """Whether an answer has the form that SPARQL's JSON has."""
    if not isinstance(answer, dict) or "boolean" in answer:
        return isinstance(answer, dict)
    results = answer.get("results")
    rows = results.get("bindings") if isinstance(results, dict) else None
    return isinstance(rows, list) and all(
        isinstance(row, dict) and all(isinstance(one, dict) for one in row.values()) for row in rows
    )


class Embedded:
    """A store in this process. Nodes of one run that name the same one share it."""

    def __init__(self, store: pyoxigraph.Store) -> None:
        self.store = store

    async def query(self, text: str) -> Any:
        """Return the result of SELECT or ASK as SPARQL's JSON has it."""
        return await asyncio.to_thread(self._query, text)

    async def update(self, text: str) -> str:
        """Carry out an update, whole or not at all."""
        await asyncio.to_thread(self._update, text)
        return "200"

    def _query(self, text: str) -> Any:
        import pyoxigraph

        result = answer(self.store, text)
        try:
            if isinstance(result, pyoxigraph.QueryTriples):
                raise RunError("a query whose answer is a graph (CONSTRUCT, DESCRIBE) is for SPARQLConstruct")
            return json.loads(result.serialize(format=pyoxigraph.QueryResultsFormat.JSON))
        finally:
            del result  # or an error's traceback would take it to another thread, which it cannot bear

    def _update(self, text: str) -> None:
        try:
            self.store.update(refuse_network(text))
        except SyntaxError as error:
            raise RunError(f"the update is not SPARQL: {error}") from error
        except OSError as error:
            raise RunError(f"the store cannot carry out the update: {error}") from error


def answer(store: pyoxigraph.Store, query: str, *, union: bool = False) -> Any:
    """Return pyoxigraph's answer to a query; with `union`, one without GRAPH sees the named graphs too.

    The answer must stay in the thread it was made in.

    Raises:
        RunError: it is not SPARQL, or would fetch from the network.

    """
    try:
        return store.query(refuse_network(query), use_default_graph_as_union=union)
    except SyntaxError as error:
        raise RunError(f"the query is not SPARQL: {error}") from error


_LOCK: Final = threading.Lock()
_OPEN: Final[WeakValueDictionary[tuple[int, str], Embedded]] = WeakValueDictionary()
"""A folder can be opened once in a process, so those who use it share what was opened, and the last closes it."""


def open_store(processor: Processor, name: str) -> Embedded:
    """Return the store of that name: a folder in the output folder, or `memory`, `memory:name` for one that is the run's own.

    Raises:
        RunError: the folder cannot be opened, or is outside the folders of the run.

    """
    import pyoxigraph

    is_memory = name.partition(":")[0] == "memory"
    path = None if is_memory else processor.context.output_path(name)
    # The whiteboard is one object for each run, and lives as long as any processor of it.
    key = (0, os.path.realpath(path)) if path else (id(processor.context.whiteboard), name)
    with _LOCK:
        found = _OPEN.get(key)
        if found is None:
            found = _OPEN[key] = Embedded(_open_folder(path) if path else pyoxigraph.Store())
        return found


def _open_folder(path: Path) -> pyoxigraph.Store:
    import pyoxigraph

    try:
        path.mkdir(parents=True, exist_ok=True)
        return pyoxigraph.Store(path)
    except (OSError, RuntimeError) as error:
        raise RunError(f"cannot open the store '{path}': {error}") from error


def read_endpoints(path: Path, kind: str, *, is_own: bool) -> Address:
    """Read the endpoint for `kind` ("query" or "update") from a JSON file as the original has it.

    That is a list of `{"name", "type", "url", "credentials": {"user", "password"}}`; `userEnv` and `passwordEnv` name
    environment variables instead. Those are read only for a file that `is_own`, one of the app: any other could send them away.

    Raises:
        RunError: it is no such file, or has no such endpoint.

    """
    given = parse_json(path.read_bytes(), str(path))
    entries = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, dict)]
    entry = next((one for one in entries if one.get("type", kind) == kind and isinstance(one.get("url"), str)), None)
    if entry is None:
        raise RunError(f"{path}: no endpoint of type '{kind}' with a url")
    said = entry.get("credentials") or {}
    user, password = (_credential(path, said, name, is_own=is_own) for name in ("user", "password"))
    return Address(entry["url"], user, password, is_own)


def _credential(path: Path, said: dict[str, Any], name: str, *, is_own: bool) -> str:
    variable = said.get(f"{name}Env")
    if not variable:
        return str(said.get(name) or "")
    if not is_own:
        raise RunError(f"{path}: only a file in the app's own folder may name an environment variable")
    if variable not in os.environ:
        raise RunError(f"{path}: the environment variable {variable} is not set")
    return os.environ[variable]
