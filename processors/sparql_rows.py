"""Values of query results, as SPARQL's JSON has them and as plain ones."""

from __future__ import annotations

import math
from typing import Any, Final

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_WHOLE: Final = frozenset(
    _XSD + name
    for name in (
        "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger",
        "negativeInteger", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte",
    )
)  # fmt: skip
_FRACTIONS: Final = frozenset(_XSD + name for name in ("decimal", "double", "float"))


def plain_row(binding: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a row with plain values: texts, numbers, truths; a blank node is text that begins with `_:`."""
    return {name: plain_value(term) for name, term in binding.items()}


def plain_value(term: dict[str, Any]) -> Any:
    """Return the plain value of a term; a number that Python or JSON cannot take stays text."""
    value, kind = term.get("value"), term.get("datatype", "")
    if term.get("type") == "bnode":
        return f"_:{value}"
    if kind == f"{_XSD}boolean":
        return value in {"true", "1"}
    try:
        number = int(str(value)) if kind in _WHOLE else float(str(value)) if kind in _FRACTIONS else None
        return value if number is None or not math.isfinite(number) else number
    except (ValueError, OverflowError):
        return value
