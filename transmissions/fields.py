"""Dotted paths into messages: `currentItem.title`, `rows[0].name`, `a.0.b`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .message import Message

MISSING: Final = object()
_STEP = re.compile(r"[^.\[\]]+")


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str | int, ...]:
    """Split a dotted path into keys and list positions."""
    return tuple(int(step) if step.isdigit() else step for step in _STEP.findall(path))


def get_field(message: Any, path: str, default: Any = None) -> Any:
    """Return the value at a dotted path, or `default` where the path leads nowhere."""
    if message.__class__ is dict and path in message:
        return message[path]
    value = message
    for step in steps(path):
        value = _step_into(value, step)
        if value is MISSING:
            return default
    return value


def _step_into(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        found = value.get(step, MISSING)
        return value.get(str(step), MISSING) if found is MISSING else found
    if isinstance(value, list | tuple) and isinstance(step, int):
        return value[step] if step < len(value) else MISSING
    return MISSING


def set_field(message: Message, path: str, value: Any) -> None:
    """Set the value at a dotted path, making the dicts on the way. A list on the way must be long enough.

    Raises:
        ValueError: a value on the way is neither a dict nor a list that reaches that far.

    """
    *way, last = steps(path) or (path,)
    target: Any = message
    for step in way:
        inner = _step_into(target, step)
        if inner is MISSING or inner is None:
            inner = {}
            _assign(target, step, inner, path)
        target = inner
    _assign(target, last, value, path)


def _assign(target: Any, step: str | int, value: Any, path: str) -> None:
    if isinstance(target, dict):
        target[str(step)] = value
    elif isinstance(target, list) and isinstance(step, int) and step < len(target):
        target[step] = value
    else:
        raise ValueError(f"cannot set '{path}': '{step}' is not a place in a {type(target).__name__}")


def remove_field(message: Message, path: str) -> Any:
    """Remove and return the value at a dotted path; return None where there is none."""
    if path in message:
        return message.pop(path)
    *way, last = steps(path) or (path,)
    target: Any = message
    for step in way:
        target = _step_into(target, step)
    if isinstance(target, dict):
        return target.pop(str(last), None)
    if isinstance(target, list) and isinstance(last, int) and last < len(target):
        return target.pop(last)
    return None
