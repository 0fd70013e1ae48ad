"""SPARQL over endpoints and embedded stores: SPARQLSelect, SPARQLUpdate."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from transmissions import Protected, Range, RunError, Secret, Unit, UsageError, get_field, set_field

from .fetch import Door
from .fetching import _FetchingWithHeaders, check_library, check_url
from .sparql_rows import plain_row
from .sparql_stores import Address, Endpoint, open_store, read_endpoints
from .sparql_text import QueryTemplate

if TYPE_CHECKING:
    from transmissions import Message

    from .sparql_stores import Answering


class _AsksSPARQL(_FetchingWithHeaders):
    extra = ""  # an embedded store needs nothing
    fixed = frozenset({"endpoint_settings"})

    endpoint: Annotated[str, Protected()] = ""
    "URL of the endpoint; this and `endpointSettings` need the extra `http`."
    user: Secret | None = None
    'Who asks: `[ :env "NAME" ]`.'
    password: Secret | None = None
    'The password: `[ :env "NAME" ]`.'
    endpoint_settings: str = ""
    "JSON file with endpoints, instead: a list of `{type, url, credentials}`, `type` being `query` or `update`."
    store: Annotated[str, Protected()] = ""
    "An embedded store, instead: a folder in the output folder, or `memory`, which nodes of the same run share."
    allow: Annotated[tuple[str, ...], Protected()] = ()
    "Hosts, addresses and networks that endpoints of a target's own file may be at, where they are not public."
    template_filename: str = ""
    "File with the template."
    template: Annotated[str, Protected()] = ""
    "The template itself, instead."
    graph: str = "?g"
    "What templates find as `graph`: the IRI of a graph, or a variable."
    sparql_use_form: bool = False
    "Whether the text is sent as a field of a form, for endpoints that take nothing else."
    target_path: str = ""
    "Read by nothing; old apps have it."

    _kind = ""
    _answering: Answering

    def __post_init__(self) -> None:
        """Compile a template that stands in the config at once."""
        super().__post_init__()
        ways = [bool(self.endpoint), bool(self.endpoint_settings), bool(self.store)]
        if sum(ways) != 1:
            raise UsageError(f"{type(self).__name__} needs one of :endpoint, :endpointSettings and :store")
        if bool(self.user) != bool(self.password) or ((self.user or self.secret_headers) and not self.endpoint):
            raise UsageError(":user and :password belong together, and secrets to :endpoint")
        if not self.store:
            check_library(f"{type(self).__name__} without :store")
        if self.endpoint:
            check_url("endpoint", self.endpoint)
        self._template = QueryTemplate(self, file=self.template_filename, text=self.template)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        if self.store:
            self._answering = await asyncio.to_thread(open_store, self, self.store)
        else:
            self._answering = Endpoint(
                self._door, self._address(), {**self._public, **self._secret}, as_form=self.sparql_use_form
            )
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.__dict__.pop("_answering", None)  # the last to let go closes a store
        await super().__aexit__(*exc)

    def _open(self) -> Door:
        return Door(timeout=self.timeout / 1000, max_bytes=self.max_bytes, allow=self.allow)

    def _address(self) -> Address:
        if self.endpoint:
            user, password = (one.reveal() if one else "" for one in (self.user, self.password))
            return Address(self.endpoint, user, password)
        path = self.context.input_path(self.endpoint_settings)
        if not path.is_file():
            raise RunError(f"no file '{self.endpoint_settings}' with endpoints; looked for {path}")
        folders = self.context.folders
        real, app = Path(os.path.realpath(path)), Path(os.path.realpath(folders.app))
        is_targets = folders.target is not None and real.is_relative_to(os.path.realpath(folders.target))
        return read_endpoints(path, self._kind, is_own=real.is_relative_to(app) and not is_targets)

    def _written(self, message: Message, data_path: str) -> str:
        """Return the template filled in: it can name the message's fields, the members of the data object, and a few more."""
        data: Any = get_field(message, data_path) if data_path else {}
        members = data if isinstance(data, dict) else {}
        graph = members.get("graph", self.graph) if self.graph == _AsksSPARQL.graph else self.graph
        return self._template.render({**message, **members, "graph": graph, "startDate": message["startDate"]})


class SPARQLSelect(_AsksSPARQL):
    """Ask a SPARQL endpoint, or an embedded store, and write the answer into the message.

    The query is a Jinja template, filled in with the message's fields and with the members of the object at `dataField`,
    besides `graph` and `startDate` (now, ISO 8601 in UTC). Values cannot break out of their place: between `<` and `>` they
    are written as IRIs, between quotes as text, elsewhere only numbers, truths, variables and prefixed names may stand; the
    filters `uri`, `literal` and `string` write whole terms.

    Writes to `queryResults` what the endpoint answers, as SPARQL's JSON has it (`results.bindings`, or `boolean` for ASK), or
    plain rows; and `startDate`, and `graph` where one is set. An answer is in memory whole, up to `maxBytes`. A reply that is
    an error is an error, with the endpoint's own sentence. URLs in a file of the app may lead anywhere; those in a target's
    must be public, or be listed in `allow`.

    ```turtle
    :ask a :SPARQLSelect ;
        :endpoint "https://example.org/sparql" ; :user [ :env "SPARQL_USER" ] ; :password [ :env "SPARQL_PASSWORD" ] ;
        :template "SELECT ?page { GRAPH <{{ graph }}> { ?page ?p '{{ title }}' } } LIMIT 100" ;
        :graph <http://example.org/content> ; :plain true .
    ```
    """

    data_field: str = ""
    "Dotted path of an object whose members the template can name."
    plain: bool = False
    "Whether `queryResults` is a list of rows with plain values: text, numbers and truths by the names of the variables."
    results_field: str = "queryResults"
    "Dotted path the answer is written to."

    _kind = "query"

    async def process(self, message: Message) -> Message:
        """Ask."""
        message["startDate"] = datetime.now(UTC).isoformat()
        if self.graph != _AsksSPARQL.graph:
            message["graph"] = self.graph
        answer = await self._answering.query(self._written(message, self.data_field))
        set_field(message, self.results_field, self._rows(answer) if self.plain else answer)
        return message

    def _rows(self, answer: Any) -> Any:
        if "boolean" in answer:
            return answer["boolean"]
        return [plain_row(binding) for binding in answer["results"]["bindings"]]


class SPARQLUpdate(_AsksSPARQL):
    """Have a SPARQL endpoint, or an embedded store, carry out an update.

    The update is a Jinja template, filled in with the message's fields and with the members of the object at `dataBlock`,
    besides `graph` and `startDate`. Values are written as for SPARQLSelect, so none can break out of its place. Writes
    `updateStatus`: `success`. A reply that is an error is an error, with the endpoint's own sentence. In an embedded store
    an update happens whole or not at all.

    ```turtle
    :put a :SPARQLUpdate ;
        :store "knowledge" ; :graph <http://example.org/content> ;
        :template "INSERT DATA { GRAPH <{{ graph }}> { <{{ uri }}> <http://purl.org/dc/terms/title> '{{ title }}' } }" .
    ```
    """

    data_block: str = "contentBlocks"
    "Dotted path of an object whose members the template can name."
    escape: bool = True
    "Read by nothing; values are always escaped."
    no_cache: bool = False
    "Whether the template's file is read anew for every message."
    delay: Annotated[int, Range(ge=0), Unit("ms")] = 0
    "How long to wait before each update."

    _kind = "update"

    async def process(self, message: Message) -> Message:
        """Update."""
        if self.no_cache:
            self._template.forget()
        if self.delay:
            await asyncio.sleep(self.delay / 1000)
        now = {**message, "startDate": datetime.now(UTC).isoformat()}
        await self._answering.update(self._written(now, self.data_block))
        message["updateStatus"] = "success"
        return message
