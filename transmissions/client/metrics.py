"""What a client measures of a run, and when it should worry."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from .events import BackpressureWarning, Event, Failure
from .numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping

WARNING: Final = 0.8
CRITICAL: Final = 0.95
_SLOW: Final = 5.0
_GAPS: Final = 10


class Alert(NamedTuple):
    """The buffer at the server is nearly full, or events come slowly."""

    level: Literal["warning", "critical", "slow"]
    info: Mapping[str, Any]


class BackpressureDetector:
    """Looks at the latest 100 arrivals and at what the server says of its buffer."""

    def __init__(self) -> None:
        self.arrivals: deque[float] = deque(maxlen=100)

    def record(self, event: Event, now: float) -> list[Alert]:
        """Return what there is to worry about. `now` is in seconds, on any clock that only goes forward."""
        self.arrivals.append(now)
        usage = usage_of(event)
        found = []
        if usage is not None and usage > WARNING:
            found.append(Alert("critical" if usage > CRITICAL else "warning", event.data["buffer_info"]))
        if len(self.arrivals) > _GAPS:
            gap = (now - self.arrivals[-1 - _GAPS]) / _GAPS
            if gap > _SLOW:
                found.append(Alert("slow", {"avg_interval_ms": gap * 1000}))
        return found


@dataclass
class StreamMetrics:
    """Counts of one run, or of several."""

    total_events: int = 0
    dropped_events: int = 0
    """Events whose handler failed."""
    parse_errors: int = 0
    avg_processing_time_ms: float = 0.0
    backpressure_warnings: int = 0
    errors: int = 0
    reconnects: int = 0
    duplicates: int = 0
    """Events that came again, and were passed over."""
    resets: int = 0
    ttfb_ms: float | None = None
    """From the beginning to the first event."""
    buffer_utilization_history: deque[float] = field(default_factory=lambda: deque(maxlen=100))
    event_rates: deque[float] = field(default_factory=lambda: deque(maxlen=50))
    events_by_type: Counter[str] = field(default_factory=Counter)
    start_time: float = field(default_factory=time.time)

    def record(self, event: Event, now: float) -> None:
        """Count an event that came. `now` is in seconds."""
        self.events_by_type[event.name] += 1
        self.errors += isinstance(event, Failure)
        self.backpressure_warnings += isinstance(event, BackpressureWarning)
        self.event_rates.append(now)
        usage = usage_of(event)
        if usage is not None:
            self.buffer_utilization_history.append(usage)
            self.backpressure_warnings += usage > WARNING

    def update_processing_time(self, milliseconds: float) -> None:
        """Count an event that was dealt with."""
        self.total_events += 1
        self.avg_processing_time_ms += (milliseconds - self.avg_processing_time_ms) / self.total_events

    def get_events_per_second(self) -> float:
        """Return the rate of the latest 50 events."""
        if len(self.event_rates) < 2:  # noqa: PLR2004 - one has no distance
            return 0.0
        span = self.event_rates[-1] - self.event_rates[0]
        return (len(self.event_rates) - 1) / span if span > 0 else 0.0

    @property
    def error_rate(self) -> float:
        """The share of events that tell of an error."""
        return self.errors / self.total_events if self.total_events else 0.0

    @property
    def buffer_stats(self) -> dict[str, float]:
        """How full the buffer at the server was, of what it said of it lately."""
        history = self.buffer_utilization_history
        average = sum(history) / len(history) if history else 0.0
        return {"max_usage": max(history, default=0.0), "avg_usage": average, "flushes": len(history)}

    def reset(self) -> None:
        """Begin anew."""
        self.__dict__.update(StreamMetrics().__dict__)


def usage_of(event: Event) -> float | None:
    """Return how full the buffer is that an event tells of, from 0 to 1."""
    info = event.data.get("buffer_info")
    if not isinstance(info, dict):
        return None
    return number(info, "used" if "used" in info else "current_size") / max(number(info, "capacity"), 1)
