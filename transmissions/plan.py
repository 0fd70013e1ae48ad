"""The Plan: the checked, frozen picture of a run. Plain data, so that it can be cached, printed and sent.

A plan is only ever made from a config without errors; whoever reads it need not check again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from .problem import Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


MOST_PROCESSES: Final = 64
"""That workers may be."""


class NodePlan(NamedTuple):
    """One processor at its place in a pipe."""

    path: str
    """Transmission and node names, `converter/render`: the key of metrics, `--set`, `--tap` and checkpoints."""
    type: str
    """The processor's class IRI."""
    implementation: str
    """`module:QualifiedName`, loadable with `homes.load_class`."""
    settings: dict[str, Any]
    """Python field names to JSON values, resolved and checked; defaults are left to the class."""
    where: Where
    """Where the node stands in its pipe."""
    origins: dict[str, Where]
    """Where each setting was written."""
    depth: int = 0
    """How many groups are open in front of this node."""
    on_error: str = "stop"
    """`stop`, `skip` or `deadLetter`, once retries are used up."""
    retry: dict[str, Any] | None = None
    """Fields of `supervisor.Retry`."""
    buffer: dict[str, Any] | None = None
    """Fields of `buffer.BufferSettings`: a buffer in front of this node."""
    concurrency: int = 1
    ordered: bool = True


class BranchPlan(NamedTuple):
    """One way out of a fork, and when it is taken."""

    condition: dict[str, Any] | None
    """`{"field": …, "operator": …, "value": …}`, or None for the way that is always open."""
    pipe: Pipe


class ForkPlan(NamedTuple):
    """A place where a pipe branches and joins again. `kind` is `all` (fan-out) or `first` (route to one)."""

    path: str
    kind: str
    branches: tuple[BranchPlan, ...]
    where: Where
    depth: int = 0


class WorkersPlan(NamedTuple):
    """A stretch of a pipe that several processes work on; see `workers`. Paths in it are as if it were not there."""

    path: str
    processes: int
    """How many, the run's own included."""
    key: str | None
    """The field whose value two messages that are worked on at the same time never share."""
    pipe: Pipe
    where: Where
    depth: int = 0


Step: TypeAlias = "NodePlan | ForkPlan | WorkersPlan"
Pipe: TypeAlias = tuple[Step, ...]


class TransmissionPlan(NamedTuple):
    """A pipeline by name. Nested transmissions are already laid out in `pipe`."""

    name: str
    label: str
    entry: bool
    """Whether a run of the app starts it."""
    pipe: Pipe
    where: Where
    off: tuple[tuple[str, str], ...] = ()
    """Path and type of the nodes that `:enabled false` leaves out."""
    iri: str = ""


class Argument(NamedTuple):
    """A positional argument of an app, declared in Turtle."""

    name: str
    kind: str
    """`Path`, `Text`, `URL` or `Command` (everything after `--`)."""
    field: str
    """The field of the first message it becomes."""
    many: bool = False
    required: bool = False
    default: str | None = None
    """Relative paths are looked up in the app's folder."""
    help: str = ""
    together: bool = False
    """Whether the words of one that takes many become one message, whose field is their list."""


class Plan(NamedTuple):
    """Everything a run needs to know."""

    app: str
    folder: str
    """The app's folder, absolute."""
    homes: tuple[tuple[str, str], ...]
    """(package, folder) of each home whose processors are in use; the bundled one is left out."""
    transmissions: tuple[TransmissionPlan, ...]
    arguments: tuple[Argument, ...] = ()
    metrics: tuple[dict[str, Any], ...] = ()
    """Fields of `metrics.MetricsSettings`, one for each `:metrics` of the app."""
    events: tuple[dict[str, Any], ...] = ()
    """Fields of `nodeterms.EventsTerms`, one for each `:events` of the app."""
    endpoints: tuple[dict[str, Any], ...] = ()
    """Fields of `delivery.declared.Endpoint` and the name of the `transmission`, one for each `:endpoint` of the app."""
    dead_letters: str | None = None
    compat: bool = False
    """Whether a run is to look as the original's did; see `compat`."""

    def entries(self) -> list[TransmissionPlan]:
        """Return the transmissions a run starts, in order."""
        return [transmission for transmission in self.transmissions if transmission.entry]

    def nodes(self) -> Iterator[NodePlan]:
        """Yield every node of every transmission, in order."""
        for transmission in self.transmissions:
            yield from walk(transmission.pipe)


def walk(pipe: Pipe) -> Iterator[NodePlan]:
    """Yield the nodes of a pipe and of its branches, in order."""
    for step in pipe:
        if isinstance(step, NodePlan):
            yield step
        for pipe_inside in inside(step):
            yield from walk(pipe_inside)


def inside(step: Step) -> tuple[Pipe, ...]:
    """Return the pipes that stand in a step of a pipe."""
    if isinstance(step, WorkersPlan):
        return (step.pipe,)
    return tuple(branch.pipe for branch in step.branches) if isinstance(step, ForkPlan) else ()


def find_workers(pipe: Pipe, path: str) -> WorkersPlan | None:
    """Return the workers at a path."""
    found = [step for step in pipe if isinstance(step, WorkersPlan) and step.path == path]
    below = (find_workers(inner, path) for step in pipe for inner in inside(step))
    return found[0] if found else next(filter(None, below), None)


def with_processes(plan: Plan, processes: int) -> Plan:
    """Return a plan all of whose workers are so many processes."""

    def change(step: Step) -> Step:
        return step._replace(processes=processes) if isinstance(step, WorkersPlan) else step

    return plan._replace(transmissions=tuple(one._replace(pipe=rebuilt(one.pipe, change)) for one in plan.transmissions))


def rebuilt(pipe: Pipe, change: Callable[[Step], Step]) -> Pipe:
    """Return a pipe with every step changed, also those in its branches and workers."""
    return tuple(_with_inside(change(step), change) for step in pipe)


def _with_inside(step: Step, change: Callable[[Step], Step]) -> Step:
    if isinstance(step, WorkersPlan):
        return step._replace(pipe=rebuilt(step.pipe, change))
    if isinstance(step, ForkPlan):
        return step._replace(branches=tuple(way._replace(pipe=rebuilt(way.pipe, change)) for way in step.branches))
    return step


def to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON values."""
    return {**plan._asdict(), "transmissions": [{**t._asdict(), "pipe": _dump(t.pipe)} for t in plan.transmissions]}


def from_json(data: dict[str, Any]) -> Plan:
    """Rebuild a plan from its JSON values."""
    return Plan(
        **{
            **data,
            "homes": tuple((package, folder) for package, folder in data["homes"]),
            "transmissions": tuple(
                TransmissionPlan(
                    **{**t, "pipe": _load(t["pipe"]), "where": Where(*t["where"]), "off": tuple(map(tuple, t["off"]))}
                )
                for t in data["transmissions"]
            ),
            "arguments": tuple(Argument(*argument) for argument in data["arguments"]),
            "metrics": tuple(data["metrics"]),
            "events": tuple(data["events"]),
            "endpoints": tuple(data["endpoints"]),
        }
    )


def _dump(pipe: Pipe) -> list[dict[str, Any]]:
    return [_dump_step(step) for step in pipe]


def _dump_step(step: Step) -> dict[str, Any]:
    if isinstance(step, WorkersPlan):
        return {**step._asdict(), "pipe": _dump(step.pipe)}
    if isinstance(step, ForkPlan):
        return {**step._asdict(), "branches": [{"condition": b.condition, "pipe": _dump(b.pipe)} for b in step.branches]}
    return step._asdict()


def _load(steps: list[dict[str, Any]]) -> Pipe:
    return tuple(map(_load_step, steps))


def _load_step(step: dict[str, Any]) -> Step:
    return _load_fork(step) if "branches" in step else _load_workers(step) if "pipe" in step else _load_node(step)


def _load_workers(step: dict[str, Any]) -> WorkersPlan:
    return WorkersPlan(**{**step, "pipe": _load(step["pipe"]), "where": Where(*step["where"])})


def _load_node(step: dict[str, Any]) -> NodePlan:
    origins = {name: Where(*place) for name, place in step["origins"].items()}
    return NodePlan(**{**step, "where": Where(*step["where"]), "origins": origins})


def _load_fork(step: dict[str, Any]) -> ForkPlan:
    branches = tuple(BranchPlan(branch["condition"], _load(branch["pipe"])) for branch in step["branches"])
    return ForkPlan(**{**step, "branches": branches, "where": Where(*step["where"])})
