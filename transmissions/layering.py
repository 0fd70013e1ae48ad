"""What `config.ttl`, `tt.ttl` and profiles may say: settings, and nothing that changes which code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rdflib import RDF, URIRef

from .declarations import DOCUMENTARY, TRANSMISSION_TYPES
from .findings import ERROR, NOTE, STRICT, did_you_mean
from .loader import CONFIG, MAIN, PROFILE, TARGET
from .placements import TRN, show
from .terms import local_name

if TYPE_CHECKING:
    from collections.abc import Container

    from rdflib.term import Node

    from .findings import Findings
    from .loader import Layer, Layers
    from .registry import Registry

_LINKS: Final = (TRN.pipe, TRN.settings, TRN.implementedBy, TRN.branches, TRN.when, TRN["import"])


def check_links(layers: Layers, nodes: Container[Node], findings: Findings) -> None:
    """Report every class, pipe and code link outside `transmissions.ttl`, where none has effect; `nodes` stand in pipes."""
    for role in (TARGET, CONFIG, PROFILE):
        layer = layers.get(role)
        if layer:
            _check_layer(layer, nodes, findings)


def _check_layer(layer: Layer, nodes: Container[Node], findings: Findings) -> None:
    mend = "only transmissions.ttl says which nodes there are; this file may set their settings"
    for link in _LINKS:
        for subject in dict.fromkeys(layer.graph.subjects(link, None)):
            value = layer.values(subject, link)[0]
            sentence = f"{layer.path.name} may not link nodes with {show(link)}"
            findings.report(STRICT, "misplaced-link", sentence, value.key, mend=mend)
    for subject in dict.fromkeys(layer.graph.subjects(RDF.type, None)):
        for kind in layer.values(subject, RDF.type):
            if kind.term in TRANSMISSION_TYPES or (subject in nodes and kind.term not in DOCUMENTARY):
                sentence = f"{layer.path.name} may not say what class {show(subject)} is of"
                findings.report(STRICT, "misplaced-link", sentence, kind.span, mend=mend)


def check_profile(layers: Layers, registry: Registry, findings: Findings) -> None:
    """Report everything a profile describes that is no processor class, and not `:Endpoint` or `:Server`."""
    profile = layers.get(PROFILE)
    if profile is None:
        return
    names = {*registry.names(), "Endpoint", "Server"}
    for subject in (subject for subject in profile.subjects if local_name(subject) not in names):
        sentence = f"there is no processor {show(subject)}, and a profile speaks about nothing else"
        mend = did_you_mean(local_name(subject), names)
        findings.report(ERROR, "unknown-processor", sentence, profile.span(subject), mend=mend)


def note_unused(layers: Layers, findings: Findings) -> None:
    """Note settings that no node uses. A target serves several apps, so what it has to spare is no news."""
    for layer in layers.all:
        if layer.role not in {MAIN, CONFIG}:
            continue
        for subject in dict.fromkeys(layer.graph.subjects()):
            is_file = str(subject) == layer.source.document.base
            if isinstance(subject, URIRef) and not is_file and _is_spare(subject, layer, layers):
                sentence = f"no node uses the settings {show(subject)}"
                findings.report(NOTE, "unused-settings", sentence, layer.span(subject))


def _is_spare(subject: URIRef, layer: Layer, layers: Layers) -> bool:
    types = set(layer.graph.objects(subject, RDF.type))
    if layer.role == CONFIG:
        is_loose = not layers.main.describes(subject)
    else:
        is_loose = not types and (subject, TRN.implementedBy, None) not in layer.graph
    is_settings = is_loose or bool(types & set(DOCUMENTARY))
    has_terms = any(True for _ in layer.terms(subject))
    return is_settings and has_terms and not any((None, None, subject) in other.graph for other in layers.all)
