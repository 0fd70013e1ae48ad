"""A server described in Turtle: `trans serve --config server.ttl`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from .delivery.buffer import FOR_ALL
from .errors import ConfigError
from .settings import LessThanOrEquals, Pattern, Range, Record, Unit

if TYPE_CHECKING:
    from argparse import Namespace

    from .problem import Problem

_OTHERS: Final = {"app": "apps", "host": "host", "port": "port", "concurrent": "concurrent", "timeout": "timeout"}
_FILES: Final = ("output", "token_file", "target")
_BESIDE: Final = (
    "memory",
    "per_client",
    "sockets",
    "buffer_size",
    "buffer_most",
    "message_size",
    "ping",
    "rate_limit",
    "header",
)


class RateLimit(Record):
    """How often one address may ask."""

    rate: Annotated[float, Range(gt=0), Unit("requests/s")] = 10.0
    "How many requests of one address are taken in a second."
    burst: Annotated[int, Range(ge=1)] = 20
    "How many may come at once after a pause."
    action: Literal["error", "delay", "drop"] = "error"
    "What becomes of others: told when to come back (429), kept waiting while no more than `burst` do, or cut off."


class ServerSettings(Record):
    """What is served, where, and to whom."""

    app: tuple[str, ...] = ()
    "The apps, by name or folder; every app there is, if none is named."
    host: str = "127.0.0.1"
    "The address to listen at."
    port: Annotated[int, Range(ge=0, le=65535)] = 8080
    "The port; 0 takes a free one."
    concurrent: Annotated[int, Range(ge=1)] = 64
    "How many runs may be at work at once."
    per_client: Annotated[int | None, Range(ge=1)] = None
    "How many of one address; as many as there may be, if not said."
    sockets: Annotated[int | None, Range(ge=1)] = None
    "How many WebSockets of one address; the same."
    memory: Annotated[int, Range(ge=1), Unit("bytes")] = FOR_ALL
    "How much may wait for all clients together, shared alike by those that wait."
    buffer_size: Annotated[int, Range(ge=1), LessThanOrEquals("buffer_most")] = 256
    "How many events may wait for a client at first, where no endpoint of an app says otherwise."
    buffer_most: Annotated[int, Range(ge=1)] = 2048
    "How many that goes up to."
    message_size: Annotated[int, Range(ge=1024, le=1 << 24), Unit("bytes")] = 1 << 20
    "The largest message of a client that is taken from a WebSocket."
    ping: Annotated[int, Range(ge=1000), Unit("ms")] = 30_000
    "After how long a WebSocket is asked whether its client lives."
    header: Annotated[tuple[str, ...], Pattern(r"[A-Za-z0-9-]+: ?[!-~]([ -~]*[!-~])?")] = ()
    "A header of every answer, `Name: value`."
    rate_limit: RateLimit | None = None
    "How often one address may ask; as often as it likes, if not said."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 60_000
    "How long a run may take."
    profile: str = ""
    "What is not said here or in the apps is taken from `configs/profiles/NAME.ttl`."
    output: str = ""
    "The folder that holds the outputs; NAME-output of each app, if not said. It is beside this file, as those below."
    token_file: str = ""
    "The file that holds the token of clients."
    target: str = ""
    "A folder with `tt.ttl`, if it is one app."
    allow_host: tuple[str, ...] = ()
    "Names clients may call this server by."
    allow_origin: tuple[str, ...] = ()
    "Where pages may come from that call this server."


def read_server(path: Path) -> ServerSettings:
    """Read the one server that a file describes.

    Raises:
        ConfigError: it describes none, or several, or has errors; it holds all of them.

    """
    from .apart import in_child

    values, problems = in_child(partial(_examine, path))
    if values is None:
        raise ConfigError(problems)
    return ServerSettings.from_plan(values)


def _examine(path: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    from .server_file import examine_server  # in the child: a server does not carry with it what it needs

    return examine_server(path)


def configure(options: Namespace) -> None:
    """Complete the options of `trans serve`: what the command line does not say the environment, the file or a default does."""
    from .server_environment import with_environment

    path = Path(options.config) if options.config else None
    told = read_server(path) if path else ServerSettings(port=4500 if options.api else 8080)
    told = with_environment(told, os.environ)
    values: dict[str, Any] = {other: getattr(told, name) for name, other in _OTHERS.items()}
    values |= {name: getattr(told, name) for name in _BESIDE}
    values |= {"allow_host": list(told.allow_host), "allow_origin": list(told.allow_origin), "profile": told.profile or None}
    values |= {name: str(path.parent / getattr(told, name)) for name in _FILES if path and getattr(told, name)}
    values |= {"timeout": told.timeout / 1000, "apps": list(told.app)}
    if options.no_token:
        values.pop("token_file", None)
    for name, value in values.items():
        if getattr(options, name, None) in (None, []):
            setattr(options, name, value)
