"""The examination of an app: from its files to a Plan, or to every Problem there is.

    files -> layers (loader) -> pipelines (structure) -> settings that hold (effective) -> SHACL (conformance) -> Plan (planner)
    -> one processor for each node (construction)

Each step goes on as far as it can after a fault, so that one run reports them all; what would only be the echo of a fault
already reported is left out.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from .conditions import read_conditions
from .conformance import find_violations
from .construction import check_construction
from .effective import Resolver, names_of
from .endpoints import check_endpoints
from .errors import ConfigError
from .faults import report
from .findings import ERROR, STRICT, WARNING, Findings, did_you_mean
from .homes import homes_for
from .import_faults import without_libraries
from .layering import check_links, check_profile, note_unused
from .loader import load, load_file, profile_file, profiles
from .overrides import read_overrides, report_unmet
from .placements import Placed, Shared, walk
from .planner import Parts, is_enabled, make_plan
from .problem import Label
from .registry import Registry
from .structure import read_structure
from .terms import local_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from .homes import App
    from .loader import Layers
    from .overrides import Override
    from .placements import Pipeline
    from .plan import Plan
    from .problem import Problem, Span
    from .subjects import Subject


_CERTAIN: Final = frozenset(
    (
        *("broken-list", "choice", "datatype", "duplicate-node", "empty-pipe", "encoding", "length", "limit", "misplaced-link"),
        *("not-a-node", "not-a-settings-node", "pattern", "pipe-not-a-list", "protected-setting", "range", "secret", "syntax"),
        *("too-few-values", "too-many-values", "two-pipes", "two-settings", "two-types", "unknown-prefix", "unknown-setting"),
    )
)
"""Faults that nothing in a file which could not be read can put right."""


class Examined(NamedTuple):
    """What an examination found, and the code files and other apps' files its outcome depends on."""

    plan: Plan | None
    problems: list[Problem]
    modules: tuple[Path, ...] = ()
    inputs: Mapping[str, str | None] = MappingProxyType({})
    """The digests of other apps' files, taken before these were read."""


def check(
    app: App, *, target: Path | None = None, overrides: Sequence[str] = (), profile: str | None = None, compat: bool = False
) -> tuple[Plan | None, list[Problem]]:
    """Examine an app; return its plan, unless there is an error, and all problems by file and line."""
    examined = examine(app, target=target, overrides=overrides, profile=profile, compat=compat)
    return examined.plan, examined.problems


def examine(
    app: App,
    *,
    target: Path | None = None,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    compat: bool = False,
    to_run: bool = True,
) -> Examined:
    """Examine an app; what it lacks to run is only warned of if it is not `to_run`."""
    findings = Findings(compat=compat)
    told = read_overrides(overrides, findings)
    extra = profile_file(profiles(), profile, findings) if profile else None
    layers = load(app, target, extra, findings)
    if layers is None:
        return Examined(None, findings.sorted())
    registry = Registry.for_app(app, layers.bases)
    doubtful = findings if layers.complete else Findings(compat=compat)
    pipelines = read_structure(layers, registry, findings if layers.joined else doubtful)
    findings.extend(registry.problems)
    parts = _settings(pipelines, layers, told, doubtful)
    check_profile(layers, registry, findings)
    _check_own_shapes(app, layers, doubtful)
    if doubtful is not findings:
        findings.adopt(doubtful, _CERTAIN)
    placed = [step for pipeline in pipelines for step in walk(pipeline.steps) if isinstance(step, Placed)]
    enabled = [step for step in placed if is_enabled(parts.nodes[step.path])]
    _check_libraries(enabled, ERROR if to_run else WARNING, findings)
    homes = homes_for(app, layers.bases)
    plan = None if findings.failed else make_plan(app, homes, pipelines, parts, compat=compat)
    if plan:
        check_construction(plan, parts.nodes, findings)
    modules = tuple(registry.module_files(step.spec for step in placed))
    return Examined(None if findings.failed else plan, findings.sorted(), modules, layers.inputs)


def _settings(pipelines: tuple[Pipeline, ...], layers: Layers, told: list[Override], findings: Findings) -> Parts:
    """Resolve and check every setting."""
    whole = not findings.failed  # else a node that is spoken about may have been left out, and that was told
    resolver = Resolver(layers, told, findings)
    steps = [step for pipeline in pipelines for step in walk(pipeline.steps)]
    nodes = {step.path: resolver.placed(step) for step in steps if isinstance(step, Placed)}
    transmissions = {pipeline.name: resolver.transmission(pipeline) for pipeline in pipelines}
    conditions = read_conditions(steps, resolver, findings)
    workers = {step.path: resolver.workers(step) for step in steps if isinstance(step, Shared)}
    subjects: list[Subject] = [*nodes.values(), *transmissions.values(), *conditions.values(), *workers.values()]
    for violation in find_violations(subjects):
        if layers.complete or violation.is_certain:
            report(violation, findings)
    for step in steps:
        if isinstance(step, Placed):
            _check_concurrency(step, nodes[step.path], findings)
            _check_enabled(step, nodes[step.path], findings)
    for subject in (*nodes.values(), *transmissions.values()):
        _check_names(subject, transmissions, findings)
    for pipeline in pipelines:
        _check_entry(pipeline, transmissions[pipeline.name], findings)
    entries = {pipeline.name: transmissions[pipeline.name] for pipeline in pipelines if pipeline.entry}
    _check_arguments([*entries.values()], findings)
    _check_events(entries, findings)
    check_endpoints([*transmissions.values()], [*entries.values()], findings)
    settings = {name for subject in nodes.values() for name in names_of(subject.sources[1:-1])}
    if whole:
        report_unmet(told, [*nodes, *transmissions, *workers], settings, findings)
        note_unused(layers, findings)
    check_links(layers, {step.node for step in steps if isinstance(step, Placed | Shared)}, findings)
    return Parts(layers, nodes, transmissions, conditions, workers)


def _check_libraries(placed: Sequence[Placed], severity: str, findings: Findings) -> None:
    """Report optional libraries that are not installed, once for all the processors that need them."""
    by_extra: dict[str, dict[str, Placed]] = {}
    for step in placed:
        by_extra.setdefault(step.spec.extra, {}).setdefault(step.spec.name, step)
    for extra, first in by_extra.items():
        problem = without_libraries([*first], extra, next(iter(first.values())).span)
        findings.extend([problem._replace(severity=severity)] if problem else [])


def _check_concurrency(step: Placed, subject: Subject, findings: Findings) -> None:
    given = subject.values["concurrency"][-1]
    if isinstance(given.plain, int) and given.plain > 1 and (step.spec.stateful or step.spec.collapses):
        sentence = f"{step.spec.name} depends on the order of its messages and cannot have concurrency"
        findings.report(ERROR, "concurrency", sentence, given.span)


def _check_enabled(step: Placed, subject: Subject, findings: Findings) -> None:
    if (step.spec.is_source or step.spec.collapses) and not is_enabled(subject):
        does = "opens" if step.spec.is_source else "closes"
        sentence = f"{step.spec.name} {does} a group of messages, so it cannot be left out"
        findings.report(ERROR, "enabled", sentence, subject.values["enabled"][-1].span)


def _check_names(subject: Subject, transmissions: Collection[str], findings: Findings) -> None:
    """Report every setting that names a transmission the app does not have."""
    records = ((record, setting) for record in subject.records() for setting in record.spec.settings if setting.transmission)
    for value in (value for record, setting in records for value in record.values.get(setting.term, ()) if value.plain):
        name = local_name(str(value.plain))
        if name not in transmissions:
            mend = did_you_mean(name, transmissions, "")
            findings.report(STRICT, "unknown-transmission", f"the app has no transmission '{name}'", value.span, mend=mend)


def _check_entry(pipeline: Pipeline, subject: Subject, findings: Findings) -> None:
    for term, values in subject.values.items():
        if not pipeline.entry and values and values[0].key and term != "endpoint":
            sentence = f"{term} has no effect on {pipeline.name}, which no run starts by itself"
            findings.report(WARNING, "not-an-entry", sentence, values[0].key)


def _check_arguments(entries: Sequence[Subject], findings: Findings) -> None:
    """Report arguments that would take each other's words, or write into each other's field."""
    records = [given.record for subject in entries for given in subject.values.get("argument", ()) if given.record]
    first: dict[tuple[str, object], Span] = {}
    for record in records:
        for term in ("name", "field"):
            given = next(iter(record.values.get(term) or record.values.get("name") or ()), None)
            if given is None or given.plain is None:
                continue
            span = given.span or record.span
            if first.setdefault((term, given.plain), span) is not span:
                related = (Label(first[term, given.plain], "the first"),)
                sentence = f"two arguments have the {term} '{given.plain}'"
                findings.report(ERROR, "two-arguments", sentence, span, "again", related=related)
    for record in records:
        given = next((one for one in record.values.get("together", ()) if one.plain is True), None)
        if given and not any(one.plain is True for one in record.values.get("many", ())):
            findings.report(ERROR, "together", "only words of an argument that takes many can be together", given.span)
    takers = [given for record in records for given in record.values.get("many", ()) if given.plain is True]
    for given in takers[1:]:
        sentence = "only one argument can take many words"
        findings.report(ERROR, "two-arguments", sentence, given.span, "one too many")


def _check_events(entries: dict[str, Subject], findings: Findings) -> None:
    """Report events that are told to what runs anyway, and would tell of them in turn."""
    records = [given.record for subject in entries.values() for given in subject.values.get("events", ()) if given.record]
    for given in (given for record in records for given in record.values.get("to", ())):
        if local_name(str(given.plain)) in entries:
            sentence = f"a run starts '{local_name(str(given.plain))}' by itself; events go to a transmission that is no entry"
            findings.report(ERROR, "events-to-entry", sentence, given.span)


def _check_own_shapes(app: App, layers: Layers, findings: Findings) -> None:
    """Run the `shapes.ttl` a user put beside the app over the graphs as they are written."""
    path = app.folder / "shapes.ttl"
    if path.exists():
        from .usershapes import check_user_shapes

        try:
            shapes = load_file(path)
            findings.extend(check_user_shapes([layer.source for layer in layers.all], shapes))
        except ConfigError as error:
            findings.extend(error.problems)
