"""SHACL from Specs: a graph to validate with, and the text of `configs/processors.ttl`.

The shapes are for the effective graph: one subject for each placed node, with its settings resolved and its defaults filled in.
There a text is a plain literal, a number or truth value a typed one, an IRI an IRI, a record or secret a blank node.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rdflib import RDF, RDFS, SH, XSD, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection

from .terms import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rdflib.term import Node

    from .spec import Setting, Spec

Value: TypeAlias = "URIRef | Literal | Block | tuple[URIRef | Literal, ...]"
"""What a property of a shape has: a term, a blank node (a list of pairs), or an RDF list (a tuple)."""
Block: TypeAlias = "list[tuple[URIRef, Value]]"

_DATATYPES: Final = {"string": XSD.string, "integer": XSD.integer, "decimal": XSD.decimal, "boolean": XSD.boolean}
_BOUNDS: Final = {"ge": SH.minInclusive, "gt": SH.minExclusive, "le": SH.maxInclusive, "lt": SH.maxExclusive}
_LENGTHS: Final = {"min_length": SH.minLength, "max_length": SH.maxLength}
_PREFIXES: Final = {
    "": NAMESPACE,
    "rdf": str(RDF),
    "rdfs": str(RDFS),
    "sh": str(SH),
    "xsd": str(XSD),
}
_HEADER: Final = """\
# Generated from the processor classes by `trans shapes --write`; `trans shapes --check` fails when this is stale.
# Each shape describes a placed node once its settings are resolved, wherever they were written.
"""


def shapes_graph(specs: Iterable[Spec]) -> Graph:
    """Return closed node shapes, one for each spec, for validating an effective graph."""
    graph = Graph(bind_namespaces="none")
    for spec in specs:
        _add(graph, URIRef(spec.iri + "Shape"), _node_shape(spec))
    return graph


def to_turtle(specs: Iterable[Spec]) -> str:
    """Return classes and shapes as Turtle, the same text for the same specs in any order."""
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in _PREFIXES.items())
    blocks = [
        f"{_term(URIRef(subject))}{_write(block, 1)} .\n"
        for spec in sorted(specs, key=lambda spec: spec.iri)
        for subject, block in ((spec.iri, _class(spec)), (spec.iri + "Shape", _node_shape(spec)))
    ]
    return "\n".join([_HEADER, prefixes, *blocks])


def _class(spec: Spec) -> Block:
    return [
        (RDF.type, RDFS.Class),
        (RDFS.subClassOf, URIRef(NAMESPACE + ("Source" if spec.is_source else "Processor"))),
        (RDFS.label, Literal(spec.name)),
        (RDFS.comment, Literal(spec.summary)),
        (URIRef(NAMESPACE + "implementedBy"), Literal(spec.implementation)),
    ]


def _node_shape(spec: Spec) -> Block:
    return [(RDF.type, SH.NodeShape), (SH.targetClass, URIRef(spec.iri)), *_closed(spec.settings)]


def _closed(settings: Sequence[Setting]) -> Iterator[tuple[URIRef, Value]]:
    yield SH.closed, Literal(True)
    yield SH.ignoredProperties, (RDF.type,)
    for setting in settings:
        yield SH.property, list(_property_shape(setting, settings))


def _property_shape(setting: Setting, siblings: Sequence[Setting]) -> Iterator[tuple[URIRef, Value]]:
    yield SH.path, _path(setting)
    yield SH.name, Literal(setting.term)
    if setting.doc:
        yield SH.description, Literal(setting.doc)
    yield from _kind(setting)
    least = max(int(setting.required), (setting.required and setting.min_count) or 0)
    if least:
        yield SH.minCount, Literal(least)
    most = setting.max_count if setting.many else 1
    if most is not None:
        yield SH.maxCount, Literal(most)
    yield from _constraints(setting)
    terms = {sibling.name: sibling for sibling in siblings}
    if setting.less_than:
        yield SH.lessThan, _path(terms[setting.less_than])
    if setting.less_than_or_equals:
        yield SH.lessThanOrEquals, _path(terms[setting.less_than_or_equals])
    for default in setting.default if isinstance(setting.default, tuple) else (setting.default,):
        if isinstance(default, str | int | float) and default != "":
            yield SH.defaultValue, _literal(default, setting.kind)


def _kind(setting: Setting) -> Iterator[tuple[URIRef, Value]]:
    if setting.kind in _DATATYPES:
        yield SH.datatype, _DATATYPES[setting.kind]
    elif setting.kind == "iri":
        yield SH.nodeKind, SH.IRI
    elif setting.kind == "record":
        yield SH.nodeKind, SH.BlankNodeOrIRI
        yield SH.node, list(_closed(setting.fields))
    elif setting.kind == "secret":
        name: Block = [(SH.path, URIRef(NAMESPACE + "env")), (SH.datatype, XSD.string)]
        yield SH.nodeKind, SH.BlankNode
        yield (
            SH.node,
            [(SH.closed, Literal(True)), (SH.property, [*name, (SH.minCount, Literal(1)), (SH.maxCount, Literal(1))])],
        )


def _constraints(setting: Setting) -> Iterator[tuple[URIRef, Value]]:
    if setting.choices:
        # A typed "x"^^xsd:string is not equal to a plain "x" here, and the effective graph has plain texts.
        yield SH["in"], tuple(Literal(choice) for choice in setting.choices)
    for length, predicate in _LENGTHS.items():
        if getattr(setting, length) is not None:
            yield predicate, Literal(getattr(setting, length))
    for bound, predicate in _BOUNDS.items():
        value = getattr(setting, bound)
        if value is not None:
            yield predicate, _literal(value, setting.kind)
    if setting.pattern:
        yield SH.pattern, Literal(f"^(?:{setting.pattern})$")


def _path(setting: Setting) -> URIRef:
    return URIRef(NAMESPACE + setting.term)


def _literal(value: Any, kind: str) -> Literal:
    if kind == "decimal":
        text = format(Decimal(str(value)), "f")
        return Literal(text if "." in text else f"{text}.0", datatype=XSD.decimal)
    return Literal(str(value)) if isinstance(value, str) else Literal(value)


def _add(graph: Graph, subject: Node, block: Block) -> None:
    for predicate, value in block:
        graph.add((subject, predicate, _node(graph, value)))


def _node(graph: Graph, value: Value) -> Node:
    if isinstance(value, tuple):
        return Collection(graph, BNode(), list(value)).uri
    if isinstance(value, list):
        blank = BNode()
        _add(graph, blank, value)
        return blank
    return value


def _write(block: Block, depth: int) -> str:
    indent = "\n" + "    " * depth
    return " ;".join(f"{indent}{_predicate(predicate)} {_written(value, depth)}" for predicate, value in block)


def _written(value: Value, depth: int) -> str:
    if isinstance(value, tuple):
        return f"( {' '.join(_term(item) for item in value)} )"
    if isinstance(value, list):
        return f"[{_write(value, depth + 1)}\n{'    ' * depth}]"
    return _term(value)


def _predicate(iri: URIRef) -> str:
    return "a" if iri == RDF.type else _term(iri)


def _term(term: URIRef | Literal) -> str:
    if isinstance(term, Literal):
        return str(term) if term.datatype else term.n3()
    for prefix, namespace in _PREFIXES.items():
        local = term.removeprefix(namespace)
        if local != term and re.fullmatch(r"[A-Za-z_][\w-]*", local):
            return f"{prefix}:{local}"
    return term.n3()
