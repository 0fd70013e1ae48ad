"""Graphs against shapes: SHACLValidate."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import Processor, Range, RunError, set_field

from .graph_text import parse, quads_of, read_graph, syntax_of
from .sparql_text import refuse_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    import rdflib

    from transmissions import Message

    from .graph_text import Quads

_SH: Final = "http://www.w3.org/ns/shacl#"
_RESULT: Final = {"focusNode": "focusNode", "path": "resultPath", "value": "value", "message": "resultMessage"} | {
    "severity": "resultSeverity",
    "constraint": "sourceConstraintComponent",
    "shape": "sourceShape",
}
_SHOWN: Final = 3
"""Results that an error tells of."""


class SHACLValidate(Processor):
    """Check the graph in a message against the shapes of a file.

    Reads the graph (text of TriG, Turtle or N-Triples; named graphs count as one with the others) at `graphField`, writes to
    `targetField` an object of `conforms` and `results`: a list of objects with `focusNode`, `path`, `value`, `message`,
    `severity` (Violation, Warning, Info), `constraint` and `shape`, as far as a result has them, in the order of focus nodes
    and paths. What does not conform is kept, dropped (and counted as skipped), or an error, as `onInvalid` says. The shapes
    are read once; nothing is imported or fetched, and no JavaScript is run. Validation is slow and in memory: reckon with
    1,000 triples in a second, and split what is larger with RDFParse.

    ```turtle
    :check a :SHACLValidate ; :shapesFile "shapes.ttl" ; :onInvalid "drop" .
    ```
    """

    placement = "thread"

    shapes_file: str
    "The file with the shapes, in any syntax that its suffix names."
    graph_field: str = "graph"
    "Dotted path of the graph."
    on_invalid: Literal["keep", "drop", "fail"] = "keep"
    "What becomes of a message whose graph does not conform."
    severity: Literal["Info", "Warning", "Violation"] = "Info"
    "The least severe result that makes a graph one that does not conform; all are listed."
    limit: Annotated[int, Range(ge=1)] = 100_000
    "How many triples a graph may have."
    target_field: str = "validation"
    "Dotted path the result is written to."

    def __post_init__(self) -> None:
        """Begin without shapes."""
        self._shapes: rdflib.Graph | None = None

    def process(self, message: Message) -> Message | None:
        """Validate."""
        quads = read_graph(message, self.graph_field)
        if len(quads) > self.limit:
            raise RunError(f"the graph at '{self.graph_field}' has {len(quads)} triples; :limit is {self.limit}")
        results = self._validate(quads)
        ranks = ["Info", "Warning", "Violation"]
        least = ranks.index(self.severity)
        grave = [one for one in results if one["severity"] not in ranks or ranks.index(one["severity"]) >= least]
        set_field(message, self.target_field, {"conforms": not grave, "results": results})
        return self._settled(message, grave) if grave else message

    def _settled(self, message: Message, grave: list[dict[str, Any]]) -> Message | None:
        if self.on_invalid == "keep":
            return message
        said = "; ".join(_sentence(one) for one in grave[:_SHOWN])
        more = f" (and {len(grave) - _SHOWN} more)" if grave[_SHOWN:] else ""
        fault = f"the graph at '{self.graph_field}' does not conform to {self.shapes_file}: {said}{more}"
        if self.on_invalid == "fail":
            raise RunError(fault)
        self.context.skip(fault)
        return None

    def _validate(self, quads: Quads) -> list[dict[str, Any]]:
        import pyshacl
        import rdflib
        from pyshacl.errors import ConstraintLoadError, ReportableRuntimeError, ShapeLoadError

        if self._shapes is None:
            self._shapes = self._read_shapes()
        with _quiet():
            try:
                _, report, _ = pyshacl.validate(
                    _graph(quads), shacl_graph=self._shapes, inplace=True, do_owl_imports=False, js=False
                )
            except (ShapeLoadError, ConstraintLoadError, ReportableRuntimeError) as error:
                raise RunError(f"{self.shapes_file}: {error}") from error
        if not isinstance(report, rdflib.Graph):
            raise RunError(f"{self.shapes_file}: {report}")
        return _results(report)

    def _read_shapes(self) -> rdflib.Graph:
        path = self.context.input_path(self.shapes_file)
        if not path.is_file():
            raise RunError(f"no file '{self.shapes_file}' with shapes; looked for {path}")
        parser = parse(path.read_bytes(), syntax_of(path.suffix), str(path), path.resolve().as_uri())
        quads = list(quads_of(parser, str(path)))
        for quad in quads:
            if quad.predicate.value in {f"{_SH}{name}" for name in ("select", "ask", "construct", "update")}:
                refuse_network(str(getattr(quad.object, "value", "")))
        return _graph(quads)


@contextmanager
def _quiet() -> Iterator[None]:
    # rdflib logs a traceback for an ill-typed literal; the shapes say that in a sentence, where it matters.
    log = logging.getLogger("rdflib.term")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _graph(quads: Quads) -> rdflib.Graph:
    """Return an rdflib graph of all triples; pyoxigraph has read them, as it is the stricter and faster one."""
    import rdflib

    graph = rdflib.Graph(bind_namespaces="none")
    with _quiet():
        for quad in quads:
            graph.add((_term(quad.subject), _term(quad.predicate), _term(quad.object)))
    return graph


def _term(term: Any) -> Any:
    import pyoxigraph
    import rdflib

    if isinstance(term, pyoxigraph.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, pyoxigraph.BlankNode):
        return rdflib.BNode(term.value)
    if not isinstance(term, pyoxigraph.Literal):
        raise RunError(f"a triple as a term is not known to shapes: {term}")
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    kind = term.datatype.value
    return rdflib.Literal(term.value, datatype=None if kind.endswith("XMLSchema#string") else rdflib.URIRef(kind))


def _results(report: rdflib.Graph) -> list[dict[str, Any]]:
    import rdflib

    sh = rdflib.Namespace(_SH)
    found = [
        {name: told for name, term in _RESULT.items() if (told := _told(name, report.value(node, sh[term])))}
        for node in report.objects(None, sh.result)
    ]
    return sorted(found, key=lambda one: [str(one.get(name, "")) for name in _RESULT])


def _told(name: str, value: Any) -> str:
    import rdflib

    if isinstance(value, rdflib.BNode):  # of the data; those of the shapes mean nothing to anyone
        return f"_:{value}" if name in {"focusNode", "value"} else ""
    text = "" if value is None else str(value)
    return text.removeprefix(_SH) if name in {"severity", "constraint"} else text


def _sentence(result: dict[str, Any]) -> str:
    path = f" {result['path']}" if "path" in result else ""
    return f"{result.get('focusNode', '')}{path}: {result.get('message', result.get('constraint', ''))}"
