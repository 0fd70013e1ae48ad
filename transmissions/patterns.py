"""Regular expressions that can run for ever, found by looking at them.

A loop around a loop, with nothing in between that must tell one round from the next, takes time exponential in the text:
`^(a+)+$` needs nine seconds for 26 letters. This finds that shape, the common one; a time limit is there for the others.
"""

from __future__ import annotations

import importlib
import itertools
import re
import string
from typing import Any, Final, NamedTuple

_parser: Any = importlib.import_module("re._parser")
_MANY: Final = 16
"""Loops of so many rounds count as endless."""
_SAMPLE: Final = (*string.printable, "é", "中")
_LOOPS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT"})
_MAX_WAYS: Final = 64


class _Element(NamedTuple):
    """One item of a sequence: the sample characters it can match, whether it may match nothing, whether it loops."""

    characters: frozenset[str]
    optional: bool
    endless: bool


def runs_away(pattern: str) -> bool:
    """Return whether a pattern has a loop that holds an unseparated loop.

    Raises:
        re.error: it is not a regular expression.

    """
    re.compile(pattern)
    return _risky(_parser.parse(pattern))


def _risky(sequence: Any) -> bool:
    for operator, value in sequence:
        name = str(operator)
        if name in _LOOPS and value[1] >= _MANY and any(_unseparated(way) for way in _ways(value[2])):
            return True
        if any(_risky(inner) for inner in _inner(name, value)):
            return True
    return False


def _unseparated(way: list[_Element]) -> bool:
    loops = [index for index, element in enumerate(way) if element.endless]
    return any(all(_absorbed(way[at], other) for place, other in enumerate(way) if place != at) for at in loops)


def _absorbed(loop: _Element, other: _Element) -> bool:
    return other.optional or bool(loop.characters & other.characters)


def _ways(sequence: Any) -> list[list[_Element]]:
    """Return the ways through a sequence: groups are opened, each alternative is a way of its own."""
    parts = [_part_ways(str(operator), value, (operator, value)) for operator, value in sequence]
    chosen = itertools.islice(itertools.product(*parts), _MAX_WAYS)
    return [list(itertools.chain.from_iterable(way)) for way in chosen]


def _part_ways(name: str, value: Any, item: Any) -> list[list[_Element]]:
    if name == "SUBPATTERN":
        return _ways(value[-1])
    if name == "BRANCH":
        return [way for alternative in value[1] for way in _ways(alternative)][:_MAX_WAYS]
    return [[_element(name, value, item)]]


def _element(name: str, value: Any, item: Any) -> _Element:
    if name in _LOOPS or name == "POSSESSIVE_REPEAT":
        characters = frozenset().union(*(element.characters for way in _ways(value[2]) for element in way))
        return _Element(characters, value[0] == 0, name in _LOOPS and value[1] >= _MANY)
    if name in {"AT", "ASSERT", "ASSERT_NOT"}:
        return _Element(frozenset(), optional=True, endless=False)
    if name in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}:
        return _Element(_characters(name, value, item), optional=False, endless=False)
    return _Element(frozenset(_SAMPLE), optional=True, endless=False)


def _characters(name: str, value: Any, item: Any) -> frozenset[str]:
    members = value if name == "IN" else [item]
    negated = name == "IN" and str(members[0][0]) == "NEGATE"
    matched = {character for character in _SAMPLE if any(_matches(member, character) for member in members)}
    return frozenset(_SAMPLE) - matched if negated else frozenset(matched)


def _matches(member: Any, character: str) -> bool:
    name, value = str(member[0]), member[1]
    if name == "LITERAL":
        return bool(ord(character) == value)
    if name == "NOT_LITERAL":
        return bool(ord(character) != value)
    if name == "RANGE":
        return bool(value[0] <= ord(character) <= value[1])
    if name == "CATEGORY":
        return bool(re.match(_CATEGORIES[str(value)], character))
    return name == "ANY" and character != "\n"


_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}


def _inner(name: str, value: Any) -> list[Any]:
    if name in _LOOPS or name == "POSSESSIVE_REPEAT":
        return [value[2]]
    if name == "SUBPATTERN":
        return [value[-1]]
    if name == "BRANCH":
        return list(value[1])
    if name in {"ASSERT", "ASSERT_NOT"}:
        return [value[1]]
    return [value] if name == "ATOMIC_GROUP" else []
