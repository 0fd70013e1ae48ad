"""Turns a rule into functions that find what its body holds for: each fact is joined once, when it comes.

A body is joined in an order that is settled beforehand: built-ins as soon as what they need is known, then the pattern with
most known places. So which terms are known at a step is known too, and one list of slots, written over and over, is all the
memory a join takes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from transmissions import RunError, suggestion

from .n3_atoms import Atom, is_known, is_open_list, is_ready, leaves, variables
from .n3_builtins import BUILTINS, is_builtin
from .n3_terms import has_variable
from .n3_values import same

if TYPE_CHECKING:
    from .n3_facts import Facts
    from .n3_terms import Rule, Term, Triple

Slots: TypeAlias = list[Any]
Step: TypeAlias = Callable[[Slots], None]
Emit: TypeAlias = "Callable[[Triple, int], None]"
_VERB: Final = 1


class Plan:
    """A rule, ready to be joined. `emit` takes what follows, and the rule's number."""

    def __init__(self, rule: Rule, number: int, facts: Facts, emit: Emit) -> None:
        self.rule, self.number, self.facts, self.emit = rule, number, facts, emit
        self.names: dict[Term, int] = {}
        self.template: Slots = []
        self.shared = {term for triple in rule.body for term in leaves(triple)}
        self.atoms = [atom for triple in rule.body for atom in self._atoms(triple)]
        self._keep_short()
        self._places = [self._slot(name) for atom in self.atoms for name in variables(atom.terms)]
        self._blanks: dict[tuple[Any, ...], str] = {}
        self.new_blank: Callable[[], str] = str
        self._head = None if rule.head is None else [[self._filler(term) for term in triple] for triple in rule.head]

    @property
    def patterns(self) -> list[int]:
        """The places of the atoms that are looked up."""
        return [place for place, atom in enumerate(self.atoms) if atom.kind == "pattern"]

    def on(self, place: int) -> Callable[[Triple], None]:
        """Return what joins one fact, as the pattern at a place, with all others."""
        atom = self.atoms[place]
        known: set[Term] = set()
        matches = [(at, self._matcher(term, known)) for at, term in enumerate(atom.terms)]
        step = self._chain([other for other in self.atoms if other is not atom], known)
        template = self.template

        def take(triple: Triple) -> None:
            slots = template[:]
            for at, fits in matches:
                if not fits(triple[at], slots):
                    return
            step(slots)

        return take

    def all(self) -> Callable[[], None]:
        """Return what joins all facts there are."""
        step = self._chain(list(self.atoms), set())
        return lambda: step(self.template[:])

    def _atoms(self, triple: Triple) -> list[Atom]:
        terms = tuple(map(self._generalised, triple))
        verb = terms[1]
        if isinstance(verb, str) and is_builtin(verb):
            if verb not in BUILTINS:
                near = suggestion(verb[1:-1], [known[1:-1] for known in BUILTINS])
                raise RunError(f"{self.rule.place}: the built-in {verb} is not known here{near}")
            return [Atom(terms, "builtin")]
        shapes = [(f"?list{len(self.shared)}.{at}.{id(triple)}", term) for at, term in enumerate(terms) if is_open_list(term)]
        names = {term: name for name, term in shapes}
        pattern = tuple(names.get(term, term) for term in terms)
        return [Atom(pattern), *(Atom(shape, "shape") for shape in shapes)]

    def _generalised(self, term: Term) -> Term:
        """Blank nodes of a body are variables; in the head the same label means the same."""
        if isinstance(term, tuple):
            return tuple(map(self._generalised, term))
        return f"?{term}" if isinstance(term, str) and term[0] == "_" and term in self.shared else term

    def _keep_short(self) -> None:
        """Join a transitive rule's steps with facts it has not derived itself: all ways are still found, each only once."""
        head = self.rule.head or ()
        if len(head) != 1 or len(self.patterns) < 2:  # noqa: PLR2004 - a step and a step
            return
        start, verb, end = head[0]
        for first in self.patterns:
            middle = self.atoms[first].terms[2]
            second = next((at for at in self.patterns if self.atoms[at].terms == (middle, verb, end)), None)
            others = [atom for at, atom in enumerate(self.atoms) if at not in {first, second}]
            steps = {start, middle, end}
            if second is None or self.atoms[first].terms != (start, verb, middle) or len(steps) < 3:  # noqa: PLR2004
                continue
            if (
                all(map(has_variable, steps))
                and verb not in steps
                and not any(steps & set(variables(one.terms)) for one in others)
            ):
                self.atoms[second] = self.atoms[second]._replace(excluded=self.number)
                return

    def _slot(self, term: Term) -> int:
        if term not in self.names:
            self.names[term] = len(self.template)
            self.template.append(None if has_variable(term) else term)
        return self.names[term]

    def _chain(self, todo: list[Atom], known: set[Term]) -> Step:
        makers = []
        while todo:
            atom = self._next(todo, known)
            todo.remove(atom)
            makers.append(getattr(self, f"_{atom.kind}")(atom, known))
        step: Step = self._fire
        for make in reversed(makers):
            step = make(step)
        return step

    def _next(self, todo: list[Atom], known: set[Term]) -> Atom:
        ready = [atom for atom in todo if atom.kind != "pattern" and is_ready(atom, known)]
        if ready:
            return ready[0]
        patterns = [atom for atom in todo if atom.kind == "pattern"]
        if patterns:
            return max(patterns, key=lambda atom: sum(is_known(term, known) for term in atom.terms))
        raise RunError(f"{self.rule.place}: nothing in the rule says what {todo[0].verb} is to work on")

    def _pattern(self, atom: Atom, known: set[Term]) -> Callable[[Step], Step]:
        fixed = [at for at, term in enumerate(atom.terms) if is_known(term, known)]
        verb = atom.verb
        constant = verb if isinstance(verb, str) and not has_variable(verb) else None
        places = tuple(at for at in fixed if not (at == _VERB and constant))
        rows = self.facts.rows(places, constant, atom.excluded)
        key: Any = itemgetter(*(self._slot(atom.terms[at]) for at in places)) if places else lambda _: None
        free = [(at, self._matcher(atom.terms[at], known)) for at in range(3) if at not in fixed]

        def make(following: Step) -> Step:
            def step(slots: Slots) -> None:
                for triple in rows.get(key(slots), ()):
                    if all(fits(triple[at], slots) for at, fits in free):
                        following(slots)

            return step

        return make

    def _shape(self, atom: Atom, known: set[Term]) -> Callable[[Step], Step]:
        slot, fits = self._slot(atom.terms[0]), self._matcher(atom.terms[1], known)

        def make(following: Step) -> Step:
            return lambda slots: following(slots) if fits(slots[slot], slots) else None

        return make

    def _builtin(self, atom: Atom, known: set[Term]) -> Callable[[Step], Step]:
        subject, verb, value = atom.terms
        builtin = BUILTINS[str(verb)]
        if builtin.needs == "both":
            one, other = self._filler(subject), self._filler(value)
            return lambda following: lambda slots: following(slots) if builtin.values(one(slots), other(slots)) else None
        is_turned = builtin.needs == "object" or (builtin.needs == "either" and not is_known(subject, known))
        given = self._filler(value if is_turned else subject)
        fits = self._matcher(subject if is_turned else value, known, same)

        def make(following: Step) -> Step:
            def step(slots: Slots) -> None:
                for found in builtin.values(given(slots)):
                    if fits(found, slots):
                        following(slots)

            return step

        return make

    def _matcher(self, term: Term, known: set[Term], alike: Callable[[Any, Any], bool] = eq) -> Callable[[Term, Slots], bool]:
        """Return what compares a value with a term, and keeps what the term leaves open."""
        if isinstance(term, tuple) and has_variable(term):
            parts = [self._matcher(part, known, alike) for part in term]
            return lambda value, slots: (
                isinstance(value, tuple)
                and len(value) == len(parts)
                and all(fits(one, slots) for fits, one in zip(parts, value, strict=True))
            )
        slot = self._slot(term)
        if is_known(term, known):
            return lambda value, slots: alike(slots[slot], value)
        known.add(term)

        def keep(value: Term, slots: Slots) -> bool:
            slots[slot] = value
            return True

        return keep

    def _filler(self, term: Term) -> Callable[[Slots], Any]:
        """Return what makes a term of the slots."""
        term = self._generalised(term)
        if isinstance(term, tuple) and has_variable(term):
            parts = [self._filler(part) for part in term]
            return lambda slots: tuple(part(slots) for part in parts)
        if isinstance(term, str) and term[0] == "_":
            return lambda slots: self._blank(term, slots)
        if has_variable(term) and term not in self.names:
            raise RunError(f"{self.rule.place}: the body of the rule does not say what {term} is")
        return itemgetter(self._slot(term))

    def _blank(self, name: str, slots: Slots) -> str:
        key = (name, *(slots[place] for place in self._places))
        if key not in self._blanks:
            self._blanks[key] = self.new_blank()
        return self._blanks[key]

    def _fire(self, slots: Slots) -> None:
        if self._head is None:
            said = {name: slots[place] for name, place in self.names.items() if has_variable(name)}
            raise RunError(f"{self.rule.place}: what must never hold (`=> false`) holds: {said}")
        for subject, verb, value in self._head:
            self.emit((subject(slots), verb(slots), value(slots)), self.number)
