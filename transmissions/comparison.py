"""How two values compare: for the conditions of a Route and for every processor that tests a field."""

from __future__ import annotations

import json
import operator
import re
from typing import TYPE_CHECKING, Any, Final

from .errors import UsageError
from .fields import MISSING, get_field
from .json_text import stand_in
from .settings import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from .message import Message


OPERATORS: Final = ("equals", "notEquals", "contains", "greater", "less", "matches", "exists")


class Condition(Record):
    """The condition of a branch: one field, one operator."""

    field: str
    "The dotted path of the field that is looked at."
    equals: Any = None
    "The value is this."
    not_equals: Any = None
    "The value is not this."
    contains: Any = None
    "The text or list contains this."
    greater: float | None = None
    "The number is greater."
    less: float | None = None
    "The number is less."
    matches: str | None = None
    "This regular expression is found in the text."
    exists: bool | None = None
    "Whether there is such a field."

    def __post_init__(self) -> None:
        """Find the one operator.

        Raises:
            UsageError: there is none, there are several, or a pattern is none.

        """
        values = {relation: getattr(self, "not_equals" if relation == "notEquals" else relation) for relation in OPERATORS}
        used = [relation for relation in OPERATORS if values[relation] is not None]
        if len(used) != 1:
            raise UsageError(f"a condition needs exactly one operator, not {len(used)}")
        self._test = used[0], values[used[0]]

    def holds(self, message: Message) -> bool:
        """Whether it is true of a message."""
        relation, value = self._test
        return compare(relation, get_field(message, self.field, MISSING), value)


def compare(relation: str, found: Any, value: Any) -> bool:
    """Whether `found` stands in a relation to `value`.

    The relations are `equals`, `notEquals`, `contains`, `greater`, `less`, `matches` (a regular expression) and `exists`.
    Two numbers, or a number and text that is one, compare as numbers; anything else compares as text, which for what is
    neither is its JSON. For `greater` and `less` two texts that are numbers count as numbers too, and a number is neither
    above nor below a text that is none. `exists` holds for whatever is there, null included (for what is not, if `value`
    is false). Of all others only `notEquals` holds for null and for MISSING.
    """
    if relation == "exists":
        return (found is not MISSING) == (value not in (False, "false"))
    if found is None or found is MISSING:
        return relation == "notEquals"
    return _RELATIONS[relation](found, value)


def as_text(value: Any) -> str:
    """Return text as it is, bytes as the text they are, and any other value as JSON."""
    if isinstance(value, str):
        return value
    return stand_in(value) if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, default=stand_in)


def _on_sides(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda found, value: test(*_sides(found, value))


def _in_order(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def holds(found: Any, value: Any) -> bool:
        one, other = _number(found), _number(value)
        if one is not None and other is not None:
            return test(one, other)
        return isinstance(found, str) and isinstance(value, str) and test(found, value)

    return holds


def _sides(found: Any, value: Any) -> tuple[Any, Any]:
    """Return both as numbers or both as text."""
    numeric = _is_number(found), _is_number(value)
    if all(numeric) or (isinstance(found, str) and isinstance(value, str)):
        return found, value
    if any(numeric):
        one, other = _number(found), _number(value)
        if one is not None and other is not None:
            return one, other
    return as_text(found), as_text(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> int | float | None:
    if _is_number(value):
        number: int | float = value
        return number
    if not isinstance(value, str) or "_" in value:  # Python would read 1_000 as a number.
        return None
    for kind in (int, float):  # A whole number of any length is exact.
        try:
            return kind(value)
        except ValueError:
            continue
    return None


def _contains(found: Any, value: Any) -> bool:
    if isinstance(found, list | tuple | dict | set | frozenset):
        return any(compare("equals", item, value) for item in found)
    return as_text(value) in as_text(found)


_RELATIONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "equals": _on_sides(operator.eq),
    "notEquals": _on_sides(operator.ne),
    "contains": _contains,
    "greater": _in_order(operator.gt),
    "less": _in_order(operator.lt),
    "matches": lambda found, value: re.search(value, as_text(found)) is not None,
}
