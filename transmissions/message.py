"""What flows through a pipe: messages, which are plain dicts, and the engine's control tokens between them.

A message has no envelope. Its place in the plan says where it has been, tokens say which group it belongs to, and a plain
dict is what every author already knows (an envelope per message costs 49 to 473 ns).
"""

from __future__ import annotations

from operator import countOf
from sys import getsizeof
from typing import Any, Final

from .fields import get_field

Message = dict[str, Any]
"""One unit of data: field names to values."""


class Token:
    """A control item between messages. It keeps its place in the stream and is never seen by `process`."""

    __slots__ = ()


class End(Token):
    """No message follows on this edge."""

    __slots__ = ()


class GroupEnd(Token):
    """The messages one Source made of `message` are complete.

    `depth` counts the groups that were open while they flowed, so nested loops know whose end this is: the outermost
    Source opens depth 1. If the Source failed on the way, the group `is_broken`: it ends for those who collect it, but its
    message has failed and does not go on.
    """

    __slots__ = ("depth", "is_broken", "message")

    def __init__(self, depth: int, message: Message, *, is_broken: bool = False) -> None:
        self.depth = depth
        self.message = message
        self.is_broken = is_broken


class Barrier(Token):
    """Everything sent before this token has passed. `number` tells one barrier from another."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


END = End()


def keep_messages(given: list[Any], start: int = 0) -> None:
    """Check what a processor gave from `start` on.

    Raises:
        TypeError: something is not a message; from there on `given` is cut off.

    """
    new = given[start:] if start else given
    if countOf(map(type, new), dict) < len(new):  # The fastest way to look at all: 13 ns each.
        for place in range(start, len(given)):
            if not isinstance(given[place], dict):
                fault = not_a_message(given[place])
                del given[place:]
                raise fault


def not_a_message(given: Any, belongs: str = "a message belongs, which is a dict") -> TypeError:
    """Return the fault of giving something that is no message."""
    kind = type(given).__name__
    named = "None" if given is None else f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
    return TypeError(f"a processor gave {named} where {belongs}")


_FIXED = {int: 8, float: 8, bool: 1, type(None): 0}


def weigh(value: Any) -> int:
    """Return the payload size of a value in bytes: the text and numbers in it, without Python's own overhead.

    Text counts a byte a character for ASCII and its UTF-8 length otherwise; numbers count 8; containers count what they hold.
    """
    total = 0
    stack = [value]
    while stack:
        item = stack.pop()
        kind = item.__class__
        if kind is str:
            total += len(item) if item.isascii() else len(item.encode("utf-8", "surrogatepass"))
        elif kind is dict:
            stack.extend(item)
            stack.extend(item.values())
        elif kind in _FIXED:
            total += _FIXED[kind]
        elif kind is list or kind is tuple or kind is set:
            stack.extend(item)
        elif hasattr(kind, "__json__"):
            total += getsizeof(item)  # To ask how long it is might read it.
        else:
            total += len(item) if hasattr(item, "__len__") else 8
    return total


def size_of(message: Message, field: str | None) -> int:
    """Return how many bytes a message counts: what its field says, or what it weighs where that says nothing."""
    told = get_field(message, field) if field else None
    return told if isinstance(told, int) and told >= 0 else weigh(message)


_OWN: Final = 96
"""Bytes that Python needs for a part beside the text in it, on the average: 36 for a number, 240 for a dict."""
_NESTED: Final = (dict, list, tuple)
_FEW: Final = 2
_ROW: Final = 32
_FIELDS: Final = 1024
_PARTS: Final = 256


def glance(message: Message, ceiling: int) -> int:
    """Return about how many bytes of memory a message takes, at most `ceiling`, from a look at some of its parts.

    Of a list two or three items stand for all; they lie an odd number apart, because in a chat every other is a short question.
    But a row, which begins with something plain, is looked at whole, as the message's own fields are: one of them may be all
    there is to it. What has more than 256 parts inside even so, or a thousand fields, counts as the ceiling.
    """
    total, looked = 0.0, -min(len(message), _FIELDS)
    stack: list[tuple[Any, float]] = [(message, 1.0)]
    for item, times in stack:  # It grows on the way.
        parts = item.values() if isinstance(item, dict) else _sample(item)
        looked += len(parts)
        if looked > _PARTS or total > ceiling:
            return ceiling
        alike = times * len(item) / (len(parts) or 1)
        size = _OWN * len(parts)
        for part in parts:
            kind = part.__class__
            if kind is str or kind is bytes:
                size += len(part)
            elif kind in _NESTED and part:  # Whether it is empty is asked of these only: who knows what that costs others.
                stack.append((part, alike))
            elif kind not in _FIXED:
                size += getsizeof(part)
        total += size * alike
    return min(int(total), ceiling)


def _sample(items: Any) -> Any:
    is_row = len(items) <= _ROW and items[0].__class__ not in _NESTED
    return items if is_row else items[:: len(items) // _FEW | 1]
