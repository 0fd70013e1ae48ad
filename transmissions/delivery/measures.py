"""Every metric of a server, once: what it is called, what it is, and what tells its series apart.

`totals` and `observed` export these and no others; dashboards and rules are made from them.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

_DURATIONS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30, 60, 300)
_USUAL: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class Measure(NamedTuple):
    """One metric. Labels have names of ours only: never a URL, a session or a name an app chose."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = _USUAL
    """Of a histogram. Seconds."""


ALIAS: Final = "riptide_"
"""Every metric is exported under a second name that begins so: dashboards that are in use ask for it."""

TTFB: Final = Measure("streaming_ttfb_duration_seconds", "histogram", "From a run's beginning to its first result.")
UTILIZATION: Final = Measure("streaming_buffer_utilization_ratio", "gauge", "How full the fullest buffer is.")
EVENTS: Final = Measure("streaming_events_total", "counter", "Events sent.", ("event", "protocol"))
BYTES: Final = Measure("streaming_bytes_total", "counter", "Bytes sent, before compression.", ("protocol",))
ACTIVE: Final = Measure("streaming_active_connections", "gauge", "Connections that are open.")
CONNECTIONS: Final = Measure("streaming_connections_total", "counter", "Connections there were.")
SENT: Final = Measure("streaming_messages_sent_total", "counter", "Events sent.")
DROPPED: Final = Measure("streaming_messages_dropped_total", "counter", "Events left out.")
LASTED: Final = Measure("streaming_connection_duration_seconds", "histogram", "How long connections lasted.", (), _DURATIONS)
STREAMS: Final = Measure("streaming_duration_seconds", "histogram", "The same, by how they ended.", ("status",), _DURATIONS)
LATENCY: Final = Measure("streaming_latency_seconds", "histogram", "How long sends took.", ("operation",))
ERRORS: Final = Measure("streaming_errors_total", "counter", "Errors told.", ("error_type",))
ERROR_RATE: Final = Measure("streaming_error_rate", "gauge", "Errors among the latest results and errors.")
MEMORY: Final = Measure("streaming_memory_usage_bytes", "gauge", "What waits for clients.")
SCORE: Final = Measure("streaming_health_score", "gauge", "From 0 to 100.")
CAPACITY: Final = Measure("streaming_capacity_ratio", "gauge", "Streams that are open, of those there may be.")
HTTP: Final = Measure(
    "http_request_duration_seconds", "histogram", "From a request to the beginning of its answer.", ("endpoint", "status")
)
GATE: Final = Measure("gate_decisions_total", "counter", "How pages were read: what runs told by events `gate`.", ("decision",))
HEADLESS: Final = "headless"
DECISIONS: Final = ("raw", "probes_first", HEADLESS, "cached")
"""What a gate may decide; anything else counts as `other`."""

MEASURES: Final = (
    *(TTFB, UTILIZATION, EVENTS, BYTES, ACTIVE, CONNECTIONS, SENT, DROPPED),
    *(LASTED, STREAMS, LATENCY, ERRORS, ERROR_RATE, MEMORY, SCORE, CAPACITY),
    *(HTTP, GATE),
)
