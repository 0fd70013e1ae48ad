"""The parts of a rule's body, and what must be known to work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .n3_builtins import BUILTINS
from .n3_terms import has_variable

if TYPE_CHECKING:
    from .n3_terms import Term


class Atom(NamedTuple):
    """A pattern of the body: to look up, to compute, or (`shape`) a list variable and what the list is to look like."""

    terms: tuple[Term, ...]
    kind: str = "pattern"
    excluded: int | None = None
    """The rule whose facts are not looked up here."""

    @property
    def verb(self) -> Term:
        """The term in the middle."""
        return self.terms[1]


def leaves(term: Any) -> list[str]:
    """Return the terms in a term: those of a list, of the lists in it, or itself."""
    return [leaf for part in term for leaf in leaves(part)] if isinstance(term, tuple) else [term]


def variables(terms: Any) -> list[str]:
    """Return the variables in a term or a tuple of terms."""
    return [leaf for leaf in leaves(terms) if leaf[0] == "?"]


def is_open_list(term: Term) -> bool:
    """Whether a term is a list with variables in it."""
    return isinstance(term, tuple) and has_variable(term)


def is_known(term: Term, known: set[Term]) -> bool:
    """Whether all variables of a term are known."""
    return known.issuperset(variables(term))


def is_ready(atom: Atom, known: set[Term]) -> bool:
    """Whether enough is known to compute a built-in, or to take a list apart."""
    if atom.kind == "shape":
        return atom.terms[0] in known
    subject, value = (is_known(atom.terms[at], known) for at in (0, 2))
    needs = BUILTINS[str(atom.verb)].needs
    return {"subject": subject, "object": value, "either": subject or value, "both": subject and value}[needs]
