"""What was delivered in all, counted from what the lifecycle tells, and from nothing else."""

from __future__ import annotations

from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from . import lifecycle, measures
from .envelope import ESSENTIAL
from .tallies import Spread, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

_CATEGORIES: Final = frozenset({"connection", "timeout", "backpressure", "pipeline", "serialization"})
_LATEST: Final = 1000
"""Results and errors that make up the rate of errors."""
_HALF: Final = 60.0
"""Seconds after which each of them counts half, so that a server nobody asks any more because it does badly gets well again."""
_FEW: Final = 25
"""How many there are taken to be at least: one that failed on a server nobody else asks is no reason to ask it no more."""


class Protocol:
    """The figures of one protocol."""

    def __init__(self) -> None:
        self.connections = self.completed = self.reconnections = self.sent = self.dropped = 0

    def figures(self) -> dict[str, float]:
        """Return its ratios; 1 or 0 where there was nothing yet."""
        ended, offered = self.connections, self.sent + self.dropped
        return {
            "connections": self.connections,
            "delivery_ratio": self.sent / offered if offered else 1.0,
            "reconnection_rate": self.reconnections / ended if ended else 0.0,
            "health_ratio": self.completed / ended if ended else 1.0,
            "items_per_connection": self.sent / ended if ended else 0.0,
        }


class Totals:
    """Listens to a lifecycle. Labels are names of ours only: never a URL, a session or a name an app chose."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.protocols = {name: Protocol() for name in lifecycle.PROTOCOLS}
        self.opened = self.closed = self.sent = self.dropped = 0
        self.seconds = 0.0
        self._good = self._bad = 0.0
        self._faded = monotonic()
        self._ways: dict[type, Callable[[Any], None]] = {
            lifecycle.ConnectionEstablished: self._established,
            lifecycle.Sent: self._sent,
            lifecycle.Dropped: self._drop,
            lifecycle.FirstResult: lambda told: self._ttfb.observe(told.seconds),
            lifecycle.StreamError: self._error,
            lifecycle.StreamCompleted: lambda told: self._ended(told, "complete"),
            lifecycle.StreamTerminated: lambda told: self._ended(told, told.reason),
            lifecycle.ConnectionClosed: self._close,
            lifecycle.Answered: self._answered,
            lifecycle.GateDecided: self._decided,
        }
        self._began: dict[str, tuple[str, str]] = {}
        disable_created_metrics()  # type: ignore[no-untyped-call]  # When each series began is of no use, and doubles them.
        self._events = Tally(measures.EVENTS, registry)
        self._ttfb = _histogram(measures.TTFB, registry)
        self._lasted = _histogram(measures.LASTED, registry)
        self._streams = cache(_histogram(measures.STREAMS, registry).labels)
        self._errors = _counter(measures.ERRORS, registry)
        self._bytes = Tally(measures.BYTES, registry)
        for name in lifecycle.PROTOCOLS:
            self._bytes.add(0, name)  # so that it is there before the first
        self._http = cache(_histogram(measures.HTTP, registry).labels)
        self._gate = _counter(measures.GATE, registry)
        for decision in measures.DECISIONS:
            self._gate.labels(decision)
        self._send = Spread(measures.LATENCY, registry, "send")

    @property
    def error_rate(self) -> float:
        """The share of errors among the latest results and errors."""
        self._fade()
        return self._bad / max(self._good + self._bad, _FEW)

    @property
    def average_duration(self) -> float:
        """How long connections lasted, in seconds."""
        return self.seconds / self.closed if self.closed else 0.0

    def listen(self, told_by: lifecycle.Lifecycle) -> None:
        """Count what a lifecycle tells."""
        for kind, way in self._ways.items():
            told_by.listen(way, kind)

    def _established(self, told: lifecycle.ConnectionEstablished) -> None:
        self.opened += 1
        self.protocols[told.protocol].connections += 1
        self.protocols[told.protocol].reconnections += told.is_again
        self._began[told.connection_id] = (told.protocol, "")

    def _sent(self, told: lifecycle.Sent) -> None:
        self._send.add(told.seconds, told.sends)
        self._bytes.add(told.size, told.protocol)
        count = 0
        for name, number in told.names.items():
            self._events.add(number, name if name in ESSENTIAL else "other", told.protocol)
            count += number
        self.sent += count
        self.protocols[told.protocol].sent += count
        if told.names.get("result"):
            self._weigh(told.names["result"], 0)

    def _drop(self, told: lifecycle.Dropped) -> None:
        self.dropped += 1
        if told.protocol in self.protocols:
            self.protocols[told.protocol].dropped += 1

    def _error(self, told: lifecycle.StreamError) -> None:
        self._errors.labels(told.category if told.category in _CATEGORIES else "other").inc()
        self._weigh(0, 1)

    def _fade(self) -> None:
        now = monotonic()
        if (seconds := now - self._faded) >= 1:
            share = 0.5 ** (seconds / _HALF)
            self._good, self._bad, self._faded = self._good * share, self._bad * share, now

    def _weigh(self, good: int, bad: int) -> None:
        self._fade()
        self._good += good
        self._bad += bad
        if (number := self._good + self._bad) > _LATEST:  # What is long ago counts less and less.
            self._good *= _LATEST / 2 / number
            self._bad *= _LATEST / 2 / number

    def _ended(self, told: Any, status: str) -> None:
        protocol, _ = self._began[told.connection_id]
        self._began[told.connection_id] = (protocol, status)
        self.protocols[protocol].completed += status == "complete"
        if status == "slow":
            self._errors.labels("backpressure").inc()

    def _close(self, told: lifecycle.ConnectionClosed) -> None:
        _, status = self._began.pop(told.connection_id)
        self.closed += 1
        self.seconds += told.duration
        self._lasted.observe(told.duration)
        self._streams(status).observe(told.duration)

    def _answered(self, told: lifecycle.Answered) -> None:
        self._http(told.endpoint, str(told.status)).observe(told.seconds)

    def _decided(self, told: lifecycle.GateDecided) -> None:
        self._gate.labels(told.decision if told.decision in measures.DECISIONS else "other").inc()


def _counter(measure: measures.Measure, registry: CollectorRegistry) -> Counter:
    return Counter(measure.name, measure.about, measure.labels, registry=registry)


def _histogram(measure: measures.Measure, registry: CollectorRegistry) -> Histogram:
    return Histogram(measure.name, measure.about, measure.labels, registry=registry, buckets=measure.buckets)
