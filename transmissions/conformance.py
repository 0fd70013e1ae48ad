"""SHACL over the effective graph: which rule is broken by which value of which subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rdflib import RDF, SH, Graph, Literal, URIRef

from .faults import Violation
from .shapes import shapes_graph
from .terms import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rdflib.term import Node

    from .spec import Spec
    from .subjects import Given, Subject

_TYPE_RULES: Final = frozenset({"Datatype", "NodeKind", "Or"})
_INNER: Final = "Node"
"""Says only that a record breaks rules of its own, which are reported one by one."""
_SUFFIX: Final = "ConstraintComponent"


def find_violations(subjects: Iterable[Subject]) -> list[Violation]:
    """Check subjects against the closed shapes of their classes."""
    by_node: dict[Node, Subject] = {record.node: record for subject in subjects for record in subject.records()}
    specs = {class_of(subject.spec): subject.spec for subject in subjects}
    shapes = shapes_graph(_bare(spec)._replace(iri=iri) for iri, spec in specs.items())
    report = _validate(_graph(by_node.values()), shapes)
    found = [_violation(report, result, by_node) for result in report.subjects(RDF.type, SH.ValidationResult)]
    return list(_without_echoes([violation for violation in found if violation and violation.rule != _INNER]))


def _bare(spec: Spec) -> Spec:
    """Leave out what only documents: half the triples of the shapes."""
    return spec._replace(settings=tuple(setting._replace(doc="", default=None) for setting in spec.settings))


def class_of(spec: Spec) -> str:
    """Return the class a subject has in the effective graph: one for each implementation, whatever IRI it goes by."""
    return f"urn:transmissions:{spec.implementation}"


def _graph(subjects: Iterable[Subject]) -> Graph:
    graph = Graph()
    for subject in subjects:
        graph.add((subject.node, RDF.type, URIRef(class_of(subject.spec))))
        for term, values in subject.values.items():
            _add_values(graph, subject, term, values)
    return graph


def _add_values(graph: Graph, subject: Subject, term: str, values: list[Given]) -> None:
    for value in values:
        graph.add((subject.node, URIRef(NAMESPACE + term), value.term))
        if value.record is None and isinstance(value.plain, dict):  # A secret, which is the name of a variable.
            graph.add((value.term, URIRef(NAMESPACE + "env"), Literal(value.plain["env"])))


def _validate(graph: Graph, shapes: Graph) -> Graph:
    import pyshacl

    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes, advanced=False, js=False, do_owl_imports=False, inference="none")
    if not isinstance(report, Graph):
        raise TypeError(f"pySHACL could not validate: {report}")
    return report


def _violation(report: Graph, result: Node, by_node: dict[Node, Subject]) -> Violation | None:
    subject = by_node.get(report.value(result, SH.focusNode) or result)
    path = report.value(result, SH.resultPath)
    if subject is None or path is None:
        return None  # A fault inside a secret, which the resolver has reported.
    rule = str(report.value(result, SH.sourceConstraintComponent)).rpartition("#")[2].removesuffix(_SUFFIX)
    term = str(path)[len(NAMESPACE) :]
    return Violation(subject, term, rule, _given(subject, term, report.value(result, SH.value)))


def _given(subject: Subject, term: str, value: Node | None) -> Given | None:
    return next((given for given in subject.values.get(term, ()) if given.term == value), None)


def _without_echoes(violations: list[Violation]) -> Iterator[Violation]:
    """Leave out what only follows from a wrong type: `"abc"` is no number, so it is not too small either.

    Comparisons come last: a bound that is broken says more about the same value.
    """
    wrong = {(v.subject.node, v.term) for v in violations if v.rule in _TYPE_RULES}
    ordered = sorted(violations, key=lambda violation: violation.rule.startswith("LessThan"))
    return (v for v in ordered if v.rule in _TYPE_RULES or not wrong & {(v.subject.node, term) for term in _terms(v)})


def _terms(violation: Violation) -> list[str]:
    """Return the setting a rule is about, and the one it is compared with."""
    setting = violation.setting
    others = {setting.less_than, setting.less_than_or_equals} if setting and violation.rule.startswith("LessThan") else set()
    return [violation.term, *(other.term for other in violation.subject.spec.settings if other.name in others)]
