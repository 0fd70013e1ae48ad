"""The namespace, and how Turtle terms and Python names correspond."""

from __future__ import annotations

import re
from typing import Final

NAMESPACE: Final = "http://purl.org/stuff/transmissions/"
WELL_KNOWN: Final = {
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "trn": NAMESPACE,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "": NAMESPACE,
}
"""The namespaces of prefixes that everybody knows, ours included."""

NODE_TERMS: Final = frozenset(
    {"settings", "enabled", "buffer", "concurrency", "ordered", "retry", "onError", "metrics", "implementedBy", "import"}
)
"""Terms that speak about a node, not to its processor; no setting may be called so."""


def to_term(name: str) -> str:
    """Return the Turtle term of a Python name: `report_interval` becomes `reportInterval`."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def to_name(term: str) -> str:
    """Return the Python name of a Turtle term: `reportInterval` becomes `report_interval`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", term).lower()


def local_name(iri: str) -> str:
    """Return what stands behind an IRI's last slash or hash."""
    return re.split(r"[/#]", iri.rstrip("/#"))[-1]
