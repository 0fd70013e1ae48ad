"""What clients get: events, their names, and how each protocol writes them.

An event is a JSON object with `event`, `timestamp` (RFC 3339, UTC) and, if it can be asked for again, `seq` (from 1). A run's
events are in order: `metadata` first, then `progress`, `result` and `error` as things happen, and one `summary` at the end,
whose `status` says how it ended. A stream without a summary was cut off. `heartbeat`, `backpressure_warning` and
`system_status` tell of the connection, have no `seq`, and may stand anywhere between.
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
    "progress": False,
    "heartbeat": False,
    "backpressure_warning": False,
    "system_status": False,
}
"""Every event, and whether it is delivered whatever happens. An app's own events are."""
LAST: Final = "summary"


class Event(NamedTuple):
    """One event, encoded once for however many send it."""

    name: str
    seq: int
    """0 for one that is not kept."""
    body: bytes
    """The JSON object, without a line feed."""
    timestamp: str
    bare: bytes = b""
    """What an endpoint without envelopes sends instead; nothing if empty."""

    @property
    def is_essential(self) -> bool:
        """Whether it may not be dropped."""
        return ESSENTIAL.get(self.name, True)


def make(name: str, fields: Mapping[str, Any], seq: int = 0, bare: object = None) -> Event:
    """Return an event with its time; what JSON cannot say becomes text, and numbers that are none become null."""
    timestamp = now()
    head: dict[str, Any] = {"event": name, "seq": seq} if seq else {"event": name}
    return Event(
        name, seq, encode({**head, **fields, "timestamp": timestamp}), timestamp, b"" if bare is None else encode(bare)
    )


def now() -> str:
    """Return the time as RFC 3339 has it, in UTC, to the millisecond."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(value: object) -> bytes:
    """Return a value as one line of JSON.

    Raises:
        ValueError: it is inside itself, or nested too deep.

    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=str)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes \udc80, as JSON writes it


def as_line(event: Event, *, bare: bool = False) -> bytes:
    """Return an event as a line of NDJSON; nothing where there is no bare record."""
    body = event.bare if bare else event.body
    return body + b"\n" if body else b""


def as_sse(event: Event, *, bare: bool = False) -> bytes:
    """Return an event as a frame of Server-Sent Events, with an `id` if it can be asked for again."""
    if bare:
        return b"data: " + event.bare + b"\n\n" if event.bare else b""
    identifier = b"id: %d\n" % event.seq if event.seq else b""
    return b"event: " + event.name.encode() + b"\n" + identifier + b"data: " + event.body + b"\n\n"


def as_message(event: Event, *, bare: bool = False) -> bytes:
    """Return an event as a message of a WebSocket, with a line feed that parts it from the next and is not sent."""
    if bare:
        return event.bare + b"\n" if event.bare else b""
    head = b'{"message_type": "' + event.name.encode() + b'", "timestamp": "' + event.timestamp.encode() + b'", "data": '
    return head + event.body + b"}\n"


def _finite(value: object) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
