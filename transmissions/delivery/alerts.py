"""When somebody is to be told that streams do badly: rules of Prometheus, made from the metrics there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from . import measures as of
from .dashboard import dashboard
from .health import DROPS, ERRORS

if TYPE_CHECKING:
    from pathlib import Path

_NOTE: Final = "# Made from the metrics of the server by `trans shapes --write`; what is changed here is lost.\n"


class Alert(NamedTuple):
    """One rule."""

    name: str
    expression: str
    lasts: str
    """How long it has to be so."""
    severity: str
    says: str


def _rate(measure: of.Measure, suffix: str = "", by: str = "instance", where: str = "") -> str:
    return f"sum by ({by}) (rate({measure.name}{suffix}{where}[5m]))"


# The share of all events there were. The state of health has the share of those sent, which grows beyond 1.
_LEFT_OUT: Final = f"{_rate(of.DROPPED)} / ({_rate(of.SENT)} + {_rate(of.DROPPED)})"
_LONG: Final = f"histogram_quantile(0.99, {_rate(of.LASTED, '_bucket', 'instance, le')})"
_LATE: Final = f"histogram_quantile(0.95, {_rate(of.HTTP, '_bucket', 'instance, le')})"
_FAULT: Final = '{status=~"5.."}'
_HEADLESS: Final = f'{{decision="{of.HEADLESS}"}}'
_FAULTS: Final = f"{_rate(of.HTTP, '_count', where=_FAULT)} / {_rate(of.HTTP, '_count')}"
_RENDERED: Final = f"{_rate(of.GATE, where=_HEADLESS)} / {_rate(of.GATE)}"
_SLOW: Final = f"histogram_quantile(0.95, {_rate(of.TTFB, '_bucket', 'instance, le')})"

ALERTS: Final = (
    Alert(
        "StreamErrors",
        f"{of.ERROR_RATE.name} > {ERRORS[0]:g}",
        "10m",
        "warning",
        "more than 5 % of the latest results are errors",
    ),
    Alert(
        "StreamErrorsMany",
        f"{of.ERROR_RATE.name} > {ERRORS[1]:g}",
        "5m",
        "critical",
        "more than 10 % of the latest results are errors",
    ),
    Alert("StreamDrops", f"{_LEFT_OUT} > {DROPS[0]:g}", "10m", "warning", "more than 10 % of events are left out"),
    Alert("StreamDropsMany", f"{_LEFT_OUT} > {DROPS[1]:g}", "5m", "critical", "more than 20 % of events are left out"),
    Alert("StreamDropsGoOn", f"{_rate(of.DROPPED)} * 60 > 5", "10m", "warning", "more than 5 events a minute are left out"),
    Alert("StreamMemory", f"{of.MEMORY.name} > 500e6", "10m", "warning", "more than 500 MB wait for clients"),
    Alert("StreamMemoryMuch", f"{of.MEMORY.name} > 1e9", "5m", "critical", "more than 1 GB waits for clients"),
    Alert("StreamsLong", f"{_LONG} > 60", "10m", "warning", "1 of 100 connections lasts longer than a minute"),
    Alert("StreamsMany", f"{of.ACTIVE.name} > 100", "10m", "warning", "more than 100 connections are open"),
    Alert("StreamsFull", f"{of.CAPACITY.name} > 0.9", "5m", "warning", "more than 90 % of the streams there may be are open"),
    Alert(
        "StreamsStill",
        f"{_rate(of.SENT)} < 1 and sum by (instance) ({of.ACTIVE.name}) > 0",
        "10m",
        "warning",
        "connections are open, and less than 1 event a second is sent",
    ),
    Alert("StreamsSlow", f"{_SLOW} > 0.5", "10m", "warning", "1 of 20 runs has no result within 500 ms"),
    Alert("RequestsFail", f"{_FAULTS} > {ERRORS[0]:g}", "10m", "warning", "more than 5 % of the answers are faults"),
    Alert("RequestsSlow", f"{_LATE} > 0.5", "10m", "warning", "1 of 20 answers does not begin within 500 ms"),
    Alert("PagesRendered", f"{_RENDERED} > 0.5", "30m", "warning", "more than half of the pages need a browser to be read"),
    Alert("StreamServerGone", f"absent({of.SCORE.name})", "5m", "critical", "no server is scraped"),
)


def rules() -> str:
    """Return the rules, as Prometheus reads them."""
    return f"{_NOTE}groups:\n  - name: transmissions-streams\n    rules:\n{''.join(map(_rule, ALERTS))}"


def _rule(alert: Alert) -> str:
    # A text of JSON is one of YAML.
    return (
        f"      - alert: {alert.name}\n"
        f"        expr: {json.dumps(alert.expression)}\n"
        f"        for: {alert.lasts}\n"
        f"        labels: {{severity: {alert.severity}}}\n"
        f"        annotations: {{summary: {json.dumps(alert.says)}}}\n"
    )


def generated_files(root: Path) -> dict[Path, str]:
    """Return the text of every file below a checkout's root that is made from the metrics."""
    folder = root / "configs" / "observability"
    return {folder / "dashboard.json": dashboard(), folder / "alerts.yml": rules()}
