"""Processors that change the structure of a message."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Annotated, Any, Final

from transmissions import MISSING, Processor, Range, Record, RunError, Source, get_field, remove_field, set_field

from .access import need, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transmissions import Message

_CONSTANT: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|(NaN|-?Infinity)', re.DOTALL)
"""What Python's parser takes for a number though JSON has no such word, and texts, where it may stand."""


class Rename(Record):
    """A value and the place it is copied to."""

    pre: str
    "Dotted path the value is read from."
    post: str
    "Dotted path it is written to."


class Restructure(Processor):
    """Copy values from place to place in a message, then remove some.

    All `pre` paths are read before the first `post` is written, and what is written is a copy of its own. A `pre` that is not
    in the message is passed over. `rename` leaves the original in place: name it under `remove` as well to move it.

    ```turtle
    :tidy a :Restructure ;
        :rename ( [ :pre "content.item.name" ; :post "title" ] [ :pre "content.tags[0]" ; :post "tag" ] ) ;
        :remove "content", "queryResults" .
    ```
    """

    rename: tuple[Rename, ...] = ()
    "What is copied, in this order."
    remove: tuple[str, ...] = ()
    "Dotted paths of what is removed at the end."

    def process(self, message: Message) -> Message:
        """Copy, then remove."""
        found = [(rename.post, get_field(message, rename.pre, MISSING)) for rename in self.rename]
        for place, value in [(place, deepcopy(value)) for place, value in found if value is not MISSING]:
            set_field(message, place, value)
        for path in self.remove:
            remove_field(message, path)
        return message


class SetField(Processor):
    """Set a field of every message to a value.

    ```turtle
    :mark a :SetField ; :field "user.type" ; :value "premium" .
    ```
    """

    field: str
    "Dotted path of the field; the way to it is made where it is missing."
    value: tuple[Any, ...]
    "The value, of the type it has in Turtle: text, number or truth; several make a list."

    def process(self, message: Message) -> Message:
        """Set the field."""
        set_field(message, self.field, self.value[0] if len(self.value) == 1 else list(self.value))
        return message


class Setter(Record):
    """A field and the value it is set to."""

    key: str
    "Dotted path of the field; the way to it is made where it is missing."
    value: Any
    "The value, of the type it has in Turtle: text, number or truth."


class SetMessage(Processor):
    """Set several fields of every message, in order.

    ```turtle
    :setup a :SetMessage ; :setters ( [ :key "user.type" ; :value "premium" ] [ :key "user.age" ; :value 42 ] ) .
    ```
    """

    setters: tuple[Setter, ...]
    "The fields and their values."

    def process(self, message: Message) -> Message:
        """Set the fields."""
        for setter in self.setters:
            set_field(message, setter.key, setter.value)
        return message


class JSONWalker(Source):
    """Send one message for each element of a JSON list, or for each value of a JSON object.

    Reads the list or object at `pointer`, parsing it first where it is text. Every message is a copy of the incoming one with
    the element in place of the whole, in `targetField`. The messages form a group, which Unfork ends.

    ```turtle
    :walk a :JSONWalker ; :pointer "content.chat_messages" .
    ```
    """

    pointer: str = "content"
    "Dotted path of the list or object."
    target_field: str = "content"
    "Dotted path each element is written to."
    limit: Annotated[int, Range(ge=0)] = 0
    "How many elements are taken at most; 0 takes all."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each element."""
        rest = without(message, self.pointer)
        for number, element in enumerate(self._elements(message)):
            if self.limit and number >= self.limit:
                return
            item = rest.copy()
            set_field(item, self.target_field, element)
            yield item

    def _elements(self, message: Message) -> Iterable[Any]:
        value = need(message, self.pointer)
        if isinstance(value, str | bytes):
            value = parse_json(value, f"field '{self.pointer}'")
        if isinstance(value, dict):
            return value.values()
        if isinstance(value, list | tuple):
            return value
        raise RunError(f"the field '{self.pointer}' is neither a list nor an object but a {type(value).__name__}")


def parse_json(text: str | bytes, source: str, line: int = 0) -> Any:
    """Parse JSON, which may be a single line of `source`.

    Raises:
        RunError: it is not JSON; the error says where in `source`.

    """
    try:
        return _loaded(text)
    except json.JSONDecodeError as error:
        place = f"{source}:{error.lineno + max(line - 1, 0)}:{error.colno}"
        said = f"{error.msg[:1].lower()}{error.msg[1:]}".removesuffix(": ").removesuffix(" at").removesuffix(" starting")
        raise RunError(f"{place}: not valid JSON: {said if text.strip() else 'there is nothing'}") from error
    except (ValueError, RecursionError) as error:
        place = f"{source}:{line}" if line else source
        raise RunError(f"{place}: not valid JSON: {_told(error)}") from error


def _told(error: ValueError | RecursionError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not {error.encoding}: {error.reason} at byte {error.start}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"


class _NoNumber(ValueError):
    """A word that stands for no number in JSON."""


def _refuse(word: str) -> None:
    raise _NoNumber(word)


_decode: Final = json.JSONDecoder(parse_constant=_refuse).decode  # `json.loads` would make a new one for each text.


def _loaded(text: str | bytes) -> Any:
    whole = text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass")
    try:
        return _decode(whole)
    except _NoNumber as error:
        place = next(found.start() for found in _CONSTANT.finditer(whole) if found[1])
        raise json.JSONDecodeError(f"there is no {error}", whole, place) from error
