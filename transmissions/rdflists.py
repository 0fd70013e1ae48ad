"""RDF lists, read with care: a list in a file may lack its end, branch, or run in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rdflib import RDF

if TYPE_CHECKING:
    from .loader import Layer, Value


class ListReading(NamedTuple):
    """The members of a list, and what is wrong with it if it ends early."""

    members: list[Value]
    fault: str = ""


def is_list(layer: Layer, value: Value) -> bool:
    """Whether a value is an RDF list, the empty one included."""
    return value.term == RDF.nil or (value.term, RDF.first, None) in layer.graph or (value.term, RDF.rest, None) in layer.graph


def read_list(layer: Layer, head: Value) -> ListReading:
    """Return the members of an RDF list, each with its place."""
    members: list[Value] = []
    seen = set()
    cell = head.term
    while cell != RDF.nil:
        if cell in seen:
            return ListReading(members, "the list runs in a circle")
        seen.add(cell)
        first, rest = layer.values(cell, RDF.first), list(layer.graph.objects(cell, RDF.rest))
        if len(first) != 1 or len(rest) != 1:
            return ListReading(members, "each cell of a list needs exactly one rdf:first and one rdf:rest")
        # A list written out as rdf:first and rdf:rest has places of its own, too.
        members.append(first[0]._replace(span=first[0].span or head.span))
        cell = rest[0]
    return ListReading(members)
