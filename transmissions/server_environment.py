"""What the environment says of a server: containers are told their limits by it. It wins over the server's file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .errors import ConfigError
from .problem import Problem, Span
from .server_settings import RateLimit, ServerSettings
from .settings import Range, setting_types, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .settings import Settings

_PLACE: Final = "environment"
_NUMBER: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class _Variable(NamedTuple):
    """What a variable sets, of which record, and in how many of its units one of the variable's is."""

    field: str
    of: type[Settings] = ServerSettings
    units: int = 1
    is_whole: bool = True


_VARIABLES: Final = {
    "STREAM_BUFFER_SIZE": _Variable("buffer_size"),
    "STREAM_BUFFER_MAX_SIZE": _Variable("buffer_most"),
    "WS_MAX_MESSAGE_SIZE": _Variable("message_size"),
    "WS_PING_INTERVAL": _Variable("ping", units=1000, is_whole=False),
    "STREAM_MAX_CONCURRENT": _Variable("concurrent"),
    "STREAM_DEFAULT_TIMEOUT": _Variable("timeout", units=1000, is_whole=False),
    "STREAM_RATE_LIMIT_RPS": _Variable("rate", RateLimit, is_whole=False),
}
_LIMITED: Final = "STREAM_RATE_LIMIT_ENABLED"


def with_environment(told: ServerSettings, environment: Mapping[str, str]) -> ServerSettings:
    """Return a server's settings with what the environment says in their place. Times are in seconds there.

    Raises:
        ConfigError: a value is none; it holds all of them.

    """
    problems: list[Problem] = []
    said = {name: environment[name].strip() for name in (*_VARIABLES, _LIMITED) if environment.get(name, "").strip()}
    if not said:
        return told
    numbers = {name: _number(name, text, problems) for name, text in said.items() if name != _LIMITED}
    values = values_of(told)
    rate = numbers.pop("STREAM_RATE_LIMIT_RPS", None)
    values |= {_VARIABLES[name].field: number for name, number in numbers.items()}
    values["rate_limit"] = _limit(told.rate_limit, said.get(_LIMITED), rate, problems)
    if not problems and values["buffer_size"] > values["buffer_most"]:
        named = next(name for name in ("STREAM_BUFFER_SIZE", "STREAM_BUFFER_MAX_SIZE") if name in said)
        sentence = f"a buffer of {values['buffer_size']} events cannot grow to {values['buffer_most']}"
        problems.append(_problem(named, said[named], sentence))
    if problems:
        raise ConfigError(problems)
    return ServerSettings(**values)


def _limit(told: RateLimit | None, flag: str | None, rate: Any, problems: list[Problem]) -> RateLimit | None:
    is_on = told is not None or rate is not None
    if flag is not None:
        found = _FLAGS.get(flag.lower())
        if found is None:
            problems.append(_problem(_LIMITED, flag, f"{_LIMITED} is true or false, not '{flag[:64]}'"))
        is_on = found is not False
    if not is_on:
        return None
    base = told or RateLimit()
    return RateLimit(rate=rate or base.rate, burst=base.burst, action=base.action)


def _number(name: str, text: str, problems: list[Problem]) -> int | float | None:
    variable = _VARIABLES[name]
    bounds = next(one for one in setting_types(variable.of)[variable.field].__metadata__ if isinstance(one, Range))
    number = float(text) * variable.units if _NUMBER.fullmatch(text) else None
    if number is not None and not (variable.is_whole and "." in text) and _is_within(number, bounds):
        return number if variable.of is RateLimit else round(number)
    kind = "whole number" if variable.is_whole else "number"
    problems.append(_problem(name, text, f"{name} is a {kind} {_in_words(bounds, variable.units)}, not '{text[:64]}'"))
    return None


def _is_within(number: float, bounds: Range) -> bool:
    too_small = bounds.ge is not None and number < bounds.ge
    return not (too_small or (bounds.gt is not None and number <= bounds.gt) or (bounds.le is not None and number > bounds.le))


def _in_words(bounds: Range, units: int) -> str:
    if bounds.gt is not None:
        return f"above {bounds.gt:g}"
    most = "on" if bounds.le is None else f"to {bounds.le / units:.15g}"
    return f"from {(bounds.ge or 0) / units:.15g} {most}"


def _problem(name: str, text: str, sentence: str) -> Problem:
    return Problem("error", "environment", sentence, Span(_PLACE, 1, len(name) + 2, max(1, len(text)), f"{name}={text}"))
