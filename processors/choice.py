"""A decision about a message: Choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from transmissions import Processor, get_field, set_field

from .access import as_text

if TYPE_CHECKING:
    from transmissions import Message


class Choice(Processor):
    """Set a field to one value or another, depending on a test.

    Reads `testProperty`; writes `trueProperty` or `falseProperty`. A value that is the path of a field in the message is
    copied from there, any other is taken as it stands. To take different ways use a `:Route` in the pipe.

    ```turtle
    :size a :Choice ;
        :testProperty "bytes" ; :testOperator "greater" ; :testValue 1000000 ;
        :trueProperty "size" ; :trueValue "large" ;
        :falseProperty "size" ; :falseValue "small" .
    ```
    """

    test_property: str
    "Dotted path of the value tested."
    test_operator: Literal["equals", "contains", "greater", "less", "exists"] = "equals"
    "How it is compared: as numbers where both sides are numbers, else as text."
    test_value: Any = ""
    "What it is compared with."
    true_property: str = ""
    "Dotted path written when the test holds; none if empty."
    true_value: Any = ""
    "What is written there."
    false_property: str = ""
    "Dotted path written when it does not; none if empty."
    false_value: Any = ""
    "What is written there."

    def process(self, message: Message) -> Message:
        """Test, then set."""
        found = get_field(message, self.test_property)
        holds = compare(self.test_operator, found, self.test_value)
        place, value = (self.true_property, self.true_value) if holds else (self.false_property, self.false_value)
        if place:
            set_field(message, place, get_field(message, value, value) if isinstance(value, str) and value else value)
        return message


def compare(operator: str, found: Any, value: Any) -> bool:
    """Whether `found` stands in the relation `operator` to `value`; nothing but `exists` holds for an absent value."""
    if found is None or operator == "exists":
        return found is not None
    if operator == "contains":
        parts = map(as_text, found) if isinstance(found, list | tuple | dict) else as_text(found)
        return as_text(value) in parts
    sides = (_number(found), _number(value))
    left, right = (as_text(found), as_text(value)) if None in sides else sides
    if operator == "equals":
        return bool(left == right)
    return bool(left > right) if operator == "greater" else bool(left < right)  # type: ignore[operator]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
