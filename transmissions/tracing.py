"""Spans of OpenTelemetry for runs: one for a run, and one for each of its nodes.

They are made where the process has set OpenTelemetry up before a run begins, as `opentelemetry-instrument trans …` does.
Otherwise nothing of it is imported, and a run costs what it costs without. A run belongs to the span at work where it
begins, else to the one the environment variables TRACEPARENT and TRACESTATE name; baggage is left alone. The spans of nodes
are made at the end, of what was counted anyway: what goes on message by message is not slowed down.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from .errors import NodeFailed, RunTimeout, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

    from .plan import NodePlan
    from .running import Run

_NAME: Final = "transmissions"
_EVENTS: Final = 32
"""Failures of one node that are told one by one; all are counted."""
_UNTRACED: Final = nullcontext()
_COUNTED: Final = ("received", "sent", "dropped", "failed", "retried", "skipped", "dead")


def tracer() -> Tracer | None:
    """Return what makes spans, if somebody set it up."""
    api = sys.modules.get("opentelemetry.trace")
    provider = api.get_tracer_provider() if api else None
    if api is None or isinstance(provider, api.ProxyTracerProvider | api.NoOpTracerProvider):
        return None
    made: Tracer = api.get_tracer(_NAME)
    return made


def trace_headers() -> dict[str, str]:
    """Return the headers that make a request part of the span at work: `traceparent`, or none."""
    headers: dict[str, str] = {}
    if tracer():
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(headers)
    return headers


def context_of(headers: Mapping[str, str]) -> Context:
    """Return the span that headers name as where something belongs. OpenTelemetry must be set up."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(headers)


def traced(run: Run) -> AbstractContextManager[None]:
    """Make spans of a run and its nodes as long as the block is at work, if anybody wants them."""
    found = tracer()
    return _UNTRACED if found is None else _traced(run, found)


@contextmanager
def _traced(run: Run, found: Tracer) -> Iterator[None]:
    begin = time.time_ns()
    told = _Told(run)
    with found.start_as_current_span(
        f"run {run.plan.app}", _parent(), start_time=begin, record_exception=False, set_status_on_exception=False
    ) as span:
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            told.nodes(found, begin, error)
            told.run(span, error)


def _parent() -> Context | None:
    """Return where a run belongs; None stands for the span at work."""
    from opentelemetry.trace import get_current_span

    if get_current_span().get_span_context().is_valid:
        return None
    names = ("TRACEPARENT", "TRACESTATE")
    return context_of({name.lower(): os.environ[name] for name in names if name in os.environ})


class _Told:
    """What a run tells, for its spans."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._events: dict[str, list[tuple[str, dict[str, Any], int]]] = {}
        run.on("skip", self._hear).on("error", self._hear)

    def nodes(self, tracer: Tracer, begin: int, error: BaseException | None) -> None:
        """Make the spans of nodes."""
        figures = self._run.state.snapshot()["nodes"]
        for node in self._run.plan.nodes():
            span = tracer.start_span(f"node {node.path}", start_time=begin, attributes=_about(node, figures.get(node.path)))
            for name, fields, moment in self._events.get(node.path, ()):
                span.add_event(name, fields, moment)
            if isinstance(error, NodeFailed) and error.node == node.path:
                self._fail(span, error.cause)
            span.end()

    def run(self, span: Span, error: BaseException | None) -> None:
        """Say what became of the run."""
        result = self._run.result
        counted = {"messages": result.sent, "dead": result.dead, "skipped": result.skipped}
        about: dict[str, Any] = {"app": self._run.plan.app, **self._run.state.about, "outcome": _outcome(self._run, error)}
        for name, value in (about | counted).items():
            span.set_attribute(f"{_NAME}.{name}", value)
        if error is not None and not isinstance(error, asyncio.CancelledError):
            self._fail(span, error)

    def _hear(self, event: str, fields: dict[str, Any]) -> None:
        heard = self._events.setdefault(str(fields.get("node", "")), [])
        if len(heard) < _EVENTS:
            said: dict[str, Any] = {name: str(fields[name]) for name in ("reason", "error", "policy") if name in fields}
            heard.append((event, said, time.time_ns()))

    def _fail(self, span: Span, error: BaseException) -> None:
        from opentelemetry.trace import StatusCode

        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR, self._run.state.clean(describe(error)))


def _about(node: NodePlan, figures: dict[str, Any] | None) -> dict[str, Any]:
    counted = {name: figures[name] for name in _COUNTED} | {"busy_seconds": figures["busy"]} if figures else {}
    return {f"{_NAME}.{name}": value for name, value in {"node": node.path, "processor": node.type, **counted}.items()}


def _outcome(run: Run, error: BaseException | None) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "stopped"
    if error is not None:
        return "timeout" if isinstance(error, RunTimeout) else "failed"
    return "drained" if run.state.draining else "incomplete" if run.result.exit_code else "complete"
