"""What happens to connections and runs, told to whoever listens: counters, health, logs.

For each connection: established, then started, then progress any number of times, then completed or terminated, then closed,
and each of them but progress once. What is sent, and errors, are told in between. A listener that fails is logged, and the
stream goes on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions.errors import describe
from transmissions.supervisor import Raised, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .connection import Connection

_LOG: Final = logging.getLogger(__name__)
PROTOCOLS: Final = ("ndjson", "sse", "websocket")


class ConnectionEstablished(NamedTuple):
    """A client is there."""

    connection_id: str
    protocol: str
    is_again: bool = False
    """Whether it has events of the run already."""


class StreamStarted(NamedTuple):
    """It takes the events of a run."""

    connection_id: str
    request_id: str
    total_items: int | None


class ProgressUpdate(NamedTuple):
    """It was told how far the run is."""

    connection_id: str
    completed: int
    throughput: float


class Sent(NamedTuple):
    """Events went to it at once."""

    protocol: str
    seconds: float
    size: int
    names: Mapping[str, int]
    """How many of each event."""
    sends: int = 1
    """How many sends this tells of; `seconds` is the mean of them."""


class Dropped(NamedTuple):
    """An event that is not essential was left out."""

    request_id: str
    protocol: str


class FirstResult(NamedTuple):
    """A run had its first result."""

    request_id: str
    seconds: float


class StreamError(NamedTuple):
    """Something went wrong in a run; it was told once, whoever is told of it."""

    request_id: str
    category: str
    error: str
    recoverable: bool


class StreamCompleted(NamedTuple):
    """The client has everything, with the summary."""

    connection_id: str
    summary: Mapping[str, Any]


class StreamTerminated(NamedTuple):
    """The client has not got everything: replaced, expired, slow, gone, closed."""

    connection_id: str
    reason: str


class ConnectionClosed(NamedTuple):
    """It is gone."""

    connection_id: str
    protocol: str
    duration: float
    bytes_sent: int
    messages_sent: int


class Answered(NamedTuple):
    """The answer to a request began."""

    endpoint: str
    """The path as it is declared, such as `/runs/{id}`; `other` where nothing is."""
    status: int
    seconds: float


class GateDecided(NamedTuple):
    """A step of a run decided how a page is read."""

    decision: str


class Lifecycle:
    """The connections there are, and those who listen."""

    def __init__(self) -> None:
        self.connections: dict[str, Connection] = {}
        self.server_health: Callable[[], tuple[Mapping[str, Any], Mapping[str, Any]]] | None = None
        """What clients are told with each heartbeat: of the server, and of all its streams."""
        self._listeners: list[tuple[Callable[[object], object], tuple[type, ...]]] = []
        self._who_hear: dict[type, tuple[Callable[[object], object], ...]] = {}

    def listen(self, listener: Callable[[object], object], *kinds: type) -> None:
        """Call a listener with each event, or with those of some kinds."""
        self._listeners.append((listener, kinds))
        self._who_hear.clear()

    def who_hear(self, kind: type) -> tuple[Callable[[object], object], ...]:
        """Return those who listen to a kind of event: where nobody does it need not be made."""
        found = self._who_hear.get(kind)
        if found is None:
            found = tuple(listener for listener, kinds in self._listeners if not kinds or kind in kinds)
            self._who_hear[kind] = found
        return found

    def tell(self, event: object) -> None:
        """Tell everybody."""
        for listener in self.who_hear(type(event)):
            told = attempt(listener, event)
            if isinstance(told, Raised):
                _LOG.warning("a listener to deliveries failed: %s", describe(told.error))

    def settle(self) -> None:
        """Have everything told that was sent by now: connections tell of single results some at a time."""
        for connection in self.connections.values():
            connection.sends.settle()

    def opened(self, connection: Connection, *, is_again: bool = False) -> None:
        """Know a connection."""
        self.connections[connection.id] = connection
        self.tell(ConnectionEstablished(connection.id, connection.protocol, is_again))
        self.tell(StreamStarted(connection.id, connection.live.name, connection.live.counts.total))

    def closed(self, connection: Connection) -> None:
        """Forget a connection; a second time is none."""
        if self.connections.pop(connection.id, None) is None:
            return
        if connection.ended == "complete":
            self.tell(StreamCompleted(connection.id, connection.live.summary))
        else:
            self.tell(StreamTerminated(connection.id, connection.ended))
        sends = connection.sends
        self.tell(ConnectionClosed(connection.id, connection.protocol, connection.seconds, sends.bytes, sends.messages))
