"""A decision about a message: Choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from transmissions import MISSING, Processor, compare, get_field, set_field

if TYPE_CHECKING:
    from transmissions import Message


class Choice(Processor):
    """Set a field to one value or another, depending on a test.

    Reads `testProperty`; writes `trueProperty` or `falseProperty`. A value that is the path of a field in the message is
    copied from there, any other is taken as it stands. Two numbers, or a number and text that is one, compare as numbers,
    anything else as text; `exists` holds for null too. To take different ways use a `:Route` in the pipe: it compares alike.

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
    "How it is compared: as in the conditions of a `:Route`."
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
        found = get_field(message, self.test_property, MISSING)
        holds = compare(self.test_operator, found, self.test_value)
        place, value = (self.true_property, self.true_value) if holds else (self.false_property, self.false_value)
        if place:
            set_field(message, place, get_field(message, value, value) if isinstance(value, str) and value else value)
        return message
