"""Values of a database as plain data."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

PLAIN: Final = frozenset({str, int, float, bool, bytes, type(None)})
"""Types of values that are plain data as they are."""
_WHOLE: Final = 300
"""How many digits a decimal may have to become a whole number."""


def plain(value: Any) -> Any:
    """Return a value of a database as plain data: times as ISO 8601, durations in seconds, else text."""
    if value.__class__ in PLAIN:
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return bytes(value) if isinstance(value, memoryview | bytearray) else str(value)


def _number(value: Decimal) -> int | float | str:
    """Return a decimal as a number, or as text where a number would lose digits."""
    if not value.is_finite():
        return float(value)
    if value.adjusted() > _WHOLE:
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    nearest = float(value)
    return nearest if Decimal(repr(nearest)) == value else f"{value:f}"
