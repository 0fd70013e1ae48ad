"""Read and change fields of messages by dotted path, for the processors of this library."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError, get_field, remove_field, set_field

if TYPE_CHECKING:
    from transmissions import Message

MISSING: Final = object()


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


def put(message: Message, path: str, value: Any) -> None:
    """Set the value at a dotted path in this message only.

    Messages made from one another share what is inside them (a copy is shallow), so the dicts and lists on the way are
    copied first: a change here is never seen by the message's siblings.
    """
    if path in message or not _is_dotted(path):
        message[path] = value
        return
    _own_way(message, path)
    set_field(message, path, value)


def drop(message: Message, path: str) -> None:
    """Remove the value at a dotted path from this message only; nothing happens where there is none."""
    if path not in message and _is_dotted(path):
        _own_way(message, path)
    remove_field(message, path)


def without(message: Message, path: str) -> Message:
    """Return a shallow copy of a message without the value at a dotted path."""
    rest = dict(message)
    drop(rest, path)
    return rest


def as_text(value: Any) -> str:
    """Return text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _is_dotted(path: str) -> bool:
    return "." in path or "[" in path


def _own_way(message: Message, path: str) -> None:
    steps = path.replace("[", ".").replace("]", "").split(".")
    for length in range(1, len(steps)):
        place = ".".join(steps[:length])
        value = get_field(message, place)
        if not isinstance(value, dict | list):
            return
        set_field(message, place, value.copy())
