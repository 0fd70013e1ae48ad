"""What literals of N3 mean in Python, and how values are written as literals."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .n3_terms import NIL, XSD

if TYPE_CHECKING:
    from .n3_terms import Term

Number: TypeAlias = Any
"""int, Decimal or float, as the datatype says; the operators' own rules for mixing them apply."""

_LITERAL: Final = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\^\^<([^>]*)>|@(.+))?', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_LETTERS: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_FLOATING: Final = {f"{XSD}double", f"{XSD}float"}
_WHOLE: Final = re.compile(r"[+-]?\d{1,4000}", re.ASCII)
_INTEGERS: Final = {
    XSD + name
    for name in (
        "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger",
        "negativeInteger", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte",
    )
}  # fmt: skip


def parts(term: Term) -> tuple[str, str, str] | None:
    """Return text, datatype and language of a literal; the two are empty where it has none."""
    found = _LITERAL.fullmatch(term) if isinstance(term, str) and term[0] == '"' else None
    if found is None:
        return None
    text = found[1]
    if "\\" in text:
        text = _ESCAPE.sub(lambda one: _LETTERS.get(one[1], one[1]), text)
    return text, found[2] or "", found[3] or ""


def number(term: Term) -> Number | None:
    """Return the number a term is, else None."""
    said = parts(term)
    if said is None:
        return None
    text, kind, _ = said
    if kind in _INTEGERS:
        return int(text) if _WHOLE.fullmatch(text) else None
    try:
        return float(text) if kind in _FLOATING else Decimal(text) if kind == f"{XSD}decimal" else None
    except (ValueError, InvalidOperation):
        return None


def text(term: Term) -> str | None:
    """Return the text of a literal, or an IRI; None for what has none."""
    said = parts(term)
    if said is not None:
        return said[0]
    return term[1:-1] if isinstance(term, str) and term[0] == "<" else None


def items(term: Term) -> tuple[Term, ...] | None:
    """Return the members of a list, else None."""
    return () if term == NIL else term if isinstance(term, tuple) else None


def from_number(value: Number) -> str:
    """Return the literal of a number."""
    if isinstance(value, int):
        return f'"{value}"^^<{XSD}integer>'
    if isinstance(value, Decimal):
        return f'"{value.normalize() + 0:f}"^^<{XSD}decimal>'
    return f'"{value!r}"^^<{XSD}double>'.replace("inf", "INF").replace("nan", "NaN")


def from_text(value: str) -> str:
    """Return the literal of a text."""
    import pyoxigraph

    return str(pyoxigraph.Literal(value))


def same(one: Term, other: Term) -> bool:
    """Whether two terms are one, or two numbers alike."""
    if one == other:
        return True
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    left, right = number(one), number(other)
    return left is not None and right is not None and left == right


def order(one: Term, other: Term) -> int | None:
    """Say whether a value is below (-1), like (0) or above (1) another; None where they do not compare.

    Numbers compare by number, all else (times too) as text if it is of one type.
    """
    left, right = number(one), number(other)
    if left is None or right is None:
        mine, others = parts(one), parts(other)
        if mine is None or others is None or mine[1] != others[1] or (left is None) != (right is None):
            return None
        return (mine[0] > others[0]) - (mine[0] < others[0])
    if left != left or right != right:  # noqa: PLR0124 - NaN
        return None
    return int(left > right) - int(left < right)
