"""Structure without its words: Blanker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transmissions import Processor, set_field

from .access import need

if TYPE_CHECKING:
    from transmissions import Message


class Blanker(Processor):
    """Replace every text below a field by an empty one, to show how data is built and not what it says.

    Reads the value at `pointer`, or the whole message without one; lists, objects, numbers, truths and nulls stay as they
    are, and so do the names of members.

    ```turtle
    :blank a :Blanker ; :pointer "content" ; :preserve "content.items.uuid", "created_at" .
    ```
    """

    pointer: str = "content"
    "Dotted path of what is blanked; the whole message if empty."
    preserve: tuple[str, ...] = ()
    "What is kept: dotted paths from the top of the message, without positions of lists, or names of members anywhere."

    def __post_init__(self) -> None:
        """Tell paths from names."""
        self._paths = {tuple(path.split(".")) for path in self.preserve}

    def process(self, message: Message) -> Message:
        """Blank the texts."""
        if not self.pointer:
            return {name: self._blank(value, (name,)) for name, value in message.items()}
        way = tuple(step for step in self.pointer.replace("[", ".").replace("]", "").split(".") if not step.isdigit())
        set_field(message, self.pointer, self._blank(need(message, self.pointer), way))
        return message

    def _blank(self, value: Any, way: tuple[str, ...]) -> Any:
        if way in self._paths or way[-1:] in self._paths:
            return value
        if isinstance(value, str):
            return ""
        if isinstance(value, dict):
            return {name: self._blank(item, (*way, str(name))) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._blank(item, way) for item in value]
        return value
