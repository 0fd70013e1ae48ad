"""What may be said about a node or a transmission in Turtle beside its processor's own settings.

These terms are declared, described and checked as a processor's settings are.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Annotated, Final, Literal

from .comparison import Condition
from .plan import MOST_PROCESSES
from .settings import Protected, Range, Record, TransmissionName, Unit
from .spec import Setting, Spec, describe_settings
from .terms import NAMESPACE, to_term

# The records of the layers above are described, not imported; only where a file uses one, for they bring the event loop along.
_RECORDS: Final = {
    "buffer": "transmissions.buffer:BufferSettings",
    "retry": "transmissions.supervisor:Retry",
    "metrics": "transmissions.metrics:MetricsSettings",
    "endpoint": "transmissions.delivery.declared:Endpoint",
}
RECORD_TERMS: Final = frozenset(_RECORDS)


class NodeTerms(Record):
    """Plain terms about a node."""

    enabled: bool = True
    "Whether the node is in the pipe; one that is not is left out, as if it did not stand there."
    concurrency: Annotated[int, Range(ge=1, le=1024)] = 1
    "How many messages the node works on at once."
    ordered: bool = True
    "Whether messages leave in the order they came, with concurrency."
    on_error: Literal["stop", "skip", "deadLetter"] = "stop"
    "What happens to a message the processor fails on, once retries are used up."


class ArgumentTerms(Record):
    """A positional argument of an app."""

    name: str
    "What the usage line calls it."
    kind: Literal["Path", "Text", "URL", "Command"] = "Text"
    "What it is; a Command is everything after `--`."
    field: str | None = None
    "The field of the first message it becomes; its name, if not said."
    many: bool = False
    "Whether it takes any number of words; the run then begins with one message for each."
    together: bool = False
    "Whether all the words of one that takes many are one message, whose field is the list of them."
    required: bool = False
    "Whether the app cannot do without."
    default: str | None = None
    "What is taken if it is not given; a relative path is looked up in the app's folder."


class EventsTerms(Record):
    """Where what happens in a run is told."""

    to: Annotated[str, TransmissionName()]
    "The transmission that gets every event as a message: `event`, `time` (seconds since 1970), and what else is told of it."
    only: tuple[str, ...] = ()
    "The events that are told, by name; all if none is named."
    limit: Annotated[int, Range(ge=1)] = 1000
    "How many may wait; the oldest make room."
    patience: Annotated[int, Range(ge=0), Unit("ms")] = 5000
    "How long the transmission may take to finish when the run is over."


class TransmissionTerms(Record):
    """Terms about a whole app, on its transmission."""

    dead_letters: Annotated[str | None, Protected()] = None
    "The file dead letters go to."
    argument: Annotated[tuple[ArgumentTerms, ...], Protected()] = ()
    "Positional arguments on the command line, in order."
    events: Annotated[tuple[EventsTerms, ...], Protected()] = ()
    "Transmissions that are told what happens in the run."


class WorkersTerms(Record):
    """How a stretch of a pipe is shared by processes."""

    processes: Annotated[int, Range(ge=1, le=MOST_PROCESSES), Protected()] = 2
    "How many processes work on it, the run's own included."
    key: Annotated[str | None, Protected()] = None
    "The dotted path of a field: messages that are equal there are worked on one after the other."


@cache
def node_settings(used: frozenset[str] = RECORD_TERMS) -> tuple[Setting, ...]:
    """Return what may be said about any node; `used` are the records whose fields matter."""
    return (*describe_settings(NodeTerms), _record("buffer", used), _record("retry", used))


@cache
def transmission_spec(used: frozenset[str] = RECORD_TERMS) -> Spec:
    """Return what may be said about a transmission, in the form a processor's settings have."""
    records = [_record(name, used)._replace(many=True, protected=True) for name in ("metrics", "endpoint")]
    return as_spec("Transmission", (*describe_settings(TransmissionTerms), *records))


@cache
def condition_spec() -> Spec:
    """Return what may be said in a `:when`."""
    return as_spec("when", describe_settings(Condition))


@cache
def workers_spec() -> Spec:
    """Return what may be said about workers."""
    return as_spec("Workers", describe_settings(WorkersTerms))


@cache
def with_node_settings(spec: Spec, used: frozenset[str]) -> Spec:
    """Return a processor's spec with the terms about its node added."""
    return spec._replace(settings=(*spec.settings, *node_settings(used)))


def links_of(spec: Spec) -> tuple[str, ...]:
    """Return the terms that lead from a subject to other nodes: no settings, but what a misspelt one may have meant."""
    if spec.implementation != f"transmissions:{spec.name}":
        return "settings", "implementedBy"
    return ("pipe",) if spec.name in {"Transmission", "Workers"} else ()


def _record(name: str, used: frozenset[str]) -> Setting:
    if name not in used:
        return Setting(name, to_term(name), "record")
    module, _, attribute = _RECORDS[name].partition(":")
    record = getattr(importlib.import_module(module), attribute)
    summary = (record.__doc__ or "").partition("\n")[0]
    return Setting(name, to_term(name), "record", doc=summary, fields=describe_settings(record))


def as_spec(name: str, settings: tuple[Setting, ...]) -> Spec:
    """Return settings in the form a processor's spec has, so that all are checked alike."""
    return Spec(NAMESPACE + name, name, "", "", f"transmissions:{name}", "transmissions", "", 0, settings)
