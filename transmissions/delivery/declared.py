"""What an app says in Turtle about the paths it is served at: `:endpoint [ :path … ; :method … ; :protocol … ]`."""

from __future__ import annotations

from typing import Annotated, Literal

from transmissions.settings import Pattern, Range, Unit

from .buffer import BufferLimits


class Endpoint(BufferLimits):
    """A path of `trans serve` at which the transmission runs, and how its final messages are sent."""

    path: Annotated[str, Pattern(r"(/([A-Za-z0-9._~-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))+")]
    "The path, such as `/stream/data`; a part `{name}` stands for anything, and fills the argument of that name."
    method: Literal["GET", "POST"] = "GET"
    "How it is asked for; the body of a POST is the first message."
    protocol: Literal["ndjson", "sse", "websocket", "json-array", "file"] = "ndjson"
    "What is sent; a `file` is one that a message names."
    envelope: bool = True
    "Whether results are sent in events; without, each message is sent as it is. An array or a file has none."
    counts: str = ""
    "A field of the body that is a list: how many there are is told with the first event, as `total_` and the field's name."
    profile: str = ""
    "What is not said here is taken from what `configs/profiles/NAME.ttl` says of `:Endpoint`."
    failure: str = "Stream failed"
    "What clients of bare messages are told of a run that failed; if empty, what went wrong."
    heartbeat: Annotated[int, Range(ge=100), Unit("ms")] = 30_000
    "After how long without a message a sign of life is sent."
    send_timeout: Annotated[int, Range(ge=100), Unit("ms")] = 5_000
    "How long a client may take nothing before it is cut off."
    longest: Annotated[int, Range(ge=1000), Unit("ms")] = 300_000
    "How long one connection may last."
    timeout: Annotated[int | None, Range(ge=1), Unit("ms")] = None
    "How long a run may take; what the server was told, if not said."
    grace: Annotated[int, Range(ge=0), Unit("ms")] = 30_000
    "How long a client that went away may take to come back before its run is ended."
    ring: Annotated[int, Range(ge=1)] = 128
    "How many events that were sent are kept in memory, for a client that comes back."
    replay: Annotated[int, Range(ge=0), Unit("bytes")] = 16 << 20
    "How much of what is older is kept in a file."
    streams: Annotated[int | None, Range(ge=1)] = None
    "How many runs of this endpoint there may be at once."
    folder: str = "data"
    "The folder of the app that a `file` is in; nothing beside it is ever sent."
    file_field: str = "file"
    "Dotted path of the file's name in the message, for a `file`."
