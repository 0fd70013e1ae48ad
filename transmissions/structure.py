"""The structure of an app: which transmissions there are, which nodes stand in their pipes, and what is wrong with that.

Nested transmissions are laid out in place, so one node may be placed several times; each placement has a path of its own
(`converter/clean/strip`), the key for settings, metrics and checkpoints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rdflib import RDF, RDFS, Literal

from .branches import FORKS, read_fork
from .declarations import DOCUMENTARY, TRANSMISSION_TYPES, declared_transmissions, find_untyped_pipes, first_line, report_none
from .depths import with_depths
from .errors import ConfigError
from .findings import ERROR
from .near import nearest
from .placements import TRN, Names, Pipeline, Placed, Step, Steps, show
from .problem import Span, label_at
from .rdflists import is_list, read_list
from .sharing import WORKERS, read_workers
from .terms import NAMESPACE
from .unknown import how_to_declare, report_unknown

if TYPE_CHECKING:
    from rdflib.term import Node

    from .findings import Findings
    from .loader import Layer, Layers, Value
    from .registry import Registry
    from .spec import Spec

MAX_NODES: Final = 2000
"""Placements in one app, nested ones counted where they are laid out."""
MAX_NESTING: Final = 32


class Chain(NamedTuple):
    """Where in the nesting a pipe is being read."""

    path: str
    within: tuple[Node, ...]

    def inside(self, name: str, *nodes: Node) -> Chain:
        """Return the chain one level down."""
        return Chain(f"{self.path}/{name}", (*self.within, *nodes))


def read_structure(layers: Layers, registry: Registry, findings: Findings) -> tuple[Pipeline, ...]:
    """Return every transmission of an app, in the order of the file, with its nodes laid out. Runs start its own only."""
    reader = PipeReader(layers.main, registry, findings)
    if not find_untyped_pipes(reader.layer, reader.declared, findings) and not reader.declared:
        report_none(layers.main, findings, [base.name for base in layers.bases])
    read = [reader.read(node) for node in reader.declared]
    if reader.is_beyond_limit:
        return ()
    has_entry = any(pipeline.entry for pipeline in read)
    own = layers.main.source.document.name
    return tuple(p if has_entry else p._replace(entry=p.node not in reader.nested and p.span.file == own) for p in read)


class PipeReader:
    """Reads pipes into steps; branches and nested transmissions come back to it."""

    def __init__(self, layer: Layer, registry: Registry, findings: Findings) -> None:
        self.layer = layer
        self.registry = registry
        self.findings = findings
        self.declared = declared_transmissions(layer)
        self.nested: set[Node] = set()
        self._names = Names()
        self._circles: set[frozenset[Node]] = set()
        self._room = MAX_NODES

    def read(self, node: Node) -> Pipeline:
        """Read one transmission."""
        span = self.span_of(node)
        name = self._names.give(node, "Transmission")
        steps, _ = with_depths(self.pipe(node, Chain(name, (node,))), 0, self.findings)
        label = self.layer.graph.value(node, RDFS.label)
        entry = (node, RDF.type, TRN.EntryTransmission) in self.layer.graph
        return Pipeline(name, str(label or ""), node, entry, steps, span)

    def span_of(self, node: Node) -> Span:
        """Return where a node is described."""
        return self.layer.span(node) or first_line(self.layer)

    def pipe(self, owner: Node, chain: Chain, names: Names | None = None) -> Steps:
        """Read the pipe of a transmission, a branch or workers."""
        heads = self.layer.values(owner, TRN.pipe)
        return () if self._pipe_problem(owner, heads) else self.steps(heads[0], chain, names)

    def _pipe_problem(self, owner: Node, heads: list[Value]) -> bool:
        report, name = self.findings.report, show(owner)
        mend = "write one list, `:pipe ( :first :second )`"
        if not heads:
            # One that is misspelt is told as that.
            if self.findings.compat or not nearest(":pipe", map(show, self.layer.terms(owner))):
                report(ERROR, "missing-pipe", f"{name} has no :pipe", self.span_of(owner), mend=mend)
        elif len(heads) > 1:
            related = label_at(heads[0].span, "the first")
            report(ERROR, "two-pipes", f"{name} has {len(heads)} pipes", heads[1].span, mend=mend, related=related)
        elif heads[0].term == RDF.nil:
            report(ERROR, "empty-pipe", f"the pipe of {name} is empty", heads[0].span)
        elif not is_list(self.layer, heads[0]):
            report(ERROR, "pipe-not-a-list", f"the :pipe of {name} is not a list", heads[0].span, mend=mend)
        else:
            return False
        return True

    def steps(self, head: Value, chain: Chain, names: Names | None = None) -> Steps:
        """Read the members of a pipe's list; `names` holds those that are taken."""
        reading = read_list(self.layer, head)
        if reading.fault:
            self.findings.report(ERROR, "broken-list", reading.fault, head.span)
        names = names or Names()
        first_place: dict[Node, Value] = {}
        steps: list[Step] = []
        for member in reading.members:
            if member.term in first_place:
                self._report_duplicate(member, first_place[member.term])
                continue
            first_place[member.term] = member
            steps += self._step(member, chain, names)
        return tuple(steps)

    def _report_duplicate(self, member: Value, first: Value) -> None:
        name = show(member.term)
        related = label_at(first.span, "here already")
        mend = f"declare a second node of the same class for the second place of {name}"
        self.findings.report(
            ERROR, "duplicate-node", f"{name} stands twice in one pipe", member.span, "again", mend=mend, related=related
        )

    def _step(self, member: Value, chain: Chain, names: Names) -> Steps:
        if self._is_full(member):
            return ()
        if isinstance(member.term, Literal):
            mend = f"write `:{member.term}`" if member.term.isidentifier() else ""
            self.findings.report(ERROR, "not-a-node", f"'{member.term}' is a value, not a node", member.span, mend=mend)
            return ()
        types = self.types(member.term)
        if any(kind.term in TRANSMISSION_TYPES for kind in types):
            return self.nest(member, chain, names)
        span = member.span or self.span_of(member.term)
        if types and types[0].term in FORKS:
            return self.fork(member._replace(span=span), types[0].term, chain, names)
        if types and types[0].term == WORKERS:
            return () if self._is_endless(member, chain) else (read_workers(self, member, chain, names),)
        spec = self._spec(member, types, chain)
        return (Placed(f"{chain.path}/{names.give(member.term, spec.name)}", member.term, spec, span),) if spec else ()

    def _is_full(self, member: Value) -> bool:
        self._room -= 1
        if self._room == -1:
            self.findings.report(ERROR, "too-many-nodes", f"the app places more than {MAX_NODES:,} nodes", member.span)
        return self.is_beyond_limit

    @property
    def is_beyond_limit(self) -> bool:
        """Whether reading was broken off; what was read then is not worth looking at."""
        return self._room < 0

    def nest(self, member: Value, chain: Chain, names: Names) -> Steps:
        """Lay a nested transmission out in place."""
        node = member.term
        self.nested.add(node)
        if self._is_endless(member, chain):
            return ()
        return self.pipe(node, chain.inside(names.give(node, "Transmission"), node))

    def fork(self, member: Value, kind: Node, chain: Chain, names: Names) -> Steps:
        """Read a fork and its branches."""
        return () if self._is_endless(member, chain) else (read_fork(self, member, kind, chain, names),)

    def _is_endless(self, member: Value, chain: Chain) -> bool:
        """Whether a transmission or fork stands in itself, or too deep in others."""
        if member.term in chain.within:
            self._report_cycle(member, chain.within[chain.within.index(member.term) :])
            return True
        if len(chain.within) >= MAX_NESTING:
            sentence = f"transmissions and forks are nested more than {MAX_NESTING} deep"
            self.findings.report(ERROR, "too-deep", sentence, member.span)
            return True
        return False

    def _report_cycle(self, member: Value, circle: tuple[Node, ...]) -> None:
        # Each transmission of a circle is read, and comes upon the same circle at another place.
        if frozenset(circle) not in self._circles:
            self._circles.add(frozenset(circle))
            way = " > ".join(show(step) for step in (*circle, member.term))
            self.findings.report(ERROR, "cycle", f"{show(member.term)} contains itself: {way}", member.span)

    def types(self, node: Node) -> list[Value]:
        """Return the types of a node that mean something here; report a second one."""
        written = [kind for kind in self.layer.values(node, RDF.type) if kind.term not in DOCUMENTARY]
        ours = [kind for kind in written if str(kind.term).startswith(NAMESPACE) or self.registry.get(str(kind.term))]
        kinds = ours or written
        if len(kinds) > 1 and not all(kind.term in TRANSMISSION_TYPES for kind in kinds):
            both = f"{show(kinds[0].term)} and {show(kinds[1].term)}"
            related = label_at(kinds[0].span, "the first")
            sentence = f"{show(node)} is both {both}"
            self.findings.report(ERROR, "two-types", sentence, kinds[1].span, "one too many", related=related)
        return kinds

    def _spec(self, member: Value, types: list[Value], chain: Chain) -> Spec | None:
        references = self.layer.values(member.term, TRN.implementedBy)
        if references:
            return self._implementation(references)
        if not types:
            self._report_undeclared(member, chain)
            return None
        iri = str(types[0].term)
        spec = self.registry.get(iri)
        if spec is None and iri not in self.registry.failed:
            report_unknown(self.layer, member, types[0], self.registry, self.findings)
        return spec

    def _implementation(self, references: list[Value]) -> Spec | None:
        reference = references[0]
        if len(references) > 1 or not isinstance(reference.term, Literal):
            sentence = ":implementedBy takes one text, `module:Class`"
            self.findings.report(ERROR, "implementation", sentence, references[-1].span)
            return None
        try:
            return self.registry.implemented_by(str(reference.term))
        except ConfigError as error:
            self.findings.extend(problem.as_seen_from(reference.span) for problem in error.problems)
        return None

    def _report_undeclared(self, member: Value, chain: Chain) -> None:
        mend = how_to_declare(self.layer, member, self.registry.names())
        sentence = f"{show(member.term)} stands in the pipe of {chain.path} but is not declared"
        self.findings.report(ERROR, "undeclared-node", sentence, member.span, mend=mend)
