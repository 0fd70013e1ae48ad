"""The examination of a file that describes a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdflib import RDF

from .conformance import find_violations
from .effective import Resolver
from .errors import ConfigError
from .faults import report
from .findings import ERROR, Findings
from .loader import MAIN, Layer, Layers, load_file
from .nodeterms import as_spec
from .placements import TRN
from .server_settings import ServerSettings
from .spec import describe_settings

if TYPE_CHECKING:
    from pathlib import Path

    from .loader import Value
    from .problem import Problem
    from .spec import Spec


def server_spec() -> Spec:
    """Return what may be said about a server."""
    return as_spec("Server", describe_settings(ServerSettings))


def examine_server(path: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Return the settings of the one server that a file describes, unless there is an error, and all problems."""
    findings = Findings()
    try:
        layer = Layer(MAIN, path, load_file(path))
    except ConfigError as error:
        return None, list(error.problems)
    server = _only(layer, path, findings)
    if server is None:
        return None, findings.sorted()
    subject = Resolver(Layers((layer,)), (), findings).profiled("server", server_spec(), server, TRN.Server)
    for violation in find_violations([subject]):
        report(violation, findings)
    return None if findings.failed else subject.plain(), findings.sorted()


def _only(layer: Layer, path: Path, findings: Findings) -> Value | None:
    nodes = list(dict.fromkeys(layer.graph.subjects(RDF.type, TRN.Server)))
    kinds = [value for node in nodes for value in layer.values(node, RDF.type) if value.term == TRN.Server]
    if len(nodes) == 1:
        return kinds[0]._replace(term=nodes[0])
    sentence = f"{path} describes {len(nodes) or 'no'} server{'s' if nodes else ''}; it must be one, `:name a :Server`"
    findings.report(ERROR, "server", sentence, kinds[1].span if nodes else None)
    return None
