"""Messages in order: Sort."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from transmissions import Record, RunError, UsageError, as_text, get_field

from .external_sort import Sorter, number_key, placed, text_key
from .lines import Bytes  # noqa: TC001 - a setting's type
from .moments import number_of, seconds_of
from .scopes import _Gathering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message


class Order(Record):
    """What messages are put in order by."""

    path: str
    "Dotted path of the field."
    compare: Literal["text", "number", "date"] = "text"
    "How it compares: as text by code point, as a number, as a point in time (seconds, or ISO 8601 text; UTC without a zone)."
    descending: bool = False
    "Whether the greatest comes first."


class Sort(_Gathering):
    """Send the messages of a group, or of the stream, in order once it has ended.

    Messages whose first field is equal are put in order by the next one, and what is equal in all stays in order of arrival.
    null, NaN and absent fields come last. Messages must be plain data: beyond `memory` they go to a temporary file, sorted in
    parts that are merged at the end, so that any number can be put in order. Numbers compare as floating point does, exactly
    up to 2^53.

    ```turtle
    :ordered a :Sort ; :by ( [ :path "country" ] [ :path "total" ; :compare "number" ; :descending true ] ) .
    ```
    """

    placement = "thread"

    by: tuple[Order, ...]
    "What is compared, the most important first."
    memory: Bytes = 67108864
    "How much is held before it goes to a file."

    def __post_init__(self) -> None:
        """Begin empty."""
        if not self.by:
            raise UsageError("a Sort needs something to sort :by")
        self._sorter = Sorter(self.memory)

    def process(self, message: Message) -> None:
        """Keep the message."""
        self._sorter.add(b"".join([_key(message, order) for order in self.by]), message)

    def finish(self) -> Iterator[Message]:
        """Send what is left in order."""
        for _, message in self._sorter.take():
            yield message

    async def __aexit__(self, *exc: object) -> None:
        """Let go of the temporary file."""
        self._sorter.close()


def _key(message: Message, order: Order) -> bytes:
    value = get_field(message, order.path)
    return placed(None if value is None else _compared(value, order), descending=order.descending)


def _compared(value: Any, order: Order) -> bytes | None:
    if order.compare == "text":
        return text_key(as_text(value))
    read = number_of if order.compare == "number" else seconds_of
    try:
        number = float(read(value, order.path))
    except OverflowError as error:
        raise RunError(f"the field '{order.path}' is a number too large to be compared") from error
    return None if math.isnan(number) else number_key(number)
