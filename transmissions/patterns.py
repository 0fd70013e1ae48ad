"""Regular expressions that can run for ever, found by looking at them.

A loop around a loop, with nothing in between that must tell one round from the next, takes time exponential in the text:
`^(a+)+$` needs nine seconds for 26 letters. So does a loop around alternatives that can share out the same text in two
manners, `^(a|aa)+$`. This finds both shapes, the common ones; a time limit is there for the others.
"""

from __future__ import annotations

import importlib
import itertools
import re
import string
from typing import Any, Final, NamedTuple

from .errors import UsageError

_parser: Any = importlib.import_module("re._parser")
_MANY: Final = 16
"""Loops of so many rounds count as endless."""
_SAMPLE: Final = (*string.printable, "é", "中")
_LOOPS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT"})
_MAX_WAYS: Final = 64
_MAX_LENGTH: Final = 256


class _Element(NamedTuple):
    """One item of a sequence: the sample characters it can match, whether it may match nothing, whether it loops."""

    characters: frozenset[str]
    optional: bool
    endless: bool


def runs_away(pattern: str) -> bool:
    """Return whether a pattern has a loop whose rounds cannot be told apart.

    Raises:
        re.error: it is not a regular expression.

    """
    re.compile(pattern)
    return _risky(_parser.parse(pattern))


def judge(pattern: str) -> tuple[str, str]:
    """Return the code and the sentence of what is wrong with a pattern somebody wrote; two empty texts if nothing is."""
    try:
        if runs_away(pattern):
            return "limit", "this pattern can run for ever: nothing tells the rounds of its loop apart"
    except re.error as error:
        return "pattern", f"this is not a regular expression: {error}"
    except (RecursionError, OverflowError):
        return "limit", "this pattern is too deep"
    return "", ""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a pattern that somebody wrote, ready for use.

    Raises:
        UsageError: it is none, or could run for ever.

    """
    fault = judge(pattern)[1]
    if fault:
        raise UsageError(f"{fault}: {pattern}")
    return re.compile(pattern)


def _risky(sequence: Any) -> bool:
    for operator, value in sequence:
        name = str(operator)
        if name in _LOOPS and value[1] >= _MANY and _ambiguous(_ways(value[2])):
            return True
        if any(_risky(inner) for inner in _inner(name, value)):
            return True
    return False


def _ambiguous(ways: list[list[_Element]]) -> bool:
    """Whether rounds of a loop can share out the same text in two manners."""
    if any(_unseparated(way) for way in ways):
        return True
    pairs = ((one, other) for one, other in itertools.permutations(ways, 2) if 0 < len(one) <= len(other))
    return any(_overlap(one, other) and _tiled(other[len(one) :], ways) for one, other in pairs)


def _overlap(one: list[_Element], other: list[_Element]) -> bool:
    return all(mine.characters & its.characters for mine, its in zip(one, other, strict=False))


def _tiled(rest: list[_Element], ways: list[list[_Element]]) -> bool:
    """Whether whole rounds can match what one alternative has more than the other."""
    reached = {0}
    for start in range(min(len(rest), _MAX_LENGTH)):
        if start in reached:
            fitting = (way for way in ways if way and _overlap(way, rest[start:]))
            reached.update(start + len(way) for way in fitting)
    return len(rest) in reached


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
