"""What settings mean in a run for `--compat`: which of them a message sets, and which have another default."""

from __future__ import annotations

import re
from functools import cache
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any, Final

from .fieldtypes import read_type
from .settings import setting_types
from .supervisor import Raised, attempt
from .terms import to_term

if TYPE_CHECKING:
    from collections.abc import Callable

    from .message import Message

_DEFAULTS: Final = {"Templater": {"undefined": "empty"}}
"""Defaults of the original that its apps count on, by class."""
_CLOSED: Final = frozenset({"dynamic", "protected", "record", "secret"})
"""Marks and kinds of settings no message sets here."""
_BOUNDS: Final[dict[str, Callable[[float, float], bool]]] = {"ge": ge, "gt": gt, "le": le, "lt": lt}
_TRUTHS: Final = {"true": True, "1": True, "false": False}


def as_before(cls: Any) -> dict[str, Any]:
    """Return the settings of a class whose default is the original's."""
    return {name: value for base in cls.__mro__ for name, value in _DEFAULTS.get(base.__name__, {}).items()}


def overrides(cls: Any, message: Message) -> dict[str, Any]:
    """Return the settings that fields of a message set: true values of fields that are called like them and fit their types.

    What is protected, a secret, a record or `fixed` is set by no message; what is dynamic looks for itself.
    """
    told = {}
    for name, term, words in _open_settings(cls):
        value = message.get(term)
        fitting = _fitting(value, words) if value else None
        if fitting is not None:
            told[name] = fitting
    return told


@cache
def words_of(cls: Any) -> dict[str, dict[str, Any]]:
    """Return what there is to say about each setting of a class, its term among it."""
    return {name: {"term": to_term(name), **read_type(hint)} for name, hint in setting_types(cls).items()}


@cache
def _open_settings(cls: Any) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    read = words_of(cls).items()
    is_open = [(name, words) for name, words in read if not ({*words, words["kind"]} & _CLOSED or name in cls.fixed)]
    return tuple((name, words["term"], words) for name, words in is_open)


def _fitting(value: Any, words: dict[str, Any]) -> Any:
    """Return a value as a setting of some words takes it, or None."""
    if not words.get("many"):
        return _as_one(value, words)
    values = [_as_one(one, words) for one in (value if isinstance(value, list | tuple) else [value])]
    return None if None in values else tuple(values)


def _as_one(value: Any, words: dict[str, Any]) -> Any:
    kind = words["kind"]
    if kind == "any":
        return value
    if isinstance(value, dict | list | tuple):
        return None
    if kind == "boolean":
        return _TRUTHS.get(str(value).lower())
    return _number(value, words) if kind in {"integer", "decimal"} else _text(str(value), words)


def _text(text: str, words: dict[str, Any]) -> str | None:
    fits = text in words.get("choices", (text,)) and re.fullmatch(words.get("pattern", ".*"), text, re.DOTALL)
    return text if fits else None


def _number(value: Any, words: dict[str, Any]) -> float | None:
    number = attempt(int if words["kind"] == "integer" else float, str(value))
    if isinstance(number, Raised) or not all(_BOUNDS[bound](number, words[bound]) for bound in _BOUNDS.keys() & words.keys()):
        return None
    fits: float = number
    return fits
