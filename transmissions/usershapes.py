"""A user's own `shapes.ttl`, run over what the app's files say.

Shapes are programs: they may loop for ever in a regular expression, make a report without end, ask for scripts or for pages of
the network. What can be seen is refused at its place; the rest runs in a process of its own, under limits of time and memory.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rdflib import SH, Graph

from .imports import Joined, Part, join
from .located import LocatedGraph, load
from .patterns import judge
from .problem import Label, Problem, Span
from .rehearsal import SECONDS, find_slow
from .render import tidy
from .turtle import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rdflib.term import Node

    from .located import Triple

MAX_MEMORY: Final = 1 << 30
_PATIENCE: Final = 60.0
"""Seconds more than the limit that shapes may take by the clock: on a busy machine they may wait for most of them."""
_OVERTIME: Final = 24
"""SIGXCPU, which not every system has."""
_QUERIES: Final = frozenset({SH.select, SH.ask, SH.construct, SH.update})
_REACHES_OUT: Final = re.compile(r"\b(SERVICE|FROM|LOAD)\b", re.IGNORECASE)
_FORBIDDEN_EVENTS: Final = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "urllib.")


def check_user_shapes(data: Sequence[LocatedGraph], shapes: LocatedGraph, seconds: float = 5.0) -> list[Problem]:
    """Return what the shapes find in the source graphs, or why the shapes themselves are refused.

    They may compute for about so many seconds.
    """
    refusals = [problem for triple in shapes.graph for problem in _refusals(shapes, triple)] or _slow(data, shapes)
    if refusals:
        return tidy(refusals)
    parts = next((graph.parts for graph in data if isinstance(graph, Joined)), ())
    loose = [graph for graph in data if not isinstance(graph, Joined) and not (parts and graph in parts[0])]
    order = json.dumps(
        {
            "data": [_pack(graph) for graph in loose],
            "parts": [[graph and _pack(graph) for graph in part] for part in parts],
            "shapes": _pack(shapes),
            "seconds": seconds,
        }
    )
    command = [sys.executable, "-P", "-m", "transmissions.usershapes"]
    limit = seconds + _PATIENCE
    try:
        done = subprocess.run(command, input=order, capture_output=True, encoding="utf-8", timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return [_failed(shapes, "limit", f"these shapes take longer than {limit:g} s, the limit of a validation")]
    if done.returncode == -_OVERTIME:
        return [_failed(shapes, "limit", f"these shapes take longer than {seconds:g} s, the limit of a validation")]
    if done.returncode == 0:
        return tidy(_unpack(fields) for fields in json.loads(done.stdout))
    return [_broken(shapes, done.returncode, done.stderr)]


def _refusals(shapes: LocatedGraph, triple: Triple) -> Iterator[Problem]:
    _, predicate, value = triple
    message = ""
    code = "limit"
    if str(predicate).startswith(f"{SH}js"):
        message = "JavaScript in shapes is never run"
    elif predicate in _QUERIES and (word := _REACHES_OUT.search(str(value))):
        message = f"a query with {word[1].upper()} reaches out, and nothing is ever fetched"
    elif predicate == SH.pattern:
        code, message = judge(str(value))
    if message:
        places = shapes.triple(*triple)
        yield Problem("error", code, message, places[2] if places else None)


def _slow(data: Sequence[LocatedGraph], shapes: LocatedGraph) -> list[Problem]:
    """Report a pattern that takes too long over the texts of the app."""
    triples = list(shapes.graph.triples((None, SH.pattern, None)))
    if not triples:
        return []
    texts = {str(value) for located in data for value in located.graph.objects()}
    number = find_slow([_written(shapes, subject, value) for subject, _, value in triples], sorted(texts, key=len))
    if number is None:
        return []
    places = shapes.triple(*triples[number])
    sentence = f"this pattern takes longer than {SECONDS} s over the texts of the app, the limit of a pattern"
    return [Problem("error", "limit", sentence, places[2] if places else None)]


def _written(shapes: LocatedGraph, subject: Node, pattern: Node) -> str:
    """Return a pattern with its flags in front."""
    flags = "".join(sorted(set(str(shapes.graph.value(subject, SH.flags) or "")) & set("imsx")))
    return f"(?{flags}){pattern}" if flags and not str(pattern).startswith("(?") else str(pattern)


def _failed(shapes: LocatedGraph, code: str, message: str) -> Problem:
    return Problem("error", code, message, shapes.document.span(0, len(shapes.document.line(1))))


def _broken(shapes: LocatedGraph, code: int, output: str) -> Problem:
    last = output.strip().splitlines()[-1] if output.strip() else f"the validator ended with code {code}"
    if "MemoryError" in last:
        return _failed(shapes, "limit", f"these shapes take more than {MAX_MEMORY >> 20} MiB, the limit of a validation")
    if code < 0:
        return _failed(shapes, "limit", "these shapes take more time or memory than a validation may")
    return _failed(shapes, "shape", f"these shapes cannot be run: {last}")


def _pack(located: LocatedGraph) -> list[str | None]:
    document = located.document
    return [document.name, document.text, str(document.path) if document.path else None]


def _unpack(fields: list[Any]) -> Problem:
    severity, code, message, span, label, mend, related = fields
    labels = tuple(Label(Span(*place), text) for place, text in related)
    return Problem(severity, code, message, Span(*span) if span else None, label, mend, labels)


def _load(name: str, text: str, path: str | None) -> LocatedGraph:
    return load(Document(name, text, Path(path) if path else None))


def _confine(seconds: float) -> None:
    """Bound this process's time and memory, and shut every way out of it."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        cpu = math.ceil(time.process_time() + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))  # At the second the process is killed, whatever it heeds.
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    sys.addaudithook(_stay_inside)


def _stay_inside(event: str, _arguments: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN_EVENTS):
        raise PermissionError(f"{event} is not allowed while shapes are checked")


def _validate(data: list[LocatedGraph], shapes: LocatedGraph) -> list[Problem]:
    import pyshacl

    from .shacl_results import Report

    merged = Graph(bind_namespaces="none")
    for located in data:
        merged += located.graph
    _, results, text = pyshacl.validate(
        merged, shacl_graph=shapes.graph, inference="none", advanced=False, js=False, do_owl_imports=False
    )
    if isinstance(results, Graph):
        return Report(data, merged, shapes, results).problems()
    return [_failed(shapes, "shape", f"these shapes cannot be run: {text}")]


def main() -> None:
    """Check the graphs given on standard input, and write the problems to standard output."""
    order = json.load(sys.stdin)
    import pyshacl.errors

    _confine(order["seconds"])
    shapes = _load(*order["shapes"])
    try:
        parts = [Part(*(packed and _load(*packed) for packed in part)) for part in order["parts"]]
        joined = filter(None, join(parts)) if parts else ()
        problems = _validate([*(_load(*packed) for packed in order["data"]), *joined], shapes)
    except pyshacl.errors.ReportableRuntimeError as error:
        problems = [_failed(shapes, "shape", f"these shapes cannot be run: {str(error.message).splitlines()[0]}")]
    json.dump(problems, sys.stdout)


if __name__ == "__main__":
    main()
