"""Points in time and numbers in messages, read in one way."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Final

from transmissions import RunError

_EARLIEST: Final = -62_135_596_800
"""The year 1. Whoever counts milliseconds is told, rather than taken to the year 55,000."""
_LATEST: Final = 253_402_300_799


def seconds_of(value: Any, path: str) -> float:
    """Return seconds since 1970: of a number they are, of ISO 8601 text (in UTC where it names no zone).

    Raises:
        RunError: it is neither, or in no year that can be written.

    """
    seconds = _read(value) if isinstance(value, str) else None if isinstance(value, bool) else value
    if isinstance(seconds, int | float) and can_be_told(seconds):
        return float(seconds)
    raise RunError(f"the field '{path}' is no time, which is seconds or ISO 8601 text, but {_shown(value)}")


def _read(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def can_be_told(seconds: float) -> bool:
    """Whether a point in time is in the years 1 to 9999, which ISO 8601 has words for."""
    return _EARLIEST <= seconds <= _LATEST


def number_of(value: Any, path: str) -> int | float:
    """Return a number, or the one that text says; `nan` and what is too large for any are none.

    Raises:
        RunError: it is neither.

    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and "_" not in value:  # Python would read 1_000 as a number.
        for kind in (int, float):
            try:
                number = kind(value)
            except ValueError:
                continue
            if kind is int or math.isfinite(number):
                return number
    raise RunError(f"the field '{path}' is no number but {_shown(value)}")


def iso(seconds: float) -> str:
    """Return a point in time as ISO 8601 text in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def now() -> str:
    """Return the time as ISO 8601 text in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value[:40])
    return str(value) if isinstance(value, float) else f"a {type(value).__name__}"
