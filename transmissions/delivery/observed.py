"""What is told of a server's streams: `/metrics` for Prometheus, `/health/streaming`, and what goes with heartbeats."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from starlette.responses import Response

from . import measures
from .health import GlobalStreamingMetrics
from .replies import json_reply
from .totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from .hub import Hub

_LATER: Final = 30
"""Seconds after which it is worth asking again whether a server is well."""


class Observed:
    """The figures of one server."""

    def __init__(self, hub: Hub) -> None:
        registry = CollectorRegistry()
        self.totals = Totals(registry)
        self._registry = registry
        self._aliases = CollectorRegistry()
        self._hub = hub
        self._began = time.monotonic()
        self._seen = (self._began, 0, 0.0)
        registry.register(_Gauges(self))
        self._aliases.register(_Aliases(registry))
        self.totals.listen(hub.lifecycle)
        hub.lifecycle.server_health = self._told

    def figures(self) -> GlobalStreamingMetrics:
        """Return how all streams do."""
        totals = self.totals
        return GlobalStreamingMetrics(
            active_connections=len(self._hub.lifecycle.connections),
            total_connections=totals.opened,
            total_messages_sent=totals.sent,
            total_messages_dropped=totals.dropped,
            average_connection_duration_ms=round(totals.average_duration * 1000, 3),
            memory_usage_bytes=self._hub.waiting_bytes,
            error_rate=round(totals.error_rate, 6),
            capacity_used=self._hub.fullness,
            is_ending=self._hub.is_draining,
        )

    @property
    def fullest(self) -> float:
        """How full the fullest buffer is, from 0 to 1."""
        return max((live.log.utilization for live in self._hub.runs.values()), default=0.0)

    @property
    def throughput(self) -> float:
        """Events sent for each second, since it was asked last and at least a second ago."""
        began, sent, rate = self._seen
        now = time.monotonic()
        if now - began >= 1:
            rate = (self.totals.sent - sent) / (now - began)
            self._seen = (now, self.totals.sent, rate)
        return round(rate, 2)

    async def metrics(self, _: Request) -> Response:
        """Answer a scrape."""
        self._hub.lifecycle.settle()
        text = generate_latest(self._registry) + generate_latest(self._aliases)
        return Response(text, headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_LATEST)

    async def health(self, _: Request) -> Response:
        """Say how the streams do."""
        self._hub.lifecycle.settle()
        figures = self.figures()
        said = {
            **self._streams(figures),
            "ready": figures.is_ready,
            "efficiency": round(figures.efficiency, 4),
            "metrics": figures._asdict() | {"health_status": figures.health_status},
            "protocols": {name: one.figures() for name, one in self.totals.protocols.items()},
        }
        if figures.is_operational:
            return json_reply(said)
        return json_reply(said, 503, {"Retry-After": str(_LATER)})

    def _told(self) -> tuple[dict[str, Any], dict[str, Any]]:
        figures = self.figures()
        server = {
            "status": figures.health_status,
            "active_connections": figures.active_connections,
            "system_load": round(os.getloadavg()[0], 2),
            "memory_usage_mb": _memory(),
            "uptime_seconds": round(time.monotonic() - self._began, 1),
        }
        return server, self._streams(figures)

    def _streams(self, figures: GlobalStreamingMetrics) -> dict[str, Any]:
        return {
            "streaming_health": {"status": figures.health_status, "score": figures.score, "issues": figures.issues},
            "global_metrics": {
                "active_streams": self._hub.streams,
                "total_throughput_events_per_sec": self.throughput,
                "global_error_rate": figures.error_rate,
                "avg_connection_duration_seconds": round(figures.average_connection_duration_ms / 1000, 3),
            },
        }


class _Gauges:
    """What is looked up when it is asked for."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        figures = self._observed.figures()
        gauges = {
            measures.UTILIZATION: self._observed.fullest,
            measures.ACTIVE: figures.active_connections,
            measures.ERROR_RATE: figures.error_rate,
            measures.MEMORY: figures.memory_usage_bytes,
            measures.SCORE: figures.score,
            measures.CAPACITY: figures.capacity_used,
        }
        for measure, value in gauges.items():
            yield GaugeMetricFamily(measure.name, measure.about, value)
        counters = {
            measures.CONNECTIONS: figures.total_connections,
            measures.SENT: figures.total_messages_sent,
            measures.DROPPED: figures.total_messages_dropped,
        }
        for measure, value in counters.items():
            yield CounterMetricFamily(measure.name, measure.about, value)


class _Aliases:
    """The same metrics under their other names."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        for metric in self._registry.collect():
            alias = Metric(measures.ALIAS + metric.name, metric.documentation, metric.type)
            for sample in metric.samples:
                alias.samples.append(sample._replace(name=measures.ALIAS + sample.name))
            yield alias
        total = self._named("streaming_connections")
        yield GaugeMetricFamily(f"{measures.ALIAS}streaming_total_connections", "Connections there were.", total)

    def _named(self, name: str) -> float:
        return next(metric.samples[0].value for metric in self._registry.collect() if metric.name == name)


def _memory() -> float:
    """Return the memory this process holds, in MiB; 0 where it is not known."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - as plain as it can be
            return round(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    except OSError:
        return 0.0
