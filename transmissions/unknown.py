"""What to write where a pipe has a member without a class, or with one that nobody has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdflib import RDF, URIRef

from .branches import FORKS
from .findings import ERROR, did_you_mean
from .placements import TRN, show
from .rdflists import is_list
from .scripts import how_to_port, script_of, successor
from .sharing import WORKERS
from .terms import local_name

if TYPE_CHECKING:
    from collections.abc import Container

    from rdflib.term import Node

    from .findings import Findings
    from .loader import Layer, Value
    from .registry import Registry


def report_unknown(layer: Layer, member: Value, kind: Value, registry: Registry, findings: Findings) -> None:
    """Report that there is no processor of a member's class."""
    iri, folder = str(kind.term), layer.path.parent
    name = local_name(iri)
    known = [*registry.names(), *map(local_name, (*FORKS, WORKERS))]
    own = f"one of your own is `class {name}(Processor)` in {folder / 'processors'}/*.py"
    mend = successor(name) or registry.strangers.get(iri) or did_you_mean(name, known) or own
    sentence = f"there is no processor {show(kind.term)}"
    script = script_of(folder, name)
    if script:
        sentence, mend = f"{sentence}: {script.name} is JavaScript", how_to_port(script)
    if not isinstance(kind.term, URIRef):
        sentence, mend = f"the class of {show(member.term)} is to be an IRI, as in `a :SomeProcessor`", ""
    findings.report(ERROR, "unknown-processor", sentence, kind.span, mend=mend)


def how_to_declare(layer: Layer, member: Value, classes: Container[str]) -> str:
    """Say what to write for a member of a pipe that has no class; `classes` are the names of the processors."""
    name = local_name(str(member.term)) if isinstance(member.term, URIRef) else ""
    if name in classes:
        return f"write `[ a :{name} ]`"
    typed = [local_name(node) for node in layer.graph.subjects(RDF.type, None) if isinstance(node, URIRef)]
    kind = "a :Transmission" if layer.values(member.term, TRN.pipe) else "a :SomeProcessor"
    unnamed = "write the members of this list in the pipe itself" if is_list(layer, member) else f"write `[ {kind} ; … ]`"
    declared = f"declare it: `:{name} {kind} .`" if name else unnamed
    return misspelt_a(layer, member.term) or did_you_mean(name, typed) or declared


def misspelt_a(layer: Layer, node: Node) -> str:
    """Say how a class is given if a property of ours is there that sounds like it."""
    kinds = (layer.graph.value(node, TRN[word], any=True) for word in ("a", "is", "type"))
    kind = next((kind for kind in kinds if isinstance(kind, URIRef)), None)
    return f"write `{show(node)} a {show(kind)}`: this `a` has no colon" if kind else ""
