"""What clients get: events, their names, and how each protocol writes them.

An event is a JSON object with `event`, `timestamp` (RFC 3339, UTC) and, if it can be asked for again, `seq` (from 1, without
gaps). A run's events are in order: `metadata` first, then `progress`, `result`, `error` and `output` as things happen, and one
`summary` at the end, whose `status` says how it ended. A stream without a summary was cut off. `heartbeat`,
`backpressure_warning`, `system_status` and `reset` tell of the connection, have no `seq`, and may stand anywhere between.

Where an endpoint has no envelopes, what is sent is the bare record, and nothing stands for events that are none.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions.json_text import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping

ESSENTIAL: Final = {
    "metadata": True,
    "result": True,
    "error": True,
    "summary": True,
    "reset": True,
    "progress": False,
    "output": False,
    "heartbeat": False,
    "backpressure_warning": False,
    "system_status": False,
}
"""Every event, and whether it is delivered whatever happens. An app's own events are."""
LAST: Final = "summary"
PROTOCOL: Final = "1.0"
"""The version of all this: the number in front changes when what is written here does no longer hold for older clients."""
encode: Final = as_json
"""How every value that clients get is written."""


class Result(NamedTuple):
    """The fields of a `result`, which are put together and not looked at: there are far more results than other events."""

    number: int
    result: Any
    completed: int
    total: int | None
    success_rate: float

    def written(self, timestamp: str) -> bytes:
        """Return them as JSON.

        Raises:
            RunError: JSON has no words for the result.

        """
        total = b"null" if self.total is None else b"%d" % self.total
        figures = (self.number, encode(self.result), self.completed, total, b"%r" % self.success_rate, timestamp.encode())
        return (
            b'{"index": %d, "result": %b, "progress": {"completed": %d, "total": %b, "success_rate": %b}, "timestamp": "%b"}'
            % figures
        )


class Event(NamedTuple):
    """One event, encoded once for however many send it."""

    name: str
    seq: int
    """0 for one that is not kept."""
    body: bytes
    """The JSON object, without a line feed; empty where only bare records are sent and this is none."""
    timestamp: str


def make(name: str, fields: Mapping[str, Any]) -> Event:
    """Return an event with its time.

    Raises:
        RunError: JSON has no words for a field.

    """
    timestamp = now()
    return Event(name, 0, encode({"event": name, **fields, "timestamp": timestamp}), timestamp)


def numbered(name: str, seq: int, members: bytes, timestamp: str) -> Event:
    """Return an event with its number; `members` are those of its object, in braces, and not none."""
    return Event(name, seq, b'{"event": "%b", "seq": %d, %b' % (name.encode(), seq, members[1:]), timestamp)


class _Clock:
    """Writes the time; as long as it is the same millisecond, once."""

    def __init__(self) -> None:
        self._second = self._millisecond = 0
        self._start = self._stamp = ""

    def now(self) -> str:
        """Return the time as RFC 3339 has it, in UTC, to the millisecond."""
        moment = int(time.time() * 1000)
        if moment != self._millisecond:
            second, rest = divmod(moment, 1000)
            if second != self._second:
                self._second, self._start = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._millisecond, self._stamp = moment, f"{self._start}.{rest:03d}Z"
        return self._stamp


now: Final = _Clock().now


def as_line(event: Event, *, bare: bool = False) -> bytes:  # noqa: ARG001 - all protocols are asked alike
    """Return an event as a line of NDJSON; nothing where there is no bare record."""
    return event.body + b"\n" if event.body else b""


def as_sse(event: Event, *, bare: bool = False) -> bytes:
    """Return an event as a frame of Server-Sent Events, with an `id` if it can be asked for again."""
    identifier = b"id: %d\n" % event.seq if event.seq else b""
    if not bare:
        return b"event: %b\n%bdata: %b\n\n" % (event.name.encode(), identifier, event.body)
    if event.body:
        return b"%bdata: %b\n\n" % (identifier, event.body)
    return b": heartbeat\n\n" if event.name == "heartbeat" else b""


def as_message(event: Event, head: bytes = b"", *, bare: bool = False, is_flat: bool = False) -> bytes:
    """Return an event as a message of a WebSocket; `head` are JSON members that come first in its `data`, which may be all."""
    if bare or not event.body:
        return event.body
    data = b"{%b, %b" % (head, event.body[1:]) if head else event.body
    if is_flat:
        return data
    return b'{"message_type": "%b", "timestamp": "%b", "data": %b}' % (event.name.encode(), event.timestamp.encode(), data)
