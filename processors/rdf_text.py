"""RDF written down directly, a conversation at a time: no graph is held, so an archive of any size costs no memory.

One layout serves both syntaxes: N-Triples, and Turtle that differs in its shorter names and in saying a subject once.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from itertools import islice
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMESPACES: Final = {
    "dcterms": "http://purl.org/dc/terms/",
    "flow": "http://www.w3.org/2005/01/wf/flow#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "meeting": "http://www.w3.org/ns/pim/meeting#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "sioc": "http://rdfs.org/sioc/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Syntax = Literal["ntriples", "turtle"]

_IRI: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:"
    r"(?://(?:[^/?#@\[\]]*@)?[^/?#:@\[\]]*(?::\d*)?(?=[/?#]|\Z)|(?!//))"
    r"[^?#\[\]]*(?:\?[^#\[\]]*)?(?:#[^#\[\]]*)?"
)
_PLAIN_IRI: Final = re.compile(r"[A-Za-z0-9:/?#@!$&'()*+,;=._~-]+")
_KEPT: Final = ":/?#@!$&'()*+,;=%[]"
_SOME: Final = 1000
_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?", re.ASCII)


class Names(dict[str, str]):
    """Terms as a syntax writes them, by their short names: `names["schema:name"]`."""

    def __init__(self, syntax: Syntax) -> None:
        super().__init__()
        self.is_short = syntax == "turtle"

    def __missing__(self, name: str) -> str:
        prefix, _, local = name.partition(":")
        term = name if self.is_short else f"<{NAMESPACES[prefix]}{local}>"
        self[name] = term
        return term

    def head(self) -> str:
        """Return what stands above the triples."""
        return "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in NAMESPACES.items()) if self.is_short else ""

    def triples(self, subject: str, pairs: list[str]) -> str:
        """Return the triples of a subject; each of `pairs` is a predicate and an object."""
        return f"{subject} {self._between(subject).join(pairs)} .\n"

    def pieces(self, subject: str, pairs: Iterable[str]) -> Iterator[str]:
        """Yield the triples of a subject of which there are many to say, some at a time."""
        stream, between = iter(pairs), self._between(subject)
        before = f"{subject} "
        while some := list(islice(stream, _SOME)):
            yield before + between.join(some)
            before = between
        yield " .\n"

    def _between(self, subject: str) -> str:
        return " ;\n    " if self.is_short else f" .\n{subject} "

    def whole(self, number: int) -> str:
        """Return a whole number."""
        return f'"{number}"^^{self["xsd:integer"]}'

    def time(self, text: str) -> str:
        """Return a time; empty if it is none that XML Schema knows."""
        if _TIME.fullmatch(text) is None:
            return ""
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return ""
        return f'"{text}"^^{self["xsd:dateTime"]}'


def literal(text: str) -> str:
    """Return a text as a literal: JSON's way to write one is RDF's too, and the fastest there is."""
    return encode_basestring(text)


def iri(text: str) -> str:
    """Return an absolute IRI in its brackets, with what may not stand in one as percent escapes; empty if it is none."""
    if _PLAIN_IRI.fullmatch(text) is None:
        text = _PERCENT.sub("%25", quote(text.strip(), safe=_KEPT, errors="replace"))
    return f"<{text}>" if _IRI.fullmatch(text) else ""


def iri_or_literal(text: str) -> str:
    """Return an IRI where the text is one, else the text."""
    return iri(text) or literal(text)


@lru_cache(maxsize=256)
def part_of_urn(text: str) -> str:
    """Return a text as a part of a URN."""
    return quote(text, safe="", errors="replace")
