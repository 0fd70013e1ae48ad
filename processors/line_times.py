"""When lines came: Timestamp."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from transmissions import Processor, RunError, as_text, set_field

if TYPE_CHECKING:
    from transmissions import Message

_EARLIEST: Final = datetime(2, 1, 1, tzinfo=UTC).timestamp()
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_SHOWN: Final = 120


class Timestamp(Processor):
    """Say when each line came: in front of it, or in a field.

    Goes by the message's `time` (seconds since 1970, as CommandSource has it), or by the clock if there is none. `iso` is the
    moment (ISO 8601, to the millisecond), `elapsed` the time since the first message here, `delta` that since the last one;
    these are seconds, as text with three decimals in front of a line and as a number in a field.

    ```turtle
    :when a :Timestamp ; :format "elapsed" ; :targetField "seconds" .
    ```
    """

    stateful = True

    format: Literal["iso", "elapsed", "delta"] = "iso"
    "What is said."
    zone: Literal["utc", "local"] = "utc"
    "The zone of a moment: UTC, or that of this machine."
    target_field: str = ""
    "Dotted path it is written to; if empty, it goes in front of the line, with a blank between."
    input_field: str = "line"
    "Top-level field of the line."

    def __post_init__(self) -> None:
        """Begin without any message."""
        self._first: float | None = None
        self._last = 0.0
        self._clock = time.time

    def process(self, message: Message) -> Message:
        """Say when one line came."""
        now = self._time_of(message.get("time"))
        if self._first is None:
            self._first = self._last = now
        since = {"elapsed": now - self._first, "delta": now - self._last}.get(self.format)
        self._last = now
        if self.target_field:
            set_field(message, self.target_field, self._moment(now) if since is None else round(since, 6))
        elif self.input_field in message:
            stamp = self._moment(now) if since is None else f"{since:.3f}"
            message[self.input_field] = f"{stamp} {as_text(message[self.input_field])}"
        return message

    def _time_of(self, told: object) -> float:
        if not isinstance(told, int | float):
            return self._clock()
        if not _EARLIEST < told < _LATEST:
            raise RunError(f"the field 'time' is no number of seconds since 1970: {told}"[:_SHOWN])
        return float(told)

    def _moment(self, now: float) -> str:
        moment = datetime.fromtimestamp(now, UTC)
        if self.zone == "local":
            moment = moment.astimezone()
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
