"""From what stands in a file to a typed value: plain text is read by its form, so that `"42"` will do for a number.

Python's own number parsers see only what matches a short pattern: `1e999999999` as a decimal would keep them busy for hours.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rdflib import XSD, BNode, Literal, URIRef

from .terms import NAMESPACE, local_name

if TYPE_CHECKING:
    from rdflib.term import Node

    from .spec import Setting

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DIGITS: Final = {"integer": 18, "decimal": 40}
"""How many a number may have, by the kind of its setting: what is counted in 64 bits, and what is still quick to read."""
_WHOLE: Final = re.compile(r"\s*[+-]?[0-9]+\s*")
_LONG: Final = re.compile(r"[+-]?[0-9]{19,40}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,2})?")
_KINDS: Final = {
    "string": "a text",
    "integer": "a whole number",
    "decimal": "a number",
    "boolean": "true or false",
    "iri": "an IRI",
    "record": "a node with settings of its own, `[ … ]`",
}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_IRI: Final = re.compile(r"[^\s<>\"{}|\\^`]+")


class Typed(NamedTuple):
    """A value for the effective graph, and the same for the plan. `plain` is None where the form is wrong."""

    term: Node
    plain: Any


def coerce(term: Node, setting: Setting) -> Typed:
    """Read a value as a setting's kind; one that does not fit stays as it is, for SHACL to report."""
    reader = _READERS.get(setting.kind)
    return (reader(term, setting) if reader else None) or Typed(_misfit(term, setting), None)


def kind_in_words(kind: str, text: str) -> str:
    """Say what a text that is none of a kind should be."""
    words, most = _KINDS.get(kind, kind), _DIGITS.get(kind, len(text))
    return f"{words} of at most {most} digits" if len(text) > most and _WHOLE.fullmatch(text) else words


def as_written(term: Node) -> Node:
    """Return a term that is safe to be looked at: rdflib logs a traceback for every ill-typed literal it meets."""
    return Literal(str(term)) if isinstance(term, Literal) else term


def _misfit(term: Node, setting: Setting) -> Node:
    """Return a term of the wrong form; in place of a blank node a text, because pySHACL cannot compare blank nodes."""
    is_compared = isinstance(term, BNode) and setting.kind in {"integer", "decimal"}
    return Literal("[ … ]") if is_compared else as_written(term)


def from_default(value: Any, setting: Setting) -> Typed:
    """Return a default of a Python declaration as a value of the graph."""
    if setting.kind == "boolean":
        return Typed(Literal("true" if value else "false", datatype=XSD.boolean), value)
    return coerce(Literal(str(value)), setting)


def _string(term: Node, setting: Setting) -> Typed | None:
    if isinstance(term, BNode):
        return None
    # `:onError :skip` names a choice as a term of ours; any other IRI stands for its text.
    is_choice = setting.choices and isinstance(term, URIRef) and term.startswith(NAMESPACE)
    text = local_name(str(term)) if is_choice else str(term)
    return Typed(Literal(text), text)


def _integer(term: Node, _setting: Setting) -> Typed | None:
    text = _text(term)
    return Typed(Literal(text, datatype=XSD.integer), int(text)) if _INTEGER.fullmatch(text) else None


def _whole(term: Node, setting: Setting) -> Typed | None:
    """Read a whole number that may be as large as it likes, within reason: nothing counts with it."""
    text = _text(term)
    return Typed(term, int(text)) if _LONG.fullmatch(text) else _integer(term, setting)


def _decimal(term: Node, _setting: Setting) -> Typed | None:
    text = _text(term)
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    plain = int(text) if _INTEGER.fullmatch(text) else float(number)
    return Typed(Literal(f"{number:f}", datatype=XSD.decimal), plain)


def _boolean(term: Node, _setting: Setting) -> Typed | None:
    value = _BOOLEANS.get(_text(term))
    return None if value is None else Typed(Literal("true" if value else "false", datatype=XSD.boolean), value)


def _iri(term: Node, _setting: Setting) -> Typed | None:
    text = str(term)
    return Typed(URIRef(text), text) if not isinstance(term, BNode) and _IRI.fullmatch(text) else None


def _any(term: Node, setting: Setting) -> Typed | None:
    if not isinstance(term, Literal):
        return _string(term, setting)
    reader = _BY_DATATYPE.get(term.datatype) if term.datatype else None
    typed = reader(term, setting) if reader else None
    return Typed(term, typed.plain) if typed else Typed(as_written(term), str(term))


def _text(term: Node) -> str:
    return str(term).strip() if isinstance(term, Literal) else ""


_READERS: Final = {
    "string": _string,
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "iri": _iri,
    "any": _any,
}
_BY_DATATYPE: Final = {
    XSD.integer: _whole,
    XSD.decimal: _decimal,
    XSD.double: _decimal,
    XSD.float: _decimal,
    XSD.boolean: _boolean,
}
