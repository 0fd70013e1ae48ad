"""What a SHACL report says, as problems: each result in a sentence, at the characters that break the rule.

Blank nodes keep their ids through pySHACL, so a result leads back to the triple it is about and so to its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rdflib import RDF, SH, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection

from .problem import Problem, label_at
from .terms import WELL_KNOWN, local_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rdflib.term import Node

    from .located import LocatedGraph, Triple
    from .problem import Label, Span

Step: TypeAlias = "tuple[Triple, Node]"
"""A triple along a path, and the value it leads to."""

_SEVERITY: Final[dict[Any, str]] = {SH.Warning: "warning", SH.Info: "note"}
_REPEATED: Final = (SH.zeroOrMorePath, SH.oneOrMorePath, SH.zeroOrOnePath)
_WORDS: Final = {
    "Class": "must be a {class}",
    "Datatype": "must be of the datatype {datatype}",
    "NodeKind": "must be of the kind {nodeKind}",
    "MinCount": "needs at least {minCount} of them",
    "MaxCount": "takes at most {maxCount}",
    "MinExclusive": "must be greater than {minExclusive}",
    "MinInclusive": "must be at least {minInclusive}",
    "MaxExclusive": "must be less than {maxExclusive}",
    "MaxInclusive": "must be at most {maxInclusive}",
    "MinLength": "must be at least {minLength} characters long",
    "MaxLength": "must be at most {maxLength} characters long",
    "Pattern": "must match the pattern {pattern}",
    "LanguageIn": "must be in one of the languages {languageIn}",
    "UniqueLang": "must not have two texts in one language",
    "Equals": "must have the same values as {equals}",
    "Disjoint": "must have no value in common with {disjoint}",
    "LessThan": "must be less than {lessThan}",
    "LessThanOrEquals": "must not be greater than {lessThanOrEquals}",
    "In": "must be one of {in}",
    "HasValue": "must have the value {hasValue}",
    "Node": "must fit the shape {node}",
    "Not": "must not fit the shape {not}",
    "And": "must fit all the shapes of its sh:and",
    "Or": "must fit one of the shapes of its sh:or",
    "Xone": "must fit exactly one of the shapes of its sh:xone",
    "QualifiedMinCount": "needs at least {qualifiedMinCount} that fit its sh:qualifiedValueShape",
    "QualifiedMaxCount": "takes at most {qualifiedMaxCount} that fit its sh:qualifiedValueShape",
    "Closed": "is not allowed here",
}


class Report:
    """A SHACL report over the graphs of some documents."""

    def __init__(self, data: Sequence[LocatedGraph], merged: Graph, shapes: LocatedGraph, results: Graph) -> None:
        self.data = data
        self.merged = merged
        self.shapes = shapes
        self.results = results

    def problems(self) -> list[Problem]:
        """Return a problem for each result; what stands in a result's details is said by the result."""
        return [self._problem(result) for _, _, result in self.results.triples((None, SH.result, None))]

    def _problem(self, result: Any) -> Problem:
        shape = self.results.value(result, SH.sourceShape)
        component = local_name(str(self.results.value(result, SH.sourceConstraintComponent))).removesuffix(
            "ConstraintComponent"
        )
        span = self._span(result, shape, component)
        severity = _SEVERITY.get(self.results.value(result, SH.resultSeverity), "error")
        return Problem(severity, "shape", self._message(result, shape, component), span, related=self._rule(shape, component))

    def _message(self, result: Any, shape: Any, component: str) -> str:
        own = list(self.shapes.graph.objects(shape, SH.message))
        if own or component not in _WORDS:
            said = own or list(self.results.objects(result, SH.resultMessage))
            return "; ".join(sorted(str(text) for text in said))
        path = self.results.value(result, SH.resultPath)
        subject = self._subject(path)
        if component == "MinCount" and str(self.shapes.graph.value(shape, SH.minCount)) == "1":
            return f"{subject} is missing"
        parameters = {local_name(str(p)): self._named(o) for p, o in self.shapes.graph.predicate_objects(shape)}
        try:
            return f"{subject} {_WORDS[component].format(**parameters)}"
        except KeyError:
            return f"{subject} breaks the rule {component} of the shape"

    def _named(self, term: Any) -> str:
        if isinstance(term, BNode):
            return self._written(term)
        if isinstance(term, Literal):
            return str(term)
        own = [pair for graph in (self.shapes, *self.data) for pair in graph.graph.namespaces()]
        return _shortened(term, own) or _shortened(term, WELL_KNOWN.items()) or f"<{term}>"

    def _subject(self, path: Any) -> str:
        named = self._path(path) if path is not None else ""
        return f"`{named}`" if named.strip("…") else "this"

    def _path(self, path: Any) -> str:
        if isinstance(path, URIRef):
            return self._named(path)
        return "/".join(self._path(step) for step in self._members(path)) or "…"

    def _members(self, node: Any) -> list[Any]:
        graphs = (self.shapes.graph, self.results)
        return next((list(Collection(graph, node)) for graph in graphs if (node, RDF.first, None) in graph), [])

    def _written(self, node: BNode) -> str:
        members = self._members(node)
        if members:
            return ", ".join(self._named(member) for member in members)
        span = self.shapes.node(node)
        return f"at line {span.line} of {span.file}" if span else "…"

    def _rule(self, shape: Any, component: str) -> tuple[Label, ...]:
        if shape is None:
            return ()
        parameter = URIRef(f"{SH}{component[:1].lower()}{component[1:]}")
        value = self.shapes.graph.value(shape, parameter)
        stated = self.shapes.triple(shape, parameter, value) if value is not None else None
        span = stated[1] if stated else self.shapes.node(shape)
        return label_at(span, "this rule asks for it")

    def _span(self, result: Any, shape: Any, component: str) -> Span | None:
        focus = self.results.value(result, SH.focusNode)
        value = self.results.value(result, SH.value)
        path = self.results.value(result, SH.resultPath)
        steps = list(self._walk(focus, path)) if path is not None else []
        at = self._on_path(steps, value, shape, component)
        if at is None and value is not None:
            at = self._node(value)
        return at or self._node(focus)

    def _on_path(self, steps: list[Step], value: Any, shape: Any, component: str) -> Span | None:
        """Return the place of the value at fault, of the value too many, or else of the property."""
        stated = [(place, reached) for triple, reached in steps if (place := self._triple(triple))]
        if component == "Closed":
            return stated[0][0][1] if stated else None
        fitting = [place[2] for place, reached in stated if value is not None and reached == value]
        if fitting:
            return fitting[0]
        if component == "MaxCount" and stated:
            ordered = sorted(place[2] for place, _ in stated)
            allowed = self.shapes.graph.value(shape, SH.maxCount)
            return ordered[min(int(str(allowed)), len(ordered) - 1)]
        return stated[0][0][1] if stated and value is None else None

    def _walk(self, focus: Any, path: Any) -> Iterator[Step]:
        """Yield the triples along a SHACL path that lead to its values."""
        if isinstance(path, URIRef):
            yield from (((focus, path, value), value) for value in self.merged.objects(focus, path))
            return
        rules = next(
            graph for graph in (self.shapes.graph, self.results) if (path, None, None) in graph or graph is self.results
        )
        inverse = rules.value(path, SH.inversePath)
        alternatives = rules.value(path, SH.alternativePath)
        repeated = next((inner for kind in _REPEATED if (inner := rules.value(path, kind)) is not None), None)
        if inverse is not None:
            yield from (((s, inverse, focus), s) for s in self.merged.subjects(inverse, focus))
        elif alternatives is not None:
            for choice in Collection(rules, alternatives):
                yield from self._walk(focus, choice)
        elif repeated is not None:
            yield from self._closure(focus, repeated)
        elif (path, RDF.first, None) in rules:
            yield from self._sequence(focus, list(Collection(rules, path)))

    def _sequence(self, focus: Any, paths: list[Any]) -> Iterator[Step]:
        first, *rest = paths
        for triple, value in self._walk(focus, first):
            if rest:
                yield from self._sequence(value, rest)
            else:
                yield triple, value

    def _closure(self, focus: Any, path: Any) -> Iterator[Step]:
        seen, waiting = set(), [focus]
        while waiting:
            for triple, value in self._walk(waiting.pop(), path):
                yield triple, value
                if value not in seen:
                    seen.add(value)
                    waiting.append(value)

    def _triple(self, triple: Triple) -> tuple[Span, Span, Span] | None:
        return next((place for graph in self.data if (place := graph.triple(*triple))), None)

    def _node(self, term: Any) -> Span | None:
        return next((span for graph in self.data if (span := graph.node(term))), None)


def _shortened(iri: Any, prefixes: Iterable[tuple[str, str]]) -> str:
    fitting = [(len(base), f"{prefix}:{iri[len(base) :]}") for prefix, base in prefixes if iri.startswith(str(base))]
    return max(fitting)[1] if fitting else ""
