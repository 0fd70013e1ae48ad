"""A Turtle file as an rdflib graph that knows where every triple was written."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rdflib import Graph
from rdflib.term import Node

from .turtle import Document, check_syntax, read
from .turtle_reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .problem import Span

Term: TypeAlias = Node
Triple: TypeAlias = tuple[Node, Node, Node]
Stretch: TypeAlias = tuple[int, int]
"""Start and end of a term in the text."""
Placed: TypeAlias = tuple[Node, Stretch]


class LocatedGraph:
    """A document's graph, and for its terms and triples the place where each was first written."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.graph = Graph(bind_namespaces="none")
        self._triples: dict[Triple, tuple[Stretch, Stretch, Stretch]] = {}
        self._subjects: dict[Node, Stretch] = {}
        self._objects: dict[Node, Stretch] = {}

    def triple(self, s: Node, p: Node, o: Node) -> tuple[Span, Span, Span] | None:
        """Return where subject, predicate and object of a triple stand."""
        places = self._triples.get((s, p, o))
        if places is None:
            return None
        subject, predicate, value = places
        return self._span(subject), self._span(predicate), self._span(value)

    def node(self, term: Node) -> Span | None:
        """Return where a term is first a subject; for a list cell its member; for others where it is first mentioned."""
        place = self._subjects.get(term) or self._objects.get(term)
        return self._span(place) if place else None

    def text(self, iri: str) -> str:
        """Return an IRI as it is meant where a text is wanted: one below the document's folder by its relative name."""
        return iri.removeprefix(f"{self.document.base.rpartition('/')[0]}/")

    def add(self, subject: Placed, predicate: Placed, value: Placed) -> None:
        """Add a triple and remember its place, unless it has one already."""
        triple = (subject[0], predicate[0], value[0])
        self.graph.add(triple)
        self._triples.setdefault(triple, (subject[1], predicate[1], value[1]))
        self._subjects.setdefault(*subject)
        self._objects.setdefault(*value)

    def settle(self, term: Node, place: Stretch) -> None:
        """Say where a term stands, before any triple does."""
        self._subjects.setdefault(term, place)

    def _span(self, place: Stretch) -> Span:
        return self.document.span(*place)


def load(source: Path | str | Document) -> LocatedGraph:
    """Read a Turtle file into a graph with places. Nothing is ever fetched.

    Raises:
        ConfigError: the file cannot be read, is beyond a limit, is not Turtle, or asks for imports.

    """
    document = source if isinstance(source, Document) else read(Path(source))
    check_syntax(document)
    located = LocatedGraph(document)
    with _quiet():
        Reader(located).read()
    return located


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # rdflib logs a traceback for `"many"^^xsd:integer`; SHACL says that in a located sentence.
    log = logging.getLogger("rdflib.term")
    log.addFilter(_is_not_about_literals)
    try:
        yield
    finally:
        log.removeFilter(_is_not_about_literals)


def _is_not_about_literals(record: logging.LogRecord) -> bool:
    return "lexical form" not in record.getMessage()
