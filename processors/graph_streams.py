"""Graphs in, out and together: RDFParse, RDFSerialize, RDFMerge."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import Dynamic, Processor, Range, RunError, Source, set_field

from .access import need_text, without
from .files import find_file
from .graph_text import Prefix, Syntax, check_prefixes, parse, quads_of, read_graph, syntax_of, write_graph

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyoxigraph

    from transmissions import Message

_TRIPLES_ONLY: Final = {"turtle", "ntriples", "rdfxml", "n3"}


class RDFParse(Source):
    """Send one message for each part of an RDF document of any size: so many triples, or one graph.

    Reads the text at `inputField`, else the file a message or `sourceFile` names as FileReader finds it, a piece at a time.
    Known are Turtle, TriG, N-Triples, N-Quads, RDF/XML, JSON-LD (its contexts inside) and N3 without rules. Writes the part as
    a graph, which in messages is text of TriG (Turtle where no graph has a name), to `targetField`, and the name of the graph
    to `graphName` if there is one graph a message. A blank node keeps its label in all parts. The messages form a group,
    which Unfork or RDFMerge ends. A fault in the document is an error with line and column; what came before it has gone on.

    ```turtle
    :parse a :RDFParse ; :sourceFile "data/people.rdf" ; :format "application/rdf+xml" ; :size 5000 .
    ```
    """

    input_field: str = ""
    "Dotted path of the text; a file is read if empty."
    source_file: Annotated[str, Dynamic()] = ""
    "The file, where the message does not name one."
    format: str = ""
    "turtle, trig, ntriples, nquads, rdfxml, jsonld, n3, or a media type or suffix; the file's suffix, or trig, if empty."
    base: str = ""
    "The IRI that relative ones belong to."
    per: Literal["part", "graph"] = "part"
    "Whether a message holds `size` triples, or those of one graph that follow each other, at most `size`."
    size: Annotated[int, Range(ge=1)] = 1000
    "How many triples a message holds at most."
    target_field: str = "graph"
    "Dotted path each part is written to."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield the parts."""
        if self.input_field:
            text, source = need_text(message, self.input_field), f"field '{self.input_field}'"
            yield from self._parts(without(message, self.input_field), text, self.format or "trig", source)
            return
        path = find_file(self, message)
        with self.context.open_input(path) as file:
            yield from self._parts({**message, "filePath": str(path)}, file, self.format or path.suffix, str(path))

    def _parts(self, rest: Message, data: Any, syntax: str, source: str) -> Iterator[Message]:
        parser = parse(data, syntax_of(syntax), source, self.base)
        for quads in self._cut(quads_of(parser, source)):
            item = rest.copy()
            set_field(item, self.target_field, write_graph(quads, parser.prefixes))
            if self.per == "graph":
                item["graphName"] = getattr(quads[0].graph_name, "value", "")
            yield item

    def _cut(self, quads: Iterator[pyoxigraph.Quad]) -> Iterator[list[pyoxigraph.Quad]]:
        if self.per == "part":
            while part := list(islice(quads, self.size)):
                yield part
            return
        part = []
        for quad in quads:
            if part and (quad.graph_name != part[0].graph_name or len(part) >= self.size):
                yield part
                part = []
            part.append(quad)
        if part:
            yield part


class RDFSerialize(Processor):
    """Write a graph in any syntax of RDF.

    Reads the graph (text of TriG, Turtle or N-Triples) at `graphField`, writes text to `targetField`.

    ```turtle
    :write a :RDFSerialize ; :format "jsonld" ; :targetField "content" ;
        :prefixes [ :prefix "schema" ; :namespace "https://schema.org/" ] .
    ```
    """

    placement = "thread"

    graph_field: str = "graph"
    "Dotted path of the graph."
    format: Syntax = "turtle"
    "The syntax."
    prefixes: tuple[Prefix, ...] = ()
    "Short names for namespaces."
    named: Literal["fail", "merge"] = "fail"
    "Where the syntax knows no named graphs, theirs are an error, or their triples are written with the others."
    target_field: str = "content"
    "Dotted path the text is written to."

    def __post_init__(self) -> None:
        """Check the prefixes."""
        self._prefixes = check_prefixes(self.prefixes)

    def process(self, message: Message) -> Message:
        """Write the graph."""
        import pyoxigraph

        quads: Any = read_graph(message, self.graph_field)
        if self.format in _TRIPLES_ONLY:
            name = next((quad.graph_name for quad in quads if not isinstance(quad.graph_name, pyoxigraph.DefaultGraph)), None)
            if name is not None and self.named == "fail":
                raise RunError(
                    f'{self.format} cannot hold the named graph {name}; set :named "merge", or write trig, nquads or jsonld'
                )
            quads = (quad.triple for quad in quads)
        set_field(message, self.target_field, write_graph(quads, self._prefixes, self.format))
        return message


class RDFMerge(Processor):
    """Put the graphs of a group, or of the whole stream, into one.

    Drops the messages of a group and writes their graphs, at `graphField` of each, as one into the group's own message, which
    goes on behind them; outside any group one message follows the last. Triples that are said twice are kept once. The
    graphs are in memory until then, some 200 bytes a triple, and more than `limit` triples are an error. Blank nodes get new
    labels, so that no two messages share one unless `blankNodes` says that they do.

    ```turtle
    :one a :RDFMerge ; :limit 100000 .
    ```
    """

    collapses = True
    stateful = True

    graph_field: str = "graph"
    "Dotted path of each graph; messages without it are an error."
    target_field: str = ""
    "Dotted path the whole is written to; where the graphs were if empty."
    blank_nodes: Literal["apart", "shared"] = "apart"
    "Whether a label in two messages is two nodes, or one as in parts of one document."
    limit: Annotated[int, Range(ge=1)] = 1_000_000
    "How many triples the whole may have."
    prefixes: tuple[Prefix, ...] = ()
    "Short names for namespaces."

    def __post_init__(self) -> None:
        """Begin empty."""
        self._prefixes = check_prefixes(self.prefixes)
        self._quads: dict[pyoxigraph.Quad, None] = {}
        self._blanks = 0

    def process(self, message: Message) -> None:
        """Take a graph in."""
        labels: dict[Any, Any] = {}
        for quad in read_graph(message, self.graph_field):
            self._quads[self._apart(quad, labels) if self.blank_nodes == "apart" else quad] = None
            if len(self._quads) > self.limit:
                raise RunError(f"the graphs have more than {self.limit} triples together; raise :limit")

    def end_group(self, message: Message) -> list[Message]:
        """Let the group's own message go on with the whole."""
        set_field(message, self.target_field or self.graph_field, self._take())
        return [message]

    def finish(self) -> Iterator[Message]:
        """Yield what no group took."""
        if self._quads:
            rest: Message = {}
            set_field(rest, self.target_field or self.graph_field, self._take())
            yield rest

    def _take(self) -> str:
        quads, self._quads = self._quads, {}
        self._blanks = 0
        return write_graph(quads, self._prefixes)

    def _apart(self, quad: pyoxigraph.Quad, labels: dict[Any, Any]) -> pyoxigraph.Quad:
        import pyoxigraph

        return pyoxigraph.Quad(*(self._renamed(term, labels) for term in quad))

    def _renamed(self, term: Any, labels: dict[Any, Any]) -> Any:
        import pyoxigraph

        if isinstance(term, pyoxigraph.Triple):
            return pyoxigraph.Triple(*(self._renamed(part, labels) for part in term))
        if not isinstance(term, pyoxigraph.BlankNode):
            return term
        if term not in labels:
            self._blanks += 1
            labels[term] = pyoxigraph.BlankNode(f"b{self._blanks}")
        return labels[term]
