"""`:import`: an app built on another. It has what it refers to of that one's declarations; what it says itself is stronger.

    <> :import "crawl" .            # or "../crawl", from this app's folder

Files of one role become one layer: `transmissions.ttl` with the imported ones, `config.ttl` with theirs. What an app declares
itself, with a class, is its own altogether; of anything else what either of its files says of a property replaces what imported
files say of that property. An app is stronger than all it is built on, and of several imports the first is the strongest. What
is not reached from what the app speaks of stays behind, and of a transmission all but its pipe: no run starts it by itself, and
it has no arguments and no endpoints.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rdflib import RDF, Literal, URIRef

from .cache import digests
from .declarations import TRANSMISSION_TYPES
from .errors import UsageError
from .findings import ERROR, STRICT, Findings, did_you_mean
from .homes import find_app
from .located import LocatedGraph
from .placements import TRN, show
from .prepare import made_from
from .terms import NAMESPACE, local_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rdflib import Graph
    from rdflib.term import Node

    from .homes import App
    from .problem import Span

    Load = Callable[[Path, Findings], LocatedGraph | None]

IMPORT: Final = TRN["import"]
MOST: Final = 16
"""Apps that one may be built on, directly or not."""


class Part(NamedTuple):
    """The graphs of one app: of its `transmissions.ttl`, and of its `config.ttl` if it has one."""

    main: LocatedGraph
    config: LocatedGraph | None


class Joined(LocatedGraph):
    """One graph out of several documents; the places of triples are those in their own documents."""

    def __init__(self, parts: Sequence[Part], own: LocatedGraph | None, others: Sequence[LocatedGraph]) -> None:
        super().__init__((own or others[0]).document)
        self.parts = parts
        """All that was joined, this role and others, the app's own first."""
        self._all = (*([own] if own else []), *others)
        for triple in own.graph if own else ():
            self.graph.add(triple)

    def triple(self, s: Node, p: Node, o: Node) -> tuple[Span, Span, Span] | None:
        """Return where subject, predicate and object of a triple stand."""
        return next((found for part in self._all if (found := part.triple(s, p, o))), None)

    def node(self, term: Node) -> Span | None:
        """Return where the strongest document that has a term has it."""
        return next((found for part in self._all if (found := part.node(term))), None)

    def text(self, iri: str) -> str:
        """Return an IRI by its relative name in whichever of the documents' folders it lies."""
        return min((part.text(iri) for part in self._all), key=len)


def join(parts: Sequence[Part]) -> Part:
    """Return an app's own part with what it reaches of the others, the strongest of which come first."""
    own, *others = parts
    if not others:
        return own
    configs = [part.config for part in others if part.config]
    main = Joined(parts, own.main, [part.main for part in others])
    config = Joined(parts, own.config, configs) if configs else own.config
    main.graph.remove((None, IMPORT, None))
    graphs = [graph.graph for graph in (main, config) if graph]
    waiting = list({node: None for graph in graphs for node in graph.all_nodes()})
    reached = set(waiting)
    for node in waiting:  # It grows on the way.
        for part in others:
            _take(node, part, main.graph, config.graph if config else None)
        values = (value for graph in graphs for value in _leads_to(node, graph, others))
        found = {value: None for value in values if value not in reached}
        reached.update(found)
        waiting += found
    return Part(main, config)


def _take(node: Node, part: Part, main: Graph, config: Graph | None) -> None:
    """Take over what a weaker app says of a node, where no stronger one did; of a transmission its pipe."""
    if (node, RDF.type, None) in main:
        return
    # A class in `config.ttl` is a remark.
    remarks = {*config.predicates(node)} - {RDF.type} if config is not None else set()
    said = {IMPORT, *main.predicates(node), *remarks}
    is_pipe = any(kind in TRANSMISSION_TYPES for kind in part.main.graph.objects(node, RDF.type))
    for source, graph in ((part.main, main), (part.config, config)):
        for _, predicate, value in source.graph.triples((node, None, None)) if source else ():
            is_of_runs = is_pipe and str(predicate).startswith(NAMESPACE) and predicate != TRN.pipe
            if predicate not in said and not is_of_runs and graph is not None:
                graph.add((node, predicate, TRN.Transmission if value == TRN.EntryTransmission else value))


def _leads_to(node: Node, graph: Graph, parts: Sequence[Part]) -> list[Node]:
    """Return what a node refers to; a transmission may be named by a text, as where to GOTO."""
    found: list[Node] = []
    for predicate, value in graph.predicate_objects(node):
        found.append(value)
        if isinstance(value, Literal) and str(predicate).startswith(NAMESPACE):
            named = URIRef(f"{NAMESPACE}{value}") if value.isidentifier() else None
            kinds = {kind for part in parts if named for kind in part.main.graph.objects(named, RDF.type)}
            found += [named] if named and kinds.intersection(TRANSMISSION_TYPES) else []
    return found


class Imports:
    """Finds and reads what an app is built on."""

    def __init__(self, load: Load, findings: Findings) -> None:
        self.inputs: dict[str, str | None] = {}
        """The digests of the files of all that was found, taken before these were read."""
        self._load = load
        self._findings = findings
        self._seen: set[Path] = set()
        self._found: list[tuple[App, Part]] = []

    @property
    def apps(self) -> tuple[App, ...]:
        """Those found: each before all that it is built on, and else in the order in which they are named."""
        return tuple(app for app, _ in self._found)

    def join(self, app: App, own: Part) -> Part | None:
        """Return an app with all it is built on; None if some of that cannot be had, which was reported."""
        return join([own, *(part for _, part in self._found)]) if self._follow_all(app, own, (app,)) else None

    def _follow_all(self, app: App, part: Part, chain: tuple[App, ...]) -> bool:
        wanted = _check_terms(part.main, self._findings)
        # All are followed, though one be missing: every fault is told at once. The last goes first, so that it ends last.
        return sum(not self._follow(app, term, span, chain) for span, term in reversed(wanted)) == 0

    def _follow(self, app: App, term: Node, span: Span, chain: tuple[App, ...]) -> bool:
        fault, found = _find(app, term)
        folders = [one.folder for one in chain]
        if found and found.folder in folders:
            way = " > ".join(one.name for one in (*chain[folders.index(found.folder) :], found))
            fault = f"'{found.name}' is built on itself: {way}"
        elif found and found.folder not in self._seen and len(self._seen) >= MOST:
            fault = f"an app can be built on at most {MOST} others"
        if fault or not found:
            self._findings.report(ERROR, "import", fault, span)
            return False
        return found.folder in self._seen or self._read(found, (*chain, found))

    def _read(self, app: App, chain: tuple[App, ...]) -> bool:
        main, config = app.folder / "transmissions.ttl", app.folder / "config.ttl"
        self._seen.add(app.folder)
        self.inputs |= digests(made_from(app))
        read = self._load(main, self._findings)
        told = self._load(config, self._findings) if config.exists() else None
        if read is None or (told is None and config.exists()):
            return False
        part = Part(read, told)
        whole = self._follow_all(app, part, chain)
        self._found.insert(0, (app, part))
        return whole


def _find(app: App, term: Node) -> tuple[str, App | None]:
    """Return the app that an import means, or why there is none."""
    if not isinstance(term, Literal):
        return 'an import is written as a text: the name of an app, or the path to its folder, as in "../crawl"', None
    text = str(term)
    is_path = "/" in text or text in {".", ".."}
    # A link is followed before `..` is, as the system does it.
    place = Path(os.path.realpath(app.folder if is_path else app.home.folder))
    try:
        found = find_app(os.path.realpath(place / text) if is_path else text, place)
    except UsageError as error:
        return (f"there is no app at '{text}', seen from {place}" if is_path else str(error)), None
    return (f"'{text}' names a part of an app; import the app", None) if found.subtask else ("", found)


def _check_terms(main: LocatedGraph, findings: Findings) -> list[tuple[Span, Node]]:
    """Return what a `transmissions.ttl` imports, by place; report what else it says of itself, with `<>`, and other imports."""
    itself = URIRef(main.document.base)
    wanted = []
    for subject, predicate, value in main.graph:
        spans = main.triple(subject, predicate, value)
        if not spans or (subject != itself and predicate != IMPORT) or not str(predicate).startswith(NAMESPACE):
            continue
        if subject != itself:
            sentence = f"{show(subject)} cannot import: that is said of the file"
            findings.report(ERROR, "import", sentence, spans[1], mend=f'write `<> :import "{value}" .`')
        elif predicate == IMPORT:
            wanted.append((spans[2], value))
        else:
            mend = did_you_mean(local_name(str(predicate)), ["import"])
            findings.report(STRICT, "unknown-setting", f"a file has no setting {show(predicate)}", spans[1], mend=mend)
    return sorted(wanted)
