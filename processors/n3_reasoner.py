"""Draws all conclusions of rules from facts, forwards, within bounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from transmissions import RunError

from .n3_facts import GIVEN, Facts
from .n3_plan import Plan
from .n3_terms import has_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .n3_terms import Rule, Triple


class Reasoner:
    """Facts, and what follows from them.

    Every fact is taken once: it is joined with those taken before, so that no conclusion is drawn from the same facts again.
    """

    def __init__(self, *, limit: int, seconds: float, stem: str = "e") -> None:
        self.facts = Facts()
        self.limit, self.seconds, self.stem = limit, seconds, stem
        self._until = time.monotonic() + seconds
        self._queue: list[Triple] = []
        self._derived = self._blanks = 0

    def reason(self, facts: Iterable[Triple], rules: Iterable[Rule]) -> list[Triple]:
        """Return what follows and was not given, in the order in which it was found.

        Raises:
            RunError: more follows than the limit allows, it takes too long, or a rule is at fault.

        """
        plans = [self._plan(rule, number, self._add) for number, rule in enumerate(rules)]
        takers = [(plan, place, plan.on(place)) for plan in plans for place in plan.patterns]
        for triple in facts:
            self._add(triple, GIVEN)
        for plan in plans:
            if not plan.patterns:
                plan.all()()
        self._take_all(takers)
        return [triple for triple, origin in self.facts.origins.items() if origin != GIVEN]

    def answer(self, rules: Iterable[Rule]) -> list[Triple]:
        """Return what query rules say of all that is known; it is not added to it."""
        found: dict[Triple, None] = {}

        def keep(triple: Triple, _: int) -> None:
            if triple not in found:
                self._check(triple, len(found))
                found[triple] = None

        for number, rule in enumerate(rules):
            self._plan(rule, GIVEN - 1 - number, keep).all()()
        return list(found)

    def _plan(self, rule: Rule, number: int, emit: Callable[[Triple, int], None]) -> Plan:
        plan = Plan(rule, number, self.facts, emit)
        plan.new_blank = self._new_blank
        return plan

    def _take_all(self, takers: list[tuple[Plan, int, Callable[[Triple], None]]]) -> None:
        by_verb: dict[object, list[tuple[int | None, Callable[[Triple], None]]]] = {}
        for triple in self._queue:  # It grows on the way.
            verb, origin = triple[1], self.facts.origins[triple]
            if verb not in by_verb:
                fitting = [(plan.atoms[at], take) for plan, at, take in takers]
                by_verb[verb] = [
                    (atom.excluded, take) for atom, take in fitting if verb == atom.verb or has_variable(atom.verb)
                ]
            self.facts.show(triple)
            for excluded, take in by_verb[verb]:
                if excluded != origin:
                    take(triple)
            self._watch()

    def _add(self, triple: Triple, origin: int) -> None:
        if triple in self.facts.origins:
            return
        if origin != GIVEN:
            self._check(triple, self._derived)
            self._derived += 1
        self.facts.origins[triple] = origin
        self._queue.append(triple)

    def _check(self, triple: Triple, count: int) -> None:
        if count >= self.limit:
            raise RunError(f"more than {self.limit} triples follow; raise :limit, or see whether the rules ever come to an end")
        subject, verb, _ = triple
        if isinstance(subject, str) and subject[0] == '"':
            raise RunError(f"a rule derives {' '.join(map(str, triple))}, but RDF has no literal as a subject")
        if not isinstance(verb, str) or verb[0] != "<":
            raise RunError(f"a rule derives {' '.join(map(str, triple))}, but only an IRI can be a verb")
        if not count & 0x3FF:
            self._watch()

    def _watch(self) -> None:
        if time.monotonic() > self._until:
            raise RunError(f"the rules did not come to an end in {self.seconds:g} s, after {self._derived} derived triples")

    def _new_blank(self) -> str:
        self._blanks += 1
        return f"_:{self.stem}{self._blanks}"
