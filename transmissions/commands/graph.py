"""`trans graph`: an app's pipelines as a picture, from its plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from transmissions.commands.describe import plan_to_look_at
from transmissions.errors import OK
from transmissions.homes import find_app
from transmissions.plan import ForkPlan, NodePlan, WorkersPlan, walk
from transmissions.terms import local_name, to_term

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from transmissions.plan import Pipe, Plan, TransmissionPlan

HELP = "print an app's pipelines as a graph"


class Edge(NamedTuple):
    """The way from one step to the next; its label is a condition or a buffer."""

    start: str
    end: str
    label: str


class Drawing(NamedTuple):
    """One transmission: its steps by path, and the ways between them."""

    name: str
    steps: dict[str, NodePlan | ForkPlan]
    edges: list[Edge]
    processes: dict[str, int]
    """How many work on a step, where they are several."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans graph`."""
    from transmissions.commands.run import target_of

    parser.add_argument("app", metavar="APP", help="an app's name or folder")
    parser.add_argument("--format", choices=tuple(_FORMATS), default="mermaid")
    parser.add_argument("--target", metavar="DIR", type=target_of, help="a folder with tt.ttl")
    parser.add_argument("--set", metavar="NODE.SETTING=VALUE", action="append", default=[], dest="overrides")
    parser.add_argument("--compat", action="store_true", help="take what the original let pass")


def call(options: Namespace) -> int:
    """Print the graph."""
    plan = plan_to_look_at(find_app(options.app), target=options.target, overrides=options.overrides, compat=options.compat)
    print(_FORMATS[options.format](plan))
    return OK


def draw(transmission: TransmissionPlan) -> Drawing:
    """Return the steps of a transmission and the ways between them."""
    drawing = Drawing(transmission.name, {}, [], {})
    _draw_pipe(transmission.pipe, [], drawing)
    return drawing


def _draw_pipe(pipe: Pipe, ends: list[tuple[str, str]], drawing: Drawing) -> list[tuple[str, str]]:
    """Draw a pipe behind `ends`, the (path, label) of what leads into it; return what leads out of it."""
    for step in pipe:
        if isinstance(step, WorkersPlan):
            drawing.processes.update({node.path: step.processes for node in walk(step.pipe) if step.processes > 1})
            ends = _draw_pipe(step.pipe, ends, drawing)
            continue
        drawing.steps[step.path] = step
        buffer = _buffer(step)
        drawing.edges.extend(Edge(start, step.path, ", ".join(filter(None, (label, buffer)))) for start, label in ends)
        ends = [(step.path, "")] if isinstance(step, NodePlan) else _draw_branches(step, drawing)
    return ends


def _draw_branches(fork: ForkPlan, drawing: Drawing) -> list[tuple[str, str]]:
    ends: list[tuple[str, str]] = []
    for branch in fork.branches:
        label = _condition(branch.condition) if branch.condition else "else" if fork.kind == "first" else ""
        ends += _draw_pipe(branch.pipe, [(fork.path, label)], drawing)
    if fork.kind == "first" and all(branch.condition for branch in fork.branches):
        ends.append((fork.path, "else"))
    return ends


def _condition(condition: dict[str, Any]) -> str:
    return f"{condition['field']} {condition['operator']} {condition['value']}"


def _buffer(step: NodePlan | ForkPlan) -> str:
    if isinstance(step, ForkPlan) or step.buffer is None:
        return ""
    return " ".join(["buffer", *(f"{to_term(name)}={value}" for name, value in step.buffer.items())])


def _title(step: NodePlan | ForkPlan, drawing: Drawing) -> list[str]:
    """Return the words on a step: its name, its class, how many at once."""
    name = step.path.rpartition("/")[2]
    if isinstance(step, ForkPlan):
        return [name, "FanOut" if step.kind == "all" else "Route"]
    shared = [f"{drawing.processes[step.path]} processes"] if step.path in drawing.processes else []
    return [name, local_name(step.type), *([f"{step.concurrency} at once"] if step.concurrency > 1 else []), *shared]


def _mermaid(plan: Plan) -> str:
    lines = ["flowchart LR"]
    for number, transmission in enumerate(plan.transmissions):
        drawing = draw(transmission)
        names = {path: f"t{number}n{position}" for position, path in enumerate(drawing.steps)}
        lines.append(f'  subgraph t{number}["{_escape(drawing.name)}"]')
        lines += [f"    {names[path]}{_mermaid_shape(step, drawing)}" for path, step in drawing.steps.items()]
        for edge in drawing.edges:
            label = f'|"{_escape(edge.label)}"|' if edge.label else ""
            lines.append(f"    {names[edge.start]} -->{label} {names[edge.end]}")
        lines.append("  end")
    return "\n".join(lines)


def _mermaid_shape(step: NodePlan | ForkPlan, drawing: Drawing) -> str:
    words = "<br/>".join(map(_escape, _title(step, drawing)))
    return f'{{"{words}"}}' if isinstance(step, ForkPlan) else f'["{words}"]'


def _escape(text: str) -> str:
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace("\n", " ")


def _dot(plan: Plan) -> str:
    lines = ["digraph {", "  rankdir=LR; node [shape=box];"]
    for number, transmission in enumerate(plan.transmissions):
        drawing = draw(transmission)
        lines.append(f"  subgraph cluster_{number} {{ label={_quote(drawing.name)};")
        for path, step in drawing.steps.items():
            shape = " shape=diamond" if isinstance(step, ForkPlan) else ""
            lines.append(f"    {_quote(path)} [label={_quote(chr(10).join(_title(step, drawing)))}{shape}];")
        lines += [f"    {_quote(e.start)} -> {_quote(e.end)} [label={_quote(e.label)}];" for e in drawing.edges]
        lines.append("  }")
    return "\n".join([*lines, "}"])


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _json(plan: Plan) -> str:
    drawings = [(transmission, draw(transmission)) for transmission in plan.transmissions]
    data = {
        "app": plan.app,
        "transmissions": [
            {
                "name": drawing.name,
                "entry": transmission.entry,
                "nodes": [{"path": path, **_about(step, drawing)} for path, step in drawing.steps.items()],
                "edges": [edge._asdict() for edge in drawing.edges],
            }
            for transmission, drawing in drawings
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _about(step: NodePlan | ForkPlan, drawing: Drawing) -> dict[str, Any]:
    about = {"type": _title(step, drawing)[1], "where": str(step.where), "depth": step.depth}
    if isinstance(step, ForkPlan):
        return about
    return {
        **about,
        "settings": step.settings,
        "buffer": step.buffer,
        "concurrency": step.concurrency,
        "processes": drawing.processes.get(step.path, 1),
        "onError": step.on_error,
    }


_FORMATS: dict[str, Callable[[Plan], str]] = {"mermaid": _mermaid, "dot": _dot, "json": _json}
