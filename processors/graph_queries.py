"""Queries over the graph in each message: SPARQLQuery, SPARQLConstruct."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from transmissions import Processor, Protected, RunError, set_field

from .access import without
from .graph_text import Prefix, check_prefixes, read_graph, write_graph
from .sparql_rows import plain_row
from .sparql_stores import answer
from .sparql_text import QueryTemplate

if TYPE_CHECKING:
    from transmissions import Message


class _AsksItsGraph(Processor):
    placement = "thread"

    graph_field: str = "graph"
    "Dotted path of the graph: text of TriG, Turtle or N-Triples."
    query: Annotated[str, Protected()] = ""
    "The query: a template, as for SPARQLSelect, that is filled in with the message's fields."
    query_file: str = ""
    "File with the query, instead."
    union: bool = True
    "Whether a query without GRAPH sees the named graphs as well."

    def __post_init__(self) -> None:
        """Compile a template that stands in the config at once."""
        self._template = QueryTemplate(self, file=self.query_file, text=self.query, either=":query or :queryFile")

    def _answer(self, message: Message) -> Any:
        """Return a list of triples, or what SPARQL's JSON has for rows and truths."""
        import pyoxigraph

        store = pyoxigraph.Store()
        store.extend(read_graph(message, self.graph_field))
        result = answer(store, self._template.render(message), union=self.union)
        try:
            if isinstance(result, pyoxigraph.QueryTriples):
                return list(dict.fromkeys(result))
            return json.loads(result.serialize(format=pyoxigraph.QueryResultsFormat.JSON))
        finally:
            del result  # it must not leave this thread, not in a traceback either


class SPARQLQuery(_AsksItsGraph):
    """Ask the graph in a message: rows into a list, one message for each row, or a truth.

    Writes what SELECT answers to `rowsField` as a list of objects with plain values (text, numbers, truths), or with `each`
    sends one message for each row, which goes without the graph; what ASK answers is true or false. The graph of each
    message is in memory while it is asked. Nothing is fetched: SERVICE is an error.

    ```turtle
    :titles a :SPARQLQuery ; :each true ;
        :query "SELECT ?title { ?page <http://purl.org/dc/terms/title> ?title } ORDER BY ?title" .
    ```
    """

    each: bool = False
    "Whether every row is a message of its own."
    rows_field: str = "rows"
    "Dotted path of the list, of the row, or of the truth."

    def process(self, message: Message) -> Message | list[Message]:
        """Ask."""
        said = self._answer(message)
        if isinstance(said, list):
            raise RunError("a query whose answer is a graph (CONSTRUCT, DESCRIBE) is for SPARQLConstruct")
        if "boolean" in said:
            set_field(message, self.rows_field, said["boolean"])
            return message
        rows = [plain_row(binding) for binding in said["results"]["bindings"]]
        if not self.each:
            set_field(message, self.rows_field, rows)
            return message
        rest = without(message, self.graph_field)
        items = [rest.copy() for _ in rows]
        for item, row in zip(items, rows, strict=True):
            set_field(item, self.rows_field, row)
        return items


class SPARQLConstruct(_AsksItsGraph):
    """Make a graph from the graph in a message, by CONSTRUCT or DESCRIBE.

    Writes the new graph (text of Turtle) to `targetField`, in the place of the old one if that is empty. Both are in memory
    meanwhile. Nothing is fetched: SERVICE is an error.

    ```turtle
    :cards a :SPARQLConstruct ; :queryFile "to-vcard.rq" ;
        :prefixes [ :prefix "vcard" ; :namespace "http://www.w3.org/2006/vcard/ns#" ] .
    ```
    """

    target_field: str = ""
    "Dotted path the new graph is written to; where the old one was if empty."
    prefixes: tuple[Prefix, ...] = ()
    "Short names for namespaces."

    def __post_init__(self) -> None:
        """Check the prefixes, too."""
        super().__post_init__()
        self._prefixes = check_prefixes(self.prefixes)

    def process(self, message: Message) -> Message:
        """Make the graph."""
        import pyoxigraph

        triples = self._answer(message)
        if not isinstance(triples, list):
            raise RunError("a query whose answer is no graph (SELECT, ASK) is for SPARQLQuery")
        quads = (pyoxigraph.Quad(*triple) for triple in triples)
        set_field(message, self.target_field or self.graph_field, write_graph(quads, self._prefixes))
        return message
