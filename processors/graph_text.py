"""Graphs in messages, in the one way that all processors of this subject share.

A graph, or a dataset of several, is **text of TriG** in a field: plain data that goes to a file, into JSON and to workers as it
is. Without named graphs TriG is Turtle, and N-Triples is a part of both, so a file of either, read by FileReader, is a graph
too. Any other syntax comes in through RDFParse and DatasetReader, and goes out through RDFSerialize. Blank nodes belong to
their text: the same label in two messages is two nodes, unless both come from one document (see RDFMerge).
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from io import BufferedReader
from typing import IO, TYPE_CHECKING, Any, Final, Literal, TypeAlias

from transmissions import Record, RunError, suggestion

from .access import need_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyoxigraph

    from transmissions import Message

Syntax = Literal["turtle", "trig", "ntriples", "nquads", "rdfxml", "jsonld", "n3"]
Quads: TypeAlias = "Iterable[pyoxigraph.Quad]"

_NAMES: Final = {
    "turtle": "TURTLE",
    "trig": "TRIG",
    "ntriples": "N_TRIPLES",
    "nquads": "N_QUADS",
    "rdfxml": "RDF_XML",
    "jsonld": "JSON_LD",
    "n3": "N3",
}
_PREFIX: Final = re.compile(r"(?:[^\W\d_](?:[\w.-]*[\w-])?)?")
_ENTITY: Final = re.compile(rb"<!ENTITY\s+[^\s>]+\s+(\"[^\"&%]{0,128}\"\s*>|'[^'&%]{0,128}'\s*>)?")


class Prefix(Record):
    """A short name for a namespace."""

    prefix: str
    "What stands before the colon; empty for `:name`."
    namespace: str
    "The namespace, an IRI."


def syntax_of(name: str) -> pyoxigraph.RdfFormat:
    """Return a syntax by its name here, its media type, or a suffix such as `.ttl`.

    Raises:
        RunError: there is none of that name.

    """
    import pyoxigraph

    if name in _NAMES:
        known: pyoxigraph.RdfFormat = getattr(pyoxigraph.RdfFormat, _NAMES[name])
        return known
    found = pyoxigraph.RdfFormat.from_media_type(name) if "/" in name else pyoxigraph.RdfFormat.from_extension(name.lstrip("."))
    if found is None:
        raise RunError(
            f"'{name}' is no syntax of RDF that is known here{suggestion(name, _NAMES) or '; known: ' + ', '.join(_NAMES)}"
        )
    return found


def parse(data: str | bytes | IO[bytes], syntax: pyoxigraph.RdfFormat, source: str, base: str = "") -> pyoxigraph.QuadParser:
    """Return a parser of RDF, to go through `quads_of`; a file is read as it goes. Nothing is ever fetched.

    Raises:
        RunError: the text cannot be encoded, the base is no IRI, or entities of XML are nested or long (they can stand for any
            amount of text).

    """
    import pyoxigraph

    if isinstance(data, str) and not (data.isascii() or _is_encodable(data)):
        raise RunError(f"{source}: it holds half a pair of surrogates, which RDF cannot")
    if syntax == pyoxigraph.RdfFormat.RDF_XML:
        _check_entities(data, source)
    else:
        data = _without_mark(data)
    try:
        return pyoxigraph.parse(data, format=syntax, base_iri=base or None)
    except ValueError as error:
        raise RunError(f"{source}: {str(error).lower()}") from error


def _without_mark(data: str | bytes | IO[bytes]) -> str | bytes | IO[bytes]:
    """Return a document without its byte order mark, which no syntax but XML has a place for, and editors write."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    if isinstance(data, bytes):
        return data.removeprefix(BOM_UTF8)
    if isinstance(data, BufferedReader) and data.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
        data.read(len(BOM_UTF8))
    return data


def quads_of(parser: Iterator[pyoxigraph.Quad], source: str) -> Iterator[pyoxigraph.Quad]:
    """Yield what a parser gives.

    Raises:
        RunError: the text is at fault; the error says in which line and column.

    """
    try:
        yield from parser
    except SyntaxError as error:
        place = f":{error.lineno}:{error.offset}" if error.lineno else ""
        said = re.sub(r"^Parser error at line \d+ (?:between )?columns? \d+(?: and \d+)?: ", "", str(error.msg))
        raise RunError(f"{source}{place}: {said[:1].lower()}{said[1:]}") from error
    except OSError as error:
        raise RunError(f"{source}: {error}") from error


def read_graph(message: Message, path: str) -> list[pyoxigraph.Quad]:
    """Return the quads of the graph at a dotted path.

    Raises:
        RunError: there is none, or it is not TriG.

    """
    import pyoxigraph

    source = f"field '{path}'"
    return list(quads_of(parse(need_text(message, path), pyoxigraph.RdfFormat.TRIG, source), source))


def write_graph(quads: Quads, prefixes: Mapping[str, str] | None = None, syntax: str = "trig") -> str:
    """Return quads as text."""
    import pyoxigraph

    data: Any = pyoxigraph.serialize(quads, format=syntax_of(syntax), prefixes=dict(prefixes or {}))
    return str(data, "utf-8")


def check_prefixes(given: Iterable[Prefix]) -> dict[str, str]:
    """Return prefixes with their namespaces.

    Raises:
        RunError: one is not written as a prefix, or its namespace is no IRI.

    """
    import pyoxigraph

    for one in given:
        if _PREFIX.fullmatch(one.prefix) is None:
            raise RunError(f"'{one.prefix}' is no prefix")
        try:
            pyoxigraph.NamedNode(one.namespace)
        except ValueError as error:
            raise RunError(f"the prefix '{one.prefix}': {error}") from error
    return {one.prefix: one.namespace for one in given}


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_entities(data: str | bytes | IO[bytes], source: str) -> None:
    import mmap

    whole: Any = data.encode() if isinstance(data, str) else data
    if not isinstance(whole, bytes):
        whole = mmap.mmap(whole.fileno(), 0, access=mmap.ACCESS_READ) if whole.seek(0, 2) else b""
        data.seek(0)  # type: ignore[union-attr]
    for found in _ENTITY.finditer(whole):
        if found[1] is None:
            line = whole[: found.start()].count(b"\n") + 1
            raise RunError(f"{source}:{line}: an entity of XML may be 128 characters long here, and hold no other")
