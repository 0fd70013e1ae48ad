"""`:import`: an app built on another. It has what it refers to of that one's declarations; what it says itself is stronger.

    <> :import "crawl" .            # or "../crawl", from this app's folder

Files of one role become one layer: `transmissions.ttl` with the imported ones, `config.ttl` with theirs. What an app declares
itself, with a class, is its own altogether; of anything else what it says of a property replaces what the imported files say of
that property. What is not reached from what the app speaks of stays behind, and of a transmission all but its pipe: no run
starts it by itself, and it has no arguments and no endpoints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rdflib import RDF, Literal

from .cache import digests
from .declarations import TRANSMISSION_TYPES
from .errors import UsageError
from .findings import ERROR, Findings
from .homes import find_app
from .located import LocatedGraph
from .placements import TRN
from .terms import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rdflib.term import Node

    from .homes import App
    from .problem import Span

    Load = Callable[[Path, Findings], LocatedGraph | None]

IMPORT: Final = TRN["import"]
MOST: Final = 16
"""Apps that one may be built on, directly or not."""


class Part(NamedTuple):
    """The graphs of one app: of its `transmissions.ttl`, and of its `config.ttl` if it has one."""

    app: App
    main: LocatedGraph
    config: LocatedGraph | None


class Joined(LocatedGraph):
    """One graph out of several documents; the places of triples are those in their own documents."""

    def __init__(self, own: LocatedGraph | None, others: Sequence[LocatedGraph]) -> None:
        super().__init__((own or others[0]).document)
        self._all = (*([own] if own else []), *others)
        for triple in own.graph if own else ():
            self.graph.add(triple)

    def triple(self, s: Node, p: Node, o: Node) -> tuple[Span, Span, Span] | None:
        """Return where subject, predicate and object of a triple stand."""
        return next((found for part in self._all if (found := part.triple(s, p, o))), None)

    def node(self, term: Node) -> Span | None:
        """Return where the strongest document that has a term has it."""
        return next((found for part in self._all if (found := part.node(term))), None)

    def take(self, node: Node, part: LocatedGraph) -> None:
        """Take over what a weaker document says of a node, where no stronger one did; of a transmission its pipe."""
        said = {*self.graph.predicates(node), IMPORT}
        is_pipe = any(kind in TRANSMISSION_TYPES for kind in part.graph.objects(node, RDF.type))
        for _, predicate, value in part.graph.triples((node, None, None)):
            is_of_runs = is_pipe and str(predicate).startswith(NAMESPACE) and predicate != TRN.pipe
            if predicate not in said and not is_of_runs:
                self.graph.add((node, predicate, TRN.Transmission if value == TRN.EntryTransmission else value))


class Imports:
    """Finds and reads what an app is built on."""

    def __init__(self, load: Load, findings: Findings) -> None:
        self.apps: list[App] = []
        """Those found, the strongest first."""
        self.inputs: dict[str, str | None] = {}
        """The digests of their files, taken before these were read."""
        self._load = load
        self._findings = findings
        self._parts: list[Part] = []

    def join(self, own: Part) -> tuple[LocatedGraph, LocatedGraph | None] | None:
        """Return the graphs of an app with all it is built on; None if some of that cannot be had, which was reported."""
        if not self._gather(own, (own.app,)):
            return None
        configs = [part.config for part in self._parts if part.config]
        main = Joined(own.main, [part.main for part in self._parts])
        config = Joined(own.config, configs) if configs else own.config
        main.graph.remove((None, IMPORT, None))
        graphs = [graph.graph for graph in (main, config) if graph]
        waiting = list({node: None for graph in graphs for node in graph.all_nodes()})
        reached = set(waiting)
        for node in waiting:  # It grows on the way.
            self._take(node, main, config)
            found = {value: None for graph in graphs for value in graph.objects(node, None) if value not in reached}
            reached.update(found)
            waiting += found
        return main, config

    def _take(self, node: Node, main: Joined, config: LocatedGraph | None) -> None:
        for part in self._parts:
            if (node, RDF.type, None) in main.graph:
                return
            main.take(node, part.main)
            if part.config and isinstance(config, Joined):
                config.take(node, part.config)

    def _gather(self, part: Part, chain: tuple[App, ...]) -> bool:
        found = [(term, part.main.triple(subject, IMPORT, term)) for subject, term in part.main.graph.subject_objects(IMPORT)]
        wanted = sorted((spans[2], term) for term, spans in found if spans)
        # All are followed, though one be missing: every fault is told at once.
        return sum(not self._follow(part.app, term, span, chain) for span, term in wanted) == 0

    def _follow(self, app: App, term: Node, span: Span | None, chain: tuple[App, ...]) -> bool:
        fault, found = self._find(app, term)
        folders = [one.folder for one in chain]
        if found and found.folder in folders:
            way = " > ".join(one.name for one in (*chain[folders.index(found.folder) :], found))
            fault = f"'{found.name}' is built on itself: {way}"
        elif found and len(self.apps) >= MOST:
            fault = f"an app can be built on at most {MOST} others"
        if fault or not found:
            self._findings.report(ERROR, "import", fault, span)
            return False
        return found in self.apps or self._read(found, chain)

    def _find(self, app: App, term: Node) -> tuple[str, App | None]:
        if not isinstance(term, Literal):
            return 'an import is written as a text: the name of an app, or the path to its folder, as in "../crawl"', None
        try:
            found = find_app(str(term), app.folder if "/" in term else app.home.folder)
        except UsageError as error:
            return str(error), None
        return (f"'{term}' names a part of an app; import the app", None) if found.subtask else ("", found)

    def _read(self, app: App, chain: tuple[App, ...]) -> bool:
        files = [app.folder / "transmissions.ttl", app.folder / "config.ttl"]
        self.apps.append(app)
        self.inputs |= digests([*files, app.folder / "processors", app.home.processors])
        main = self._load(files[0], self._findings)
        config = self._load(files[1], self._findings) if files[1].exists() else None
        if main is None or (config is None and files[1].exists()):
            return False
        part = Part(app, main, config)
        self._parts.append(part)
        return self._gather(part, (*chain, app))
