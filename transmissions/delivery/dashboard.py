"""What is looked at in Grafana, made from the metrics there are."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from . import measures as of
from .health import DROPS, ERRORS

_TARGETS: Final = {"utilization": 0.7, "ttfb": 0.5}
"""What is wished for at most: the share of a buffer, and seconds."""
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH: Final = 24
_HEIGHT: Final = 8


class Panel(NamedTuple):
    """One picture. `shows` has pairs of an expression and what its series are called."""

    title: str
    unit: str
    shows: tuple[tuple[str, str], ...]
    marks: tuple[float, ...] = ()
    """From where on it is yellow, and from where red."""
    kind: str = "timeseries"
    width: int = 8


def _of(measure: of.Measure, suffix: str = "") -> str:
    return f'{measure.name}{suffix}{{instance=~"$instance"}}'


def _rate(measure: of.Measure, suffix: str = "") -> str:
    return f"rate({_of(measure, suffix)}[$__rate_interval])"


def _quantile(share: float, measure: of.Measure) -> str:
    return f"histogram_quantile({share:g}, sum by (le) ({_rate(measure, '_bucket')}))"


def _three(measure: of.Measure) -> tuple[tuple[str, str], ...]:
    return tuple((_quantile(share, measure), f"P{share * 100:g}") for share in (0.5, 0.95, 0.99))


_SENT: Final = f"sum({_rate(of.SENT)})"
_DROPPED: Final = f"sum({_rate(of.DROPPED)})"

PANELS: Final = (
    Panel("Active connections", "short", ((f"sum by (instance) ({_of(of.ACTIVE)})", "{{instance}}"),)),
    Panel("New connections", "short", ((f"sum(increase({_of(of.CONNECTIONS)}[$__rate_interval]))", "connections"),)),
    Panel(
        "Throughput",
        "short",
        (
            (f"sum by (protocol) ({_rate(of.EVENTS)})", "{{protocol}}: events/s"),
            (f"sum by (protocol) ({_rate(of.BYTES)}) / 1024", "{{protocol}}: KiB/s"),
        ),
    ),
    Panel("Delivered", "percentunit", ((f"{_SENT} / ({_SENT} + {_DROPPED})", "of all events"),)),
    Panel("Duration of connections", "s", _three(of.LASTED)),
    Panel("Errors", "percentunit", ((f"max by (instance) ({_of(of.ERROR_RATE)})", "{{instance}}"),), ERRORS),
    Panel("Waiting for clients", "bytes", ((f"sum by (instance) ({_of(of.MEMORY)})", "{{instance}}"),)),
    Panel(
        "Backpressure",
        "percentunit",
        (
            (f"avg_over_time({_of(of.UTILIZATION)}[$__rate_interval])", "{{instance}}: fullest buffer"),
            (f"{_DROPPED} / ({_SENT} + {_DROPPED})", "left out"),
        ),
        (DROPS[0], _TARGETS["utilization"]),
    ),
    Panel("To the first result", "s", _three(of.TTFB), (_TARGETS["ttfb"],)),
    Panel("Sends", "s", _three(of.LATENCY)),
    Panel(
        "Streams, of those there may be",
        "percentunit",
        ((f"max by (instance) ({_of(of.CAPACITY)})", "{{instance}}"),),
        (0.7, 0.9),
    ),
    Panel(
        "Ends and errors",
        "short",
        (
            (f"sum by (status) ({_rate(of.STREAMS, '_count')})", "{{status}}/s"),
            (f"sum by (error_type) ({_rate(of.ERRORS)})", "error: {{error_type}}/s"),
        ),
    ),
    Panel("Answers", "short", ((f"sum by (endpoint, status) ({_rate(of.HTTP, '_count')})", "{{endpoint}} {{status}}/s"),)),
    Panel("To the answer", "s", _three(of.HTTP), (_TARGETS["ttfb"],)),
    Panel("How pages are read", "short", ((f"sum by (decision) ({_rate(of.GATE)})", "{{decision}}/s"),)),
    Panel(
        "Health",
        "none",
        (
            (_of(of.SCORE), "score"),
            (_of(of.ACTIVE), "connections"),
            (_of(of.ERROR_RATE), "errors"),
            (_of(of.CAPACITY), "capacity"),
        ),
        kind="table",
        width=_WIDTH,
    ),
)


def dashboard() -> str:
    """Return the dashboard, as Grafana imports it."""
    told: dict[str, Any] = {
        "title": "Transmissions: streams",
        "uid": "transmissions-streams",
        "tags": ["transmissions"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_sources(), _instances()]},
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }
    return json.dumps(told, indent=1) + "\n"


def _sources() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _instances() -> dict[str, Any]:
    return {
        "name": "instance",
        "label": "Server",
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values({of.ACTIVE.name}, instance)",
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "refresh": 2,
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    a_row = _WIDTH // panel.width
    place = {"h": _HEIGHT, "w": panel.width, "x": number % a_row * panel.width, "y": number // (_WIDTH // 8) * _HEIGHT}
    told: dict[str, Any] = {
        "id": number + 1,
        "title": panel.title,
        "type": panel.kind,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "thresholds": _thresholds(panel.marks)}, "overrides": []},
        "targets": [_target(panel, number, *shown) for number, shown in enumerate(panel.shows)],
    }
    if panel.kind == "table":
        told["transformations"] = [{"id": "joinByField", "options": {"byField": "instance", "mode": "outer"}}]
    return told


def _target(panel: Panel, number: int, expression: str, name: str) -> dict[str, Any]:
    told = {"refId": "ABCDEFGH"[number], "datasource": _SOURCE, "expr": expression, "legendFormat": name}
    return told | ({"instant": True, "format": "table"} if panel.kind == "table" else {})


def _thresholds(marks: tuple[float, ...]) -> dict[str, Any]:
    colours = ("yellow", "red") if len(marks) > 1 else ("red",)
    steps = [{"color": colour, "value": mark} for colour, mark in zip(colours, marks, strict=False)]
    return {"mode": "absolute", "steps": [{"color": "green", "value": None}, *steps]}
