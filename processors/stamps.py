"""Times as feeds write them, as ISO 8601 in UTC: `2024-05-01T10:00:00Z`."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from time import struct_time

_LONGEST: Final = 100


def stamp(value: Any) -> str:
    """Return a time that is ISO 8601 or as in e-mail; nothing if it is neither. Without a zone it is UTC."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > _LONGEST:
        return ""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            return stamp_of(found if found.tzinfo else found.replace(tzinfo=UTC))
        except (ValueError, TypeError, OverflowError):
            continue
    return ""


def stamp_of(moment: datetime) -> str:
    """Return a time with a zone as text."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def stamp_of_parts(parts: struct_time | None) -> str:
    """Return a time that is in UTC already, or nothing."""
    try:
        return stamp_of(datetime(*parts[:6], tzinfo=UTC)) if parts else ""
    except (ValueError, OverflowError):
        return ""
