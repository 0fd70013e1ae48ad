"""`trans load`: many clients of a server at once, and what they see of its speed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from transmissions.errors import FAILED, OK, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from transmissions.client.loading import Figures, Load

HELP = "put load on a server, and measure it"
_PERCENT: Final = (50, 95, 99)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans load`."""
    from transmissions.commands.follow import add_connection
    from transmissions.commands.serve import count

    add = parser.add_argument
    add("url", metavar="URL", help="an app (…/apps/NAME), or any URL that streams")
    add("-c", "--clients", metavar="N", type=count, default=1, help="how many clients at once (default: 1)")
    add("--rate", metavar="N", type=_positive, help="how many of them begin in a second (default: all at once)")
    add("--duration", metavar="SECONDS", type=_positive, default=10.0, help="how long, at most (default: 10)")
    add("--runs", metavar="N", type=count, help="how many runs each client makes (default: as many as there is time for)")
    add("-m", "--message", metavar="JSON", default="{}", help="the first message of each run")
    add("--json", action="store_true", help="print the figures as JSON")
    add_connection(parser)


def _positive(word: str) -> float:
    from argparse import ArgumentTypeError

    try:
        number = float(word)
    except ValueError:
        number = 0
    if 0 < number < 1e9:  # noqa: PLR2004 - seconds: thirty years
        return number
    raise ArgumentTypeError(f"'{word}' is no number above 0")


def call(options: Namespace) -> int:
    """Put the load on, and print what was measured."""
    from transmissions.extras import require

    require("client", "trans load")
    from transmissions.client.loading import Figures, generate
    from transmissions.commands.follow import Left, until_left

    load, seen, code = _load(options), Figures(), None
    try:
        until_left(generate(load, seen))
    except Left as left:
        code = left.code
    figures = _told(load, seen)
    print(json.dumps(figures) if options.json else _table(figures))
    return code or (OK if figures["runs"] and not figures["errors"] else FAILED)


def _load(options: Namespace) -> Load:
    from transmissions.client.loading import LAST, Load
    from transmissions.commands.follow import message_of, protocol_in, split, token_of

    root, path = split(options.url)
    protocol = options.protocol or protocol_in(path)
    bare_app = path.startswith("/apps/") and path.count("/") == 2  # noqa: PLR2004 - /apps/NAME
    if bare_app:
        path = f"{path}/{LAST[protocol]}"
    if not path.strip("/"):
        raise UsageError(f"'{options.url}' is the whole server; name an app: {root}/apps/NAME")
    return Load(
        root + path,
        protocol,
        message_of(options),
        token_of(options),
        options.clients,
        options.rate,
        options.duration,
        options.runs,
    )


def _told(load: Load, seen: Figures) -> dict[str, Any]:
    """Return what was seen as JSON."""
    seconds = seen.seconds
    return {
        "clients": load.clients,
        "protocol": load.protocol,
        "seconds": round(seconds, 3),
        "runs": seen.runs,
        "unfinished": seen.unfinished,
        "errors": sum(seen.reasons.values()),
        "reasons": dict(seen.reasons.most_common(10)),
        "events": seen.events,
        "events_per_second": round(seen.events / max(seconds, 1e-9), 1),
        "bytes_per_second": round(seen.bytes / max(seconds, 1e-9), 1),
        "ttfb_ms": percentiles(seen.first),
        "latency_ms": percentiles(seen.latency),
    }


def percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    """Return what so many percent stay below, in milliseconds."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    at = {f"p{percent}": ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] for percent in (50, 95, 99)}
    return {name: round(value * 1000, 3) for name, value in {**at, "max": ordered[-1]}.items()}


def _table(figures: dict[str, Any]) -> str:
    lines = [
        f"clients      {figures['clients']}, {figures['protocol']}, {figures['seconds']:.2f} s",
        f"runs         {figures['runs']} to their end, {figures['unfinished']} cut short, {figures['errors']} failed",
        f"events       {figures['events']}, {figures['events_per_second']:.0f}/s, {figures['bytes_per_second'] / 1e6:.2f} MB/s",
        _percentiles("first byte", figures["ttfb_ms"]),
        _percentiles("latency", figures["latency_ms"]),
    ]
    reasons = [f"  {times} times: {reason}" for reason, times in figures["reasons"].items()]
    return "\n".join([*lines, *reasons])


def _percentiles(name: str, values: dict[str, float] | None) -> str:
    if not values:
        return f"{name:12} not measured"
    shown = "   ".join(f"p{percent} {values[f'p{percent}']:.1f}" for percent in _PERCENT)
    return f"{name:12} {shown}   max {values['max']:.1f} ms"
