"""Dotted paths into messages: `currentItem.title`, `rows[0].name`, `a.0.b`."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from .json_text import said_by

if TYPE_CHECKING:
    from .message import Message

MISSING: Final = object()
"""What `get_field` can be told to return where there is nothing, since null is a value."""
_PLAIN: Final = frozenset({str, int, float, bool, type(None), dict, list, tuple})
_STEP = re.compile(r"\[(0|[1-9][0-9]{0,17})\]|([^.\[\]]+)")
_POSITION = re.compile(r"0|[1-9][0-9]{0,17}")
"""As a number is written; `07` and `\u00b2` are keys."""


class _Place(int):
    """A position in brackets, which can only be meant for a list."""

    __slots__ = ()


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str | int, ...]:
    """Split a dotted path into keys and list positions."""
    return tuple(_Place(place) if place else _key_or_position(step) for place, step in _STEP.findall(path))


def _key_or_position(step: str) -> str | int:
    return int(step) if _POSITION.fullmatch(step) else step


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


def set_field(message: Message, path: str, value: Any) -> None:
    """Set the value at a dotted path, making what is missing on the way: lists in front of `[0]`, else dicts.

    A list grows by one item if the path names the place behind its end, and by no more.

    Messages made from one another share what is inside them, so what is on the way is copied first (a tuple becomes a
    list): the change is seen in this message only.

    Raises:
        ValueError: a value on the way is neither a dict nor a list that reaches that far.

    """
    if path in message or path.isidentifier():  # What most are; the way below takes five times as long.
        message[path] = value
        return
    way = _way(message, path)
    _assign(_own(message, way, path), way[-1], value, path)


def remove_field(message: Message, path: str) -> Any:
    """Remove and return the value at a dotted path, in this message only; return None where there is none."""
    if get_field(message, path, MISSING) is MISSING:
        return None
    way = _way(message, path)
    target, last = _own(message, way, path), way[-1]
    return target.pop(_key(target, last), None) if isinstance(target, dict) else target.pop(last)


def _way(message: Message, path: str) -> tuple[str | int, ...]:
    return (path,) if path in message else steps(path) or (path,)


def _step_into(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        found = value.get(step, MISSING)
        found = value.get(str(step), MISSING) if found is MISSING else found
    elif isinstance(value, list | tuple) and isinstance(step, int):
        found = value[step] if step < len(value) else MISSING
    else:
        return MISSING
    return found if found.__class__ in _PLAIN else said_by(found)


def _own(message: Message, way: tuple[str | int, ...], path: str) -> Any:
    """Return what the last step of a way is about, after everything on it was made this message's own."""
    target: Any = message
    for step, following in pairwise(way):
        inner = _copy(_step_into(target, step), following)
        _assign(target, step, inner, path)
        target = inner
    return target


def _copy(value: Any, following: str | int) -> Any:
    if value is MISSING or value is None:
        return [] if isinstance(following, _Place) else {}
    return value.copy() if isinstance(value, dict) else list(value) if isinstance(value, list | tuple) else value


def _key(target: dict[Any, Any], step: str | int) -> str | int:
    return step if step in target else str(step)


def _assign(target: Any, step: str | int, value: Any, path: str) -> None:
    if isinstance(target, dict):
        target[_key(target, step)] = value
    elif isinstance(target, list) and isinstance(step, int) and step <= len(target):
        target[step : step + 1] = [value]
    else:
        raise ValueError(f"cannot set '{path}': '{step}' is not a place in a {type(target).__name__}")
