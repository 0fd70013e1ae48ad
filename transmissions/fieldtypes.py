"""From a field's Python type, markers included, to the words of a Setting."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from .settings import (
    IRI,
    Dynamic,
    FractionOf,
    Length,
    LessThan,
    LessThanOrEquals,
    Pattern,
    Protected,
    Range,
    Record,
    Secret,
    Term,
    TransmissionName,
    Unit,
)

_KINDS: Final[dict[Any, str]] = {
    str: "string",
    int: "integer",
    float: "decimal",
    bool: "boolean",
    IRI: "iri",
    Secret: "secret",
    Any: "any",
}
_TEXT_MARKERS: Final[dict[type, str]] = {
    Pattern: "pattern",
    LessThan: "less_than",
    LessThanOrEquals: "less_than_or_equals",
    FractionOf: "fraction_of",
    Unit: "unit",
    Term: "term",
}


class Unreadable(Exception):
    """A type that Turtle has no word for."""


def read_type(hint: Any) -> dict[str, Any]:
    """Return the attributes of a Setting that a type speaks about; a record is its class under `record`.

    Raises:
        Unreadable: the type is none a setting can have.

    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        words = read_type(inner[0])
        for marker in inner[1:]:
            words |= _read_length(marker, words) if isinstance(marker, Length) else _read_marker(marker)
        return words
    if origin is Union or origin is UnionType:
        return _read_union(hint, [part for part in inner if part is not NoneType])
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis and get_origin(inner[0]) is not tuple:  # noqa: PLR2004
        return {**read_type(inner[0]), "many": True}
    if origin is Literal and all(isinstance(choice, str) for choice in inner):
        return {"kind": "string", "choices": inner}
    return _read_plain(hint)


def _read_union(hint: Any, parts: list[Any]) -> dict[str, Any]:
    if len(parts) == 1:
        return read_type(parts[0])
    if set(parts) == {int, float}:
        return {"kind": "decimal"}
    raise _unreadable(hint)


def _read_plain(hint: Any) -> dict[str, Any]:
    if isinstance(hint, type) and issubclass(hint, Record):
        return {"kind": "record", "record": hint}
    kind = _KINDS.get(hint) if hint.__hash__ else None
    if kind is None:
        raise _unreadable(hint)
    return {"kind": kind}


def _read_length(marker: Length, words: dict[str, Any]) -> dict[str, Any]:
    of = "count" if words.get("many") else "length"
    return {f"{bound}_{of}": value for bound, value in (("min", marker.ge), ("max", marker.le)) if value is not None}


def _read_marker(marker: Any) -> dict[str, Any]:
    if isinstance(marker, Range):
        return {name: bound for name, bound in marker._asdict().items() if bound is not None}
    if marker is Dynamic or isinstance(marker, Dynamic):
        return {"dynamic": True}
    if marker is Protected or isinstance(marker, Protected):
        return {"protected": True}
    if marker is TransmissionName or isinstance(marker, TransmissionName):
        return {"transmission": True}
    attribute = _TEXT_MARKERS.get(type(marker))
    return {attribute: marker[0]} if attribute else {}


def _unreadable(hint: Any) -> Unreadable:
    name = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    return Unreadable(
        f"has type {name}, which no setting can have; use str, int, float, bool, IRI, Secret, a Literal of texts, "
        "a Record, a tuple[T, ...] of them, or Any"
    )
