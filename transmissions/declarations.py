"""What `transmissions.ttl` declares: its transmissions, and what only looks like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rdflib import RDF, BNode, URIRef

from .findings import ERROR, did_you_mean
from .placements import TRN, show
from .terms import NAMESPACE, local_name
from .unknown import misspelt_a

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from rdflib.term import Node

    from .findings import Findings
    from .loader import Layer
    from .problem import Span

TRANSMISSION_TYPES: Final = (TRN.Transmission, TRN.EntryTransmission)
DOCUMENTARY: Final = (TRN.ConfigSet, TRN.Settings, TRN.ReMap)
"""Types that say what a settings node is for, and that nothing depends on."""


def declared_transmissions(layer: Layer) -> dict[Node, Span]:
    """Return the transmissions of a file and their places, in its order; imported ones come last."""
    found = {
        node: layer.span(node) or first_line(layer)
        for kind in TRANSMISSION_TYPES
        for node in layer.graph.subjects(RDF.type, kind)
        if isinstance(node, URIRef | BNode)
    }
    own = layer.source.document.name
    return dict(sorted(found.items(), key=lambda item: (item[1].file != own, item[1].line, item[1].column)))


def first_line(layer: Layer) -> Span:
    """Return the place of a fault that is about a whole file."""
    return layer.source.document.span(0, 1)


def report_none(layer: Layer, findings: Findings, imported: Sequence[str]) -> None:
    """Report a file without any transmission; one in another namespace, or only `imported`, is the likely reason."""
    names = [local_name(str(kind)) for kind in TRANSMISSION_TYPES]
    for kind in dict.fromkeys(layer.graph.objects(None, RDF.type)):
        namespace = str(kind).removesuffix(local_name(str(kind)))
        if isinstance(kind, URIRef) and local_name(kind) in names:
            sentence = f"{show(kind)} is of another namespace, <{namespace}>, and means nothing here"
            mend = f"the namespace is <{NAMESPACE}>"
            findings.report(ERROR, "wrong-namespace", sentence, _written(layer, f"<{namespace}>"), mend=mend)
            return
    whole = (
        f"an imported entry is none here: write `:mine a :EntryTransmission ; :pipe ( :{imported[0]} ) .`" if imported else ""
    )
    findings.report(ERROR, "no-transmission", "the file declares no :Transmission", first_line(layer), mend=whole)


def _written(layer: Layer, text: str) -> Span:
    document = layer.source.document
    start = document.text.find(text)
    return document.span(start, start + len(text)) if start >= 0 else first_line(layer)


def find_untyped_pipes(layer: Layer, declared: Container[Node], findings: Findings) -> bool:
    """Report subjects that have a pipe but are no transmissions; branches, which stand in a list, may. Say if there are any."""
    graph = layer.graph
    found = False
    for node in dict.fromkeys(graph.subjects(TRN.pipe, None)):
        if node in declared or (None, RDF.first, node) in graph:
            continue
        kind = next(iter(layer.values(node, RDF.type)), None)
        near = did_you_mean(local_name(str(kind.term)), ["Transmission", "EntryTransmission"]) if kind else ""
        span = kind.span if kind else layer.span(node)
        written = "[ a :Transmission ; … ]" if isinstance(node, BNode) else f"{show(node)} a :Transmission"
        mend = near or misspelt_a(layer, node) or f"write `{written}`"
        sentence = f"{show(node)} has a :pipe but is no :Transmission"
        findings.report(ERROR, "not-a-transmission", sentence, span, mend=mend)
        found = True
    return found
