"""Figures of groups and windows: Aggregate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import Range, Record, Unit, UsageError, get_field, set_field

from .access import need
from .figures import make_cell
from .keys import key_of
from .moments import iso, number_of, seconds_of
from .scopes import _Gathering
from .windows import CountWindows, SessionWindows, TimeWindows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .figures import Cell
    from .windows import Window

_NUMERIC: Final = {"sum", "mean", "quantile"}


class Figure(Record):
    """One figure of a group."""

    name: str
    "Dotted path it is written to."
    function: Literal["count", "sum", "min", "max", "mean", "first", "last", "list", "distinct", "distinctCount", "quantile"]
    "What is worked out."
    field: str = ""
    "Dotted path of the values; `count` without it counts messages."
    quantile: Annotated[float, Range(ge=0, le=1)] = 0.5
    "Which quantile: 0.5 is the median."


class Aggregate(_Gathering):
    """Work out figures of messages, by group and by window, and send one message for each.

    A message goes out for each key of `groupBy`, with the values of those fields and the figures of `compute`. null and absent
    values are passed over; of none a count is 0 and anything else null. Sums and means take text that is a number too. min and
    max compare as conditions do. A quantile is exact up to 400 values and beyond that within about 1 % of rank (a KLL sketch
    of bounded size). The incoming messages end here. `window` says when figures are complete:

    * `none`: at the end that `scope` says;
    * `count`: after each `size` messages of a key;
    * `time`: after each `size` seconds of `timeField`, as the messages' own times tell; one that is `lateness` late still
      counts, one that comes after its window was sent is skipped and counted;
    * `session`: after `size` seconds of a key without a message, by the same times;
    * `clock`: after each `size` seconds of the clock; what is complete goes out with the next message.

    Windows of time carry `windowStart` and `windowEnd` (ISO 8601, UTC); for sessions these are the times of the first and the
    last message. What is open at an end goes out then.

    ```turtle
    :daily a :Aggregate ; :groupBy "shop" ; :window "time" ; :timeField "at" ; :size 86400 ; :lateness 60 ;
        :compute ( [ :name "orders" ; :function "count" ]
            [ :name "p95" ; :function "quantile" ; :field "total" ; :quantile 0.95 ] ) .
    ```
    """

    group_by: tuple[str, ...] = ()
    "Dotted paths of the key; without any there is one group."
    compute: tuple[Figure, ...]
    "The figures."
    window: Literal["none", "count", "time", "session", "clock"] = "none"
    "When figures are complete."
    size: Annotated[float, Range(ge=0)] = 0
    "How long a window is: messages for `count`, else seconds."
    time_field: str = ""
    "Dotted path of a message's time: seconds since 1970, or ISO 8601 text."
    lateness: Annotated[float, Range(ge=0), Unit("s")] = 0
    "How long a window waits for messages whose time is earlier than the latest."
    max_groups: Annotated[int, Range(ge=1)] = 100_000
    "How many keys and windows may be open at once."
    max_values: Annotated[int, Range(ge=1)] = 100_000
    "How many values a `list` or `distinct` of one group may have."

    def __post_init__(self) -> None:
        """Refuse what cannot be before anything runs."""
        if self.window != "none" and not self.size:
            raise UsageError(f"an Aggregate with :window '{self.window}' needs :size")
        if (self.window in {"time", "session"}) != bool(self.time_field):
            raise UsageError("an Aggregate needs :timeField for the windows 'time' and 'session', and for no other")
        for figure in self.compute:
            if not figure.field and figure.function != "count":
                raise UsageError(f"the figure '{figure.name}' needs the :field it is worked out of")
        self._clock = time.time
        self._windows = self._begin()

    def _begin(self) -> CountWindows | TimeWindows | SessionWindows:
        size = 0 if self.window == "none" else self.size
        bounds = (size, self.lateness, self.max_groups, self._make_cells)
        if self.window == "session":
            return SessionWindows(*bounds)
        return TimeWindows(*bounds) if self.window in {"time", "clock"} else CountWindows(*bounds)

    def _make_cells(self) -> list[Cell]:
        return [make_cell(figure.function, figure.quantile, self.max_values) for figure in self.compute]

    def process(self, message: Message) -> list[Message] | None:
        """Take a message in; send what is complete."""
        heads = [need(message, path) for path in self.group_by]
        values = [_value(message, figure) for figure in self.compute]
        moment = self._moment(message)
        window = self._windows.window_of(key_of(message, self.group_by), moment, heads)
        if window is None:
            told = f"{self.time_field} is {iso(moment)}, the latest was {iso(self._windows.latest)} (:lateness)"
            self.context.skip(f"the window of a message was sent already: {told}")
            return None
        for cell, value in zip(window.cells, values, strict=True):
            if value is not None:
                cell.add(value)
        return [self._message(one) for one in self._windows.closed()] or None

    def _moment(self, message: Message) -> float:
        if self.time_field:
            return seconds_of(need(message, self.time_field), self.time_field)
        return self._clock()

    def finish(self) -> Iterator[Message]:
        """Send what is left."""
        windows, self._windows = self._windows, self._begin()
        return map(self._message, windows.rest())

    def _message(self, window: Window) -> Message:
        message: Message = {}
        for path, value in zip(self.group_by, window.heads, strict=True):
            set_field(message, path, value)
        if self.window in {"time", "session", "clock"}:
            message["windowStart"], message["windowEnd"] = iso(window.start), iso(window.end)
        for figure, cell in zip(self.compute, window.cells, strict=True):
            set_field(message, figure.name, cell.result())
        return message


def _value(message: Message, figure: Figure) -> Any:
    """Return what a message adds to a figure; null adds nothing."""
    if not figure.field:
        return 1
    value = get_field(message, figure.field)
    if value is None or figure.function not in _NUMERIC:
        return value
    return number_of(value, figure.field)
