"""What clients get: events, their names, and how each protocol writes them.

An event is a JSON object with `event`, `timestamp` (RFC 3339, UTC) and, if it can be asked for again, `seq` (from 1, without
gaps). A run's events are in order: `metadata` first, then `progress`, `result`, `error` and `output` as things happen, and one
`summary` at the end, whose `status` says how it ended. A stream without a summary was cut off. `heartbeat`,
`backpressure_warning`, `system_status` and `reset` tell of the connection, have no `seq`, and may stand anywhere between.

Where an endpoint has no envelopes, what is sent is the bare record, and nothing stands for events that are none.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str)
_OPENING: Final = len('{"event": ""')


class Event(NamedTuple):
    """One event, encoded once for however many send it."""

    name: str
    seq: int
    """0 for one that is not kept."""
    body: bytes
    """The JSON object, without a line feed; empty where only bare records are sent and this is none."""
    timestamp: str

    def numbered(self, seq: int, *, bare: bool = False) -> Event:
        """Return the event with its number, and in its body too unless that is a bare record."""
        if bare:
            return Event(self.name, seq, self.body, self.timestamp)
        cut = _OPENING + len(self.name.encode())
        return Event(self.name, seq, b'%b, "seq": %d%b' % (self.body[:cut], seq, self.body[cut:]), self.timestamp)


def make(name: str, fields: Mapping[str, Any]) -> Event:
    """Return an event with its time.

    Raises:
        ValueError: JSON has no words for a field.

    """
    timestamp = now()
    return Event(name, 0, encode({"event": name, **fields, "timestamp": timestamp}), timestamp)


def make_bare(name: str, record: object) -> Event:
    """Return the bare record of an event; None says that there is none.

    Raises:
        ValueError: JSON has no words for it.

    """
    return Event(name, 0, b"" if record is None else encode(record), now())


def now() -> str:
    """Return the time as RFC 3339 has it, in UTC, to the millisecond."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def encode(value: object) -> bytes:
    """Return a value as one line of JSON; what JSON cannot say becomes text, and numbers that are none become null.

    Raises:
        ValueError: it is inside itself, nested too deep, or has keys that are none.

    """
    try:
        try:
            text = _ENCODER.encode(value)
        except ValueError:
            text = _ENCODER.encode(_finite(value))
    except RecursionError as error:
        raise ValueError("it is nested too deep, or inside itself") from error
    except TypeError as error:
        raise ValueError(str(error)) from error
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes \udc80, as JSON writes it


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


def as_message(event: Event, head: bytes = b"", *, bare: bool = False) -> bytes:
    """Return an event as a message of a WebSocket; `head` are JSON members that come first in its `data`."""
    if bare or not event.body:
        return event.body
    data = b"{%b, %b" % (head, event.body[1:]) if head else event.body
    return b'{"message_type": "%b", "timestamp": "%b", "data": %b}' % (event.name.encode(), event.timestamp.encode(), data)


def _finite(value: object) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key if not isinstance(key, float) else str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
