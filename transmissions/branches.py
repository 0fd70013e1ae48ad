"""Forks in a pipe: `:FanOut` sends a copy down every branch, `:Route` chooses one by its `:when`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rdflib import BNode, URIRef

from .findings import ERROR, WARNING, did_you_mean
from .placements import TRN, Branch, Forked, Names, show
from .rdflists import is_list, read_list
from .terms import local_name

if TYPE_CHECKING:
    from rdflib.term import Node

    from .loader import Value
    from .problem import Span
    from .structure import Chain, PipeReader

FORKS: Final = {TRN.FanOut: "all", TRN.Route: "first"}
_FORK_TERMS: Final = ("branches",)
_BRANCH_TERMS: Final = ("when", "pipe")


def read_fork(reader: PipeReader, member: Value, kind: Node, chain: Chain, names: Names) -> Forked:
    """Read a fork and everything in its branches."""
    span = _span(reader, member)
    _check_terms(reader, member.term, _FORK_TERMS, kind)
    inner = chain.inside(names.give(member.term, local_name(str(kind))), member.term)
    how = FORKS[URIRef(str(kind))]
    branches = tuple(_branch(reader, way, inner, number) for number, way in enumerate(_ways(reader, member), 1))
    _check_conditions(reader, how, branches)
    return Forked(inner.path, how, branches, span)


def _ways(reader: PipeReader, member: Value) -> list[Value]:
    heads = reader.layer.values(member.term, TRN.branches)
    if len(heads) == 1 and is_list(reader.layer, heads[0]):
        reading = read_list(reader.layer, heads[0])
        if reading.fault:
            reader.findings.report(ERROR, "broken-list", reading.fault, heads[0].span)
        if reading.members:
            return reading.members
    sentence = f"{show(member.term)} needs one list of branches"
    span = heads[-1].span if heads else member.span
    reader.findings.report(ERROR, "missing-branches", sentence, span, mend="write `:branches ( ( :a :b ) ( :c ) )`")
    return []


def _branch(reader: PipeReader, way: Value, chain: Chain, number: int) -> Branch:
    span = _span(reader, way)
    inner = chain.inside(str(number))
    if is_list(reader.layer, way):
        return Branch(None, reader.steps(way, inner), span)
    if way.term in reader.declared:
        return Branch(None, reader.nest(way, inner, Names()), span)
    whens = reader.layer.values(way.term, TRN.when)
    if not reader.layer.values(way.term, TRN.pipe):
        sentence = "a branch is a list, a node with a :pipe, or a :Transmission"
        reader.findings.report(ERROR, "not-a-branch", sentence, span, "none of these")
        return Branch(None, (), span)
    if isinstance(way.term, URIRef | BNode):
        _check_terms(reader, way.term, _BRANCH_TERMS, TRN.Branch)
    if len(whens) > 1:
        reader.findings.report(ERROR, "two-conditions", "a branch has one :when", whens[1].span, "one too many")
    return Branch(whens[0] if whens else None, reader.pipe(way.term, inner), span)


def _span(reader: PipeReader, value: Value) -> Span:
    return value.span or reader.span_of(value.term)


def _check_terms(reader: PipeReader, node: Node, known: tuple[str, ...], kind: Node) -> None:
    for predicate in reader.layer.terms(node):
        name = local_name(str(predicate))
        if name not in known:
            place = reader.layer.values(node, predicate)[0].key
            sentence = f"{show(kind)} has no setting :{name}"
            reader.findings.report(ERROR, "unknown-setting", sentence, place, mend=did_you_mean(name, known))


def _check_conditions(reader: PipeReader, how: str, branches: tuple[Branch, ...]) -> None:
    for position, branch in enumerate(branches, 1):
        if how == "all" and branch.condition:
            sentence = "every branch of a :FanOut takes every message"
            mend = "use :Route to choose by a condition"
            reader.findings.report(ERROR, "condition-in-fan-out", sentence, branch.condition.key, mend=mend)
        if how == "first" and not branch.condition and position < len(branches):
            sentence = "the branches after this one are never taken"
            mend = "give it a :when, or put it last"
            reader.findings.report(WARNING, "unreachable-branch", sentence, branch.span, "takes every message", mend=mend)
