"""Reports of what a run counts: JSON lines, Prometheus text, or the log, every so often and once at the end.

Names of buffers' figures are the seed's, in bytes, milliseconds and percent; Prometheus gets seconds and ratios, as is its
custom.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from .errors import cannot_write
from .settings import Range, Record, Unit
from .standard_output import write_out
from .whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .state import RunState

_LOG = logging.getLogger("transmissions.metrics")


class MetricsSettings(Record):
    """Where the figures of a run are reported."""

    to: str = "-"
    "A file, relative to the output folder, or `-` for standard output."
    format: Literal["json", "prometheus", "log"] = "json"
    "One JSON object a line, a Prometheus text file that is replaced each time, or the log."
    interval: Annotated[int, Range(ge=10), Unit("ms")] = 5000
    "How often to report; there is a last report in any case."


class Reporter:
    """Reports the figures of one run to one place."""

    def __init__(self, settings: MetricsSettings, state: RunState) -> None:
        self.settings = settings
        self._state = state
        self._path = None if settings.to == "-" else Path(state.folders.output, settings.to)

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await asyncio.sleep(self.settings.interval / 1000)
            self.report(final=False)

    def report(self, *, final: bool) -> None:
        """Report once.

        Raises:
            OutputError: the file cannot be written.

        """
        figures = {"event": "metrics", "time": time.time(), "final": final, **self._state.snapshot()}
        self._state.emit("metrics", figures)
        try:
            self._write(figures)
        except OSError as error:
            if self._path is None:
                raise
            raise cannot_write(self._path, error) from error

    def _write(self, figures: dict[str, Any]) -> None:
        if self.settings.format == "log":
            _LOG.info("metrics", extra=figures)
        elif self._path is None:
            write_out(self._text(figures))
        elif self.settings.format == "json":
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(self._text(figures))
        else:
            write_whole(self._path, self._text(figures).encode())

    def _text(self, figures: dict[str, Any]) -> str:
        return json.dumps(figures) + "\n" if self.settings.format == "json" else prometheus(figures)


_NODE_METRICS: Final = (
    ("received", "transmissions_messages_received_total", "counter", "Messages that came to a node."),
    ("sent", "transmissions_messages_sent_total", "counter", "Messages that left a node."),
    ("dropped", "transmissions_messages_dropped_total", "counter", "Messages a processor let go on purpose."),
    ("failed", "transmissions_messages_failed_total", "counter", "Messages that failed for good."),
    ("retried", "transmissions_retries_total", "counter", "Attempts that were repeated."),
    ("skipped", "transmissions_messages_skipped_total", "counter", "Failures and inputs that were passed over."),
    ("dead", "transmissions_dead_letters_total", "counter", "Dead letters."),
    ("busy", "transmissions_busy_seconds_total", "counter", "Seconds spent in a node."),
)
_BUFFER_METRICS: Final = (
    ("currentItems", 1, "transmissions_buffer_messages", "gauge", "Messages that wait."),
    ("total", 1, "transmissions_buffer_messages_total", "counter", "Messages that came."),
    ("backpressureEvents", 1, "transmissions_buffer_waits_total", "counter", "How often a writer had to wait."),
    ("currentBufferSize", 1, "transmissions_buffer_bytes", "gauge", "Bytes that wait."),
    ("maxBufferUsage", 1, "transmissions_buffer_peak_bytes", "gauge", "The most bytes that waited."),
    ("pauseCount", 1, "transmissions_buffer_pauses_total", "counter", "How often the high mark was reached."),
    ("resumeCount", 1, "transmissions_buffer_resumes_total", "counter", "How often the low mark was reached after it."),
    ("overflowEvents", 1, "transmissions_buffer_overflows_total", "counter", "Messages that found no room."),
    ("dropped", 1, "transmissions_buffer_dropped_total", "counter", "Messages an overflow dropped."),
    ("totalPauseDuration", 0.001, "transmissions_buffer_paused_seconds_total", "counter", "Seconds on pause."),
    ("bufferUtilization", 0.01, "transmissions_buffer_utilization_ratio", "gauge", "The share of the bytes in use."),
)


def prometheus(figures: dict[str, Any]) -> str:
    """Return a snapshot in the Prometheus text format."""
    return "".join([*_node_lines(figures["nodes"]), *_buffer_lines(figures["buffers"])])


def _node_lines(nodes: dict[str, dict[str, Any]]) -> Iterator[str]:
    for key, name, kind, text in _NODE_METRICS:
        yield _head(name, kind, text)
        yield from (f'{name}{{node="{_escaped(path)}"}} {figures[key]}\n' for path, figures in nodes.items())
    name = "transmissions_latency_seconds"
    yield _head(name, "summary", "Seconds a message took, of a sample.")
    for path, figures in nodes.items():
        for share, seconds in figures["latency"].items():
            if seconds is not None:
                yield f'{name}{{node="{_escaped(path)}",quantile="0.{share[1:].rstrip("0")}"}} {seconds}\n'


def _buffer_lines(buffers: dict[str, dict[str, Any]]) -> Iterator[str]:
    for key, unit, name, kind, text in _BUFFER_METRICS:
        having = {path: figures[key] for path, figures in buffers.items() if key in figures}
        if having:
            yield _head(name, kind, text)
        yield from (f'{name}{{buffer="{_escaped(path)}"}} {value * unit}\n' for path, value in having.items())


def _head(name: str, kind: str, text: str) -> str:
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
