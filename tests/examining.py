"""Makes small apps with a home of their own, and examines them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from transmissions import homes
from transmissions.validate import check

if TYPE_CHECKING:
    from pathlib import Path

    from transmissions.plan import NodePlan, Plan
    from transmissions.problem import Problem, Span

PREFIXES = "@prefix : <http://purl.org/stuff/transmissions/> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"

PROCESSORS = '''
from typing import Annotated, Any, Literal

from transmissions import (
    IRI, FractionOf, Length, LessThan, Pattern, Processor, Protected, Range, Record, Secret, Source, Unit
)


class Rename(Record):
    """One renaming."""

    pre: str
    "Where the value is."
    post: str
    "Where it goes."


class Widget(Processor):
    """Has a setting of every kind."""

    size: Annotated[int, Range(ge=1, le=100), Unit("items")] = 10
    "How many."
    low: Annotated[int, LessThan("size")] = 2
    "Less than size."
    share: Annotated[float, FractionOf("size")] = 0.5
    "A share of size."
    ratio: float = 1.5
    "Any number."
    strict: bool = False
    "Whether to be strict."
    mode: Literal["fast", "slow"] = "fast"
    "How to go about it."
    name: Annotated[str | None, Pattern("[a-z]+")] = None
    "A word."
    home: IRI | None = None
    "A place."
    tags: Annotated[tuple[Annotated[str, Length(le=40)], ...], Length(le=5)] = ()
    "Many words."
    rename: tuple[Rename, ...] = ()
    "Many records."
    token: Secret | None = None
    "A secret."
    value: Any = None
    "Whatever."
    command: Annotated[str | None, Protected()] = None
    "What a target may not say."

    def process(self, message):
        return message


class Needy(Processor):
    """Cannot do without."""

    template: str
    "The template to fill."

    def process(self, message):
        return message


class Picky(Processor):
    """Refuses what no shape can."""

    encoding: str = "utf-8"
    "How text is read."
    width: int = 80
    "How wide a line is."
    token: Secret | None = None
    "A secret."

    def __post_init__(self):
        "".encode(self.encoding)
        if self.width == 13:
            raise ValueError("an unlucky width")

    def process(self, message):
        return message


class Lister(Source):
    """Opens a group."""

    def produce(self, message):
        yield message


class Closer(Processor):
    """Closes a group."""

    collapses = True

    def process(self, message):
        return message


class Plain(Processor):
    """Has no settings."""

    def process(self, message):
        return message
'''


def make_app(folder: Path, transmissions: str, config: str | None = None) -> homes.App:
    """Write an app `demo`, and the processors above into the home around it."""
    app = folder / "apps" / "demo"
    app.mkdir(parents=True, exist_ok=True)
    (folder / "processors").mkdir(exist_ok=True)
    (folder / "processors" / "widgets.py").write_text(PROCESSORS)
    write_turtle(app / "transmissions.ttl", transmissions)
    if config is not None:
        write_turtle(app / "config.ttl", config)
    return homes.find_app(str(app))


def make_target(folder: Path, text: str) -> Path:
    """Write a target folder with `tt.ttl`."""
    target = folder / "target"
    target.mkdir(exist_ok=True)
    write_turtle(target / "tt.ttl", text)
    return target


def write_turtle(path: Path, text: str) -> None:
    """Write a Turtle file whose first lines are the usual prefixes."""
    path.write_text(PREFIXES + textwrap.dedent(text))


def examine(folder: Path, transmissions: str, config: str | None = None, **options: Any) -> tuple[Plan | None, list[Problem]]:
    """Return the plan and the problems of a small app."""
    return check(make_app(folder, transmissions, config), **options)


def only(problems: list[Problem]) -> Problem:
    """Return the one problem there is."""
    assert len(problems) == 1, [f"{problem.code}: {problem}" for problem in problems]
    return problems[0]


def marked(span: Span | None) -> str:
    """Return the text a caret would stand under."""
    assert span is not None
    return span.text[span.column - 1 :][: span.width]


def node(plan: Plan | None, path: str = "demo/a") -> NodePlan:
    """Return a node of a plan by its path."""
    assert plan is not None
    return next(node for node in plan.nodes() if node.path == path)


def codes(problems: list[Problem]) -> list[str]:
    """Return the codes of problems, errors first."""
    return [problem.code for problem in problems]
