"""From an examined app to its Plan: plain data, with nothing left to look up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rdflib import RDFS

from .comparison import OPERATORS
from .nodeterms import WorkersTerms
from .placements import Placed, Shared, walk
from .plan import Argument, BranchPlan, ForkPlan, NodePlan, Plan, TransmissionPlan, WorkersPlan
from .terms import to_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .homes import App, Home
    from .loader import Layers
    from .placements import Branch, Pipeline, Step, Steps
    from .plan import Pipe
    from .problem import Span, Where
    from .subjects import Subject

_BUNDLED: Final = "bundled"
_ABOUT_NODE: Final = ("buffer", "retry", "concurrency", "ordered", "on_error")


class Parts(NamedTuple):
    """The settings that hold, by the path of the node or workers, the name of the transmission, the place of the branch."""

    layers: Layers
    nodes: dict[str, Subject]
    transmissions: dict[str, Subject]
    conditions: dict[Span, Subject]
    workers: dict[str, Subject]


def make_plan(app: App, homes: Sequence[Home], pipelines: Sequence[Pipeline], parts: Parts, *, compat: bool = False) -> Plan:
    """Return the plan of an app that has no errors."""
    transmissions = tuple(_transmission(pipeline, parts) for pipeline in pipelines)
    said = [parts.transmissions[pipeline.name] for pipeline in pipelines if pipeline.entry]
    plain = [subject.plain() for subject in said]
    plan = Plan(
        app=app.name,
        folder=str(app.folder),
        homes=(),
        transmissions=transmissions,
        arguments=tuple(argument for subject in said for argument in _arguments(subject, parts)),
        metrics=tuple(metrics for words in plain for metrics in words.get("metrics", ())),
        events=tuple(events for words in plain for events in words.get("events", ())),
        endpoints=tuple(
            {"transmission": pipeline.name, **endpoint}
            for pipeline in pipelines
            for endpoint in parts.transmissions[pipeline.name].plain().get("endpoint", ())
        ),
        dead_letters=next((words["dead_letters"] for words in plain if "dead_letters" in words), None),
        compat=compat,
    )
    packages = {node.implementation.rpartition(":")[0] for node in plan.nodes()}
    return plan._replace(homes=tuple(_in_use(homes, packages)))


def _in_use(homes: Sequence[Home], modules: set[str]) -> list[tuple[str, str]]:
    return [
        (home.package, str(home.folder))
        for home in homes
        if home.kind != _BUNDLED and any(module.startswith(f"{home.package}.") for module in modules)
    ]


def _transmission(pipeline: Pipeline, parts: Parts) -> TransmissionPlan:
    pipe = _pipe(pipeline.steps, parts)
    placed = [step for step in walk(pipeline.steps) if isinstance(step, Placed)]
    off = tuple((step.path, step.spec.iri) for step in placed if not is_enabled(parts.nodes[step.path]))
    return TransmissionPlan(pipeline.name, pipeline.label, pipeline.entry, pipe, pipeline.span.where, off, str(pipeline.node))


def _pipe(steps: Steps, parts: Parts) -> Pipe:
    laid = (_step(step, parts) for step in steps if not isinstance(step, Placed) or is_enabled(parts.nodes[step.path]))
    return tuple(step for step in laid if not isinstance(step, WorkersPlan) or step.pipe)


def is_enabled(node: Subject) -> bool:
    """Whether a node is in the pipe, by what is said of it."""
    return node.plain().get("enabled", True) is not False


def _step(step: Step, parts: Parts) -> NodePlan | ForkPlan | WorkersPlan:
    if isinstance(step, Placed):
        return _node(step, parts.nodes[step.path])
    if isinstance(step, Shared):
        told = WorkersTerms.from_plan(parts.workers[step.path].plain())
        return WorkersPlan(step.path, told.processes, told.key, _pipe(step.steps, parts), step.span.where, step.depth)
    branches = tuple(BranchPlan(_condition(branch, parts), _pipe(branch.steps, parts)) for branch in step.branches)
    return ForkPlan(step.path, step.kind, branches, step.span.where, step.depth)


def _node(step: Placed, subject: Subject) -> NodePlan:
    plain = subject.plain()
    about_node = {name: plain.pop(name) for name in _ABOUT_NODE if name in plain}
    plain.pop("enabled", None)
    return NodePlan(
        path=step.path,
        type=step.spec.iri,
        implementation=step.spec.implementation,
        settings=plain,
        where=step.span.where,
        origins=_origins(subject),
        depth=step.depth,
        **about_node,
    )


def _origins(subject: Subject) -> dict[str, Where]:
    return {
        setting.name: value.span.where
        for setting in subject.spec.settings
        for value in subject.values.get(setting.term, ())[:1]
        if value.span
    }


def _condition(branch: Branch, parts: Parts) -> dict[str, Any] | None:
    if branch.condition is None:
        return None
    plain = parts.conditions[branch.span].plain()
    operator = next(operator for operator in OPERATORS if to_name(operator) in plain)
    return {"field": plain["field"], "operator": operator, "value": plain[to_name(operator)]}


def _arguments(subject: Subject, parts: Parts) -> list[Argument]:
    found = []
    for given in subject.values.get("argument", ()):
        if given.record:
            comment = parts.layers.main.graph.value(given.record.sources[-1], RDFS.comment)
            words = {"kind": "Text", "field": given.plain["name"], **given.plain}
            found.append(Argument(**words, help=str(comment or "")))
    return found
