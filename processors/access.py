"""Fields of messages by dotted path, for the processors of this library."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from transmissions import MISSING, RunError, get_field, remove_field

if TYPE_CHECKING:
    from transmissions import Message


def need(message: Message, path: str) -> Any:
    """Return the value at a dotted path.

    Raises:
        RunError: there is none; the error names the fields there are.

    """
    value = get_field(message, path, MISSING)
    if value is MISSING:
        raise RunError(f"the message has no field '{path}'{_instead(message, path)}")
    return value


def _instead(message: Message, path: str) -> str:
    near = difflib.get_close_matches(path, message, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    shown = ", ".join(list(message)[:8])
    return f"; it has {shown}{', …' if len(message) > 8 else ''}" if shown else "; it is empty"  # noqa: PLR2004 - a short list


def without(message: Message, path: str) -> Message:
    """Return a shallow copy of a message without the value at a dotted path."""
    rest = dict(message)
    remove_field(rest, path)
    return rest
