"""What a request asks for: its headers with their ranges, the place it wants to go on from, and how it may be answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions.near import suggestion
from transmissions.settings import values_of

from .budget import Budget
from .errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .buffer import BufferLimits

_TRUE: Final = {"true": True, "1": True, "false": False, "0": False}


class _Header(NamedTuple):
    """A number a client may ask for."""

    field: str
    low: int
    high: int


HEADERS: Final = {
    "x-buffer-size": _Header("initial", 64, 2048),
    "x-buffer-timeout": _Header("", 100, 10000),
    "x-slow-client-threshold": _Header("slow_send", 50, 1000),
    "x-max-memory-per-connection": _Header("memory", 4096, 262144),
    "x-max-duration": _Header("milliseconds", 100, 86_400_000),
    "x-max-bytes": _Header("size", 1, 1 << 50),
}
"""What each sets of the buffer or the budget, and its range. The time-out bounds how long events that are not essential wait:
here none waits."""
PRESETS: Final[dict[str, dict[str, str]]] = {
    "high": {"x-buffer-size": "2048", "x-max-memory-per-connection": "131072"},
    "low": {"x-buffer-size": "256", "x-max-memory-per-connection": "32768"},
    "constrained": {"x-buffer-size": "64", "x-max-memory-per-connection": "16384"},
}
"""Headers by the name of what is wanted, for a client that can send none: high throughput, low latency, little memory."""


class Asked(NamedTuple):
    """What was asked for beyond the body."""

    buffer: BufferLimits
    budget: Budget
    may_drop: bool
    warnings: list[str]


def read_headers(headers: Mapping[str, str], query: Mapping[str, str], buffer: BufferLimits) -> Asked:
    """Return what headers ask for, over the preset that the query names, over the buffer an endpoint has.

    With `lenient=1` in the query the nearest value that is allowed is taken.

    Raises:
        InvalidRequest: a value is out of range; it says which, and what the range is.

    """
    faults: list[dict[str, Any]] = []
    given = {**_preset(query.get("preset", "")), **dict(headers.items())}
    asked = {name: given[name] for name in HEADERS if name in given}
    numbers = {HEADERS[name].field: _within(name, text, faults) for name, text in asked.items()}
    may_drop = _flag(headers.get("x-enable-backpressure"), faults)
    if faults and query.get("lenient") not in {"1", "true"}:
        first = faults[0]
        said = f"{first['name']}: '{first['value']}' is not from {first['minimum']} to {first['maximum']}"
        raise InvalidRequest(said, fields=faults)
    budget = Budget(numbers.get("milliseconds"), numbers.get("size"))
    return Asked(_resized(buffer, numbers), budget, may_drop, [f"{one['name']} was taken to its range" for one in faults])


def _preset(name: str) -> Mapping[str, str]:
    if name and name not in PRESETS:
        raise InvalidRequest(f"preset: '{name[:64]}' is none of {', '.join(PRESETS)}{suggestion(name[:64], PRESETS)}")
    return PRESETS.get(name, {})


def _within(name: str, text: str, faults: list[dict[str, Any]]) -> int:
    rule, number = HEADERS[name], _number(text)
    if number is not None and rule.low <= number <= rule.high:
        return number
    faults.append({"name": name, "value": text[:64], "minimum": rule.low, "maximum": rule.high})
    return rule.low if number is None else min(max(number, rule.low), rule.high)


def _resized(buffer: BufferLimits, numbers: Mapping[str, int]) -> BufferLimits:
    if not numbers:
        return buffer
    values = values_of(buffer)
    values |= {name: number for name, number in numbers.items() if name in values}
    values["minimum"] = min(values["minimum"], values["initial"])
    values["maximum"] = max(values["maximum"], values["initial"])
    return type(buffer)(**values)


UNKNOWN: Final = -1
"""Stands for a number that no event of this server has: everything is sent, behind a `reset`."""


def read_since(last_event_id: str | None, since: str | None) -> int:
    """Return the number of the last event a client has; 0 if it has none.

    A browser sends the last id it saw by itself, whosever that was: one that is no number is one we do not know.

    Raises:
        InvalidRequest: what was asked for is no number.

    """
    if last_event_id:
        number = _number(last_event_id)
        return UNKNOWN if number is None else number
    number = _number(since) if since else 0
    if number is None:
        raise InvalidRequest(f"since: '{(since or '')[:64]}' is no number of an event")
    return number


def read_compat(asked: str | None) -> bool:
    """Return whether events are to be written as older clients read them.

    Raises:
        InvalidRequest: there is no such way.

    """
    if asked not in {None, "v1"}:
        raise InvalidRequest(f"compat: '{(asked or '')[:64]}' is not 'v1'")
    return asked == "v1"


def is_name(text: str) -> bool:
    """Whether a text can be the name of a request."""
    return re.fullmatch(r"[A-Za-z0-9._~-]{1,128}", text) is not None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004 - digits of 64 bits


def _flag(text: str | None, faults: list[dict[str, Any]]) -> bool:
    if text is None:
        return True
    value = _TRUE.get(text.strip().lower())
    if value is None:
        faults.append({"name": "x-enable-backpressure", "value": text[:64], "minimum": 0, "maximum": 1})
    return value is not False
