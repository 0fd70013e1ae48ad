"""JSON in lines: JsonLines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from transmissions import Processor, RunError, remove_field, set_field
from transmissions.streaming import parse_json

from .access import need_text

if TYPE_CHECKING:
    from transmissions import Message


class JsonLines(Processor):
    """Parse the line of each message as JSON.

    Reads the text at `inputField` and writes its one value to `targetField`; if that is empty, an object's members become
    fields of the message, and any other value is in `value`. `NaN`, two values in one line or a trailing comma are no JSON.
    With `eventType` each value is told as an event of this type, with `value`, `source` and `number` of the line.

    ```turtle
    :parse a :JsonLines ; :malformed "drop" ; :eventType "json" .
    ```
    """

    input_field: str = "line"
    "Dotted path of the line."
    target_field: str = "value"
    "Dotted path of the value; empty for the message itself."
    malformed: Literal["keep", "drop", "reject"] = "keep"
    "What becomes of a message whose line is no JSON: it says why in `malformed`, is dropped, or is set aside as a dead letter."
    keep_line: bool = True
    "Whether the line stays where its value is in the message."
    event_type: str = ""
    "The type of the event told for each value; none if empty."

    def process(self, message: Message) -> Message | None:
        """Parse one line."""
        text = need_text(message, self.input_field) if self.input_field in message or "." in self.input_field else None
        if text is None:
            return message  # The one that tells of a program's end has no line.
        try:
            value = parse_json(text)
        except ValueError as error:
            return self._without(message, text, str(error))
        if self.event_type:
            told = {name: message[name] for name in ("source", "number") if name in message}
            self.context.emit(self.event_type, value=value, **told)
        if not self.keep_line:
            remove_field(message, self.input_field)
        if not self.target_field and isinstance(value, dict):
            message.update(value)
        else:
            set_field(message, self.target_field or "value", value)
        return message

    def _without(self, message: Message, text: str, reason: str) -> Message | None:
        if self.malformed == "keep":
            if text.strip():
                message["malformed"] = reason
            return message
        if self.malformed == "reject" and text.strip():
            self.context.reject(message, RunError(f"the line is not JSON: {reason}"))
        return None
