"""The namespace, and how Turtle terms and Python names correspond."""

from __future__ import annotations

import re
from typing import Final

NAMESPACE: Final = "http://purl.org/stuff/transmissions/"

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
