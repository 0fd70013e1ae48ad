"""The files of an app, loaded as layers: the strongest first, each with the place of everything it says.

    tt.ttl of the target   >   transmissions.ttl   >   config.ttl   >   a profile

Only `transmissions.ttl` says which nodes there are and how they are linked; the other layers fill settings in. A profile does
so for all nodes of a class, which is its subject.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from rdflib import BNode, Literal, URIRef

from . import located, turtle
from .errors import ConfigError
from .findings import ERROR, did_you_mean
from .homes import bundled
from .imports import Imports, Part
from .terms import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rdflib import Graph
    from rdflib.term import Node

    from .findings import Findings
    from .homes import App
    from .located import LocatedGraph, Term
    from .problem import Span

TARGET: Final = "target"
MAIN: Final = "transmissions"
CONFIG: Final = "config"
PROFILE: Final = "profile"
OVERRIDE: Final = "--set"
_OWN: Final = ((MAIN, "transmissions.ttl"), (CONFIG, "config.ttl"))


class Value(NamedTuple):
    """One value of a property, where it stands and which layer says it."""

    term: Node
    span: Span | None
    key: Span | None = None
    """Where the property's name stands."""
    layer: str = ""


class Layer:
    """One file's graph."""

    def __init__(self, role: str, path: Path, source: LocatedGraph) -> None:
        self.role = role
        self.path = path
        self.source = source

    @property
    def graph(self) -> Graph:
        """The triples of this file."""
        return self.source.graph

    @cached_property
    def subjects(self) -> list[URIRef]:
        """Everything with a name that this file describes."""
        return [node for node in dict.fromkeys(self.graph.subjects()) if isinstance(node, URIRef)]

    def text(self, iri: str) -> str:
        """Return an IRI as it is meant where a text is wanted: one below this file's folder by its relative name."""
        return self.source.text(iri)

    def values(self, subject: Node, predicate: Node) -> list[Value]:
        """Return the values of a property in the order they are written."""
        found = [self._value(subject, predicate, term) for term in self.graph.objects(subject, predicate)]
        return sorted(found, key=_order) if len(found) > 1 else found

    def _value(self, subject: Node, predicate: Node, term: Node) -> Value:
        spans = self.source.triple(_term(subject), _term(predicate), _term(term))
        return Value(term, spans[2], spans[1], self.role) if spans else Value(term, None, None, self.role)

    def terms(self, subject: Node) -> Iterator[Node]:
        """Yield the properties of a subject that are in our namespace."""
        for predicate in dict.fromkeys(self.graph.predicates(subject)):
            if str(predicate).startswith(NAMESPACE):
                yield predicate

    def describes(self, subject: Node) -> bool:
        """Whether this file says anything about a subject."""
        return (subject, None, None) in self.graph

    def uses(self, predicate: Node) -> bool:
        """Whether this file says anything with a property."""
        return (None, predicate, None) in self.graph

    def span(self, subject: Node) -> Span | None:
        """Return where a subject is first described."""
        return self.source.node(_term(subject))


class Layers(NamedTuple):
    """All layers of a run, the strongest first."""

    all: tuple[Layer, ...]
    complete: bool = True
    """Whether all could be read and had: else what seems to be missing may stand in the rest."""
    bases: tuple[App, ...] = ()
    """The apps that the app is built on."""
    inputs: Mapping[str, str | None] = MappingProxyType({})
    """The digests of their files."""
    joined: bool = True
    """Whether all that the app is built on could be had."""

    @property
    def main(self) -> Layer:
        """The layer of `transmissions.ttl`."""
        return next(layer for layer in self.all if layer.role == MAIN)

    def get(self, role: str) -> Layer | None:
        """Return a layer by its role."""
        return next((layer for layer in self.all if layer.role == role), None)

    def describes(self, subject: Node) -> bool:
        """Whether any layer says anything about a subject."""
        return any(layer.describes(subject) for layer in self.all)


def _term(node: Node) -> Term:
    assert isinstance(node, URIRef | BNode | Literal), "Turtle has no other terms"
    return node


def _order(value: Value) -> tuple[int, int]:
    return (value.span.line, value.span.column) if value.span else (0, 0)


def load(app: App, target: Path | None, profile: Path | None, findings: Findings) -> Layers | None:
    """Load an app's files; return None where `transmissions.ttl` cannot be read. Faults of the files go to `findings`."""
    main = _load_file(MAIN, app.folder / "transmissions.ttl", findings)
    others = [_load_file(role, path, findings) for role, path in optional_files(app, target, profile) if path.exists()]
    loaded = {layer.role: layer for layer in (main, *others) if layer}
    if main is None:
        return None
    imports = Imports(_read, findings)
    joined = _join(app, loaded, imports)
    ordered = [loaded[role] for role in (TARGET, MAIN, CONFIG, PROFILE) if role in loaded]
    return Layers(tuple(ordered), joined and None not in others, imports.apps, imports.inputs, joined)


def _join(app: App, loaded: dict[str, Layer], imports: Imports) -> bool:
    """Put what an app is built on into its layers; return whether all of that can be had."""
    config = loaded.get(CONFIG)
    joined = imports.join(app, Part(loaded[MAIN].source, config.source if config else None))
    for (role, name), graph in zip(_OWN, joined or (None, None), strict=True):
        if graph:
            loaded[role] = Layer(role, app.folder / name, graph)
    return joined is not None


def optional_files(app: App, target: Path | None, profile: Path | None) -> list[tuple[str, Path]]:
    """Return the files an app may have beside `transmissions.ttl`, by role."""
    files = [(CONFIG, app.folder / "config.ttl")]
    if target:
        files.append((TARGET, target / "tt.ttl"))
    if profile:
        files.append((PROFILE, profile))
    return files


def _load_file(role: str, path: Path, findings: Findings) -> Layer | None:
    source = _read(path, findings)
    return Layer(role, path, source) if source else None


def _read(path: Path, findings: Findings) -> LocatedGraph | None:
    try:
        return load_file(path)
    except ConfigError as error:
        findings.extend(error.problems)
    return None


def load_file(path: Path) -> LocatedGraph:
    """Load a Turtle file; people are shown its name as seen from the working directory."""
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return located.load(turtle.read(path, str(shown)))


def profiles() -> Path:
    """Return the folder of profiles."""
    return bundled().folder / "configs" / "profiles"


def profile_file(folder: Path, name: str, findings: Findings, span: Span | None = None) -> Path | None:
    """Return the file of a profile, `NAME.ttl` in the profiles' folder."""
    known = {path.stem: path for path in sorted(folder.glob("*.ttl"))}
    if name not in known:
        sentence = f"there is no profile '{name}' in {folder}"
        mend = did_you_mean(name, known, "") or f"there are {', '.join(known)}"
        findings.report(ERROR, "unknown-profile", sentence, span, mend=mend)
    return known.get(name)


def with_profile(layers: Layers, named: Value, findings: Findings) -> Layers:
    """Return layers with a profile that something names for itself: before that of the run, behind everything else."""
    path = profile_file(profiles(), str(named.term), findings, named.span)
    layer = _load_file(PROFILE, path, findings) if path else None
    others = tuple(one for one in layers.all if one.role != PROFILE)
    return layers._replace(all=(*others, *([layer] if layer else []), *layers.all[len(others) :]))
