"""The events of a run, typed. All that was sent is in `data`; a name that is not known here is an `Event`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `seq` is 0 for one that tells of the connection, and of a bare record where its protocol has no number."""

    name: str
    seq: int
    data: Mapping[str, Any]

    @property
    def timestamp(self) -> str:
        """When it happened: RFC 3339, UTC."""
        return str(self.data.get("timestamp", ""))


@dataclass(frozen=True, slots=True)
class Metadata(Event):
    """The first: who the run is."""

    @property
    def request_id(self) -> str:
        """The name of the run."""
        return str(self.data.get("request_id", ""))

    @property
    def session_id(self) -> str:
        """The session it belongs to."""
        return str(self.data.get("session_id", ""))


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far the run is."""

    @property
    def completed(self) -> int:
        """Results so far."""
        return int(self.data.get("completed") or 0)

    @property
    def total(self) -> int | None:
        """How many there will be, where that is known."""
        return self.data.get("total")


@dataclass(frozen=True, slots=True)
class Result(Event):
    """A final message of the run."""

    @property
    def index(self) -> int:
        """Its number, from 0."""
        return int(self.data.get("index") or 0)

    @property
    def result(self) -> Any:
        """The message."""
        return self.data.get("result")


@dataclass(frozen=True, slots=True)
class Failure(Event):
    """Something went wrong in the run, which may go on."""

    @property
    def error(self) -> Mapping[str, Any]:
        """What is told of it: type, category, message, retryable, error_code."""
        told = self.data.get("error")
        return told if isinstance(told, dict) else {"message": told or self.data.get("message")}

    @property
    def message(self) -> str:
        """The sentence."""
        return str(self.error.get("message") or "")


@dataclass(frozen=True, slots=True)
class Output(Event):
    """What the app prints."""

    @property
    def text(self) -> str:
        """As it is printed."""
        return str(self.data.get("text") or "")


@dataclass(frozen=True, slots=True)
class Summary(Event):
    """The last: what became of the run."""

    @property
    def status(self) -> str:
        """Complete, partial, cancelled or failed."""
        return str(self.data.get("status", ""))

    @property
    def successful(self) -> int:
        """How many results there were."""
        return int(self.data.get("successful") or 0)

    @property
    def failed(self) -> int:
        """How many errors there were."""
        return int(self.data.get("failed") or 0)


@dataclass(frozen=True, slots=True)
class Reset(Event):
    """The server does not have all that came behind the last event any more; it goes on with `first`."""

    @property
    def since(self) -> int:
        """The number of the last event that was asked for more of."""
        return int(self.data.get("since") or 0)

    @property
    def first(self) -> int:
        """The number of the event that comes next."""
        return int(self.data.get("first") or 1)


@dataclass(frozen=True, slots=True)
class Heartbeat(Event):
    """A sign that the connection lives."""


@dataclass(frozen=True, slots=True)
class SystemStatus(Event):
    """How the server is."""


@dataclass(frozen=True, slots=True)
class BackpressureWarning(Event):
    """The client is behind."""


@dataclass(frozen=True, slots=True)
class Record(Event):
    """What an endpoint sends that has no envelopes."""


KINDS: Final[Mapping[str, type[Event]]] = {
    "metadata": Metadata,
    "progress": Progress,
    "result": Result,
    "error": Failure,
    "output": Output,
    "summary": Summary,
    "reset": Reset,
    "heartbeat": Heartbeat,
    "ping": Heartbeat,
    "system_status": SystemStatus,
    "backpressure_warning": BackpressureWarning,
}


def read(data: Any, seq: int = 0, name: str = "") -> Event:
    """Return an event of what JSON was sent; one that does not say what it is is a bare record, and the protocol may."""
    if not isinstance(data, dict) or not isinstance(data.get("event"), str):
        return Record(name or "record", seq, data if isinstance(data, dict) else {"value": data})
    name = data["event"]
    number = data.get("seq")
    return KINDS.get(name, Event)(name, number if isinstance(number, int) else 0, data)
