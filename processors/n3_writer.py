"""Writes triples as Turtle that reads well: with the prefixes in use, a subject once, lists in brackets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .n3_terms import NIL, RDF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .n3_terms import Term, Triple

_LOCAL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TYPED: Final = re.compile(r'(".*"\^\^)(<[^>"]*>)', re.DOTALL)
_BARE: Final = re.compile(r'"([+-]?\d+)"\^\^<http://www\.w3\.org/2001/XMLSchema#integer>')


class Turtle:
    """Terms as they are written with a set of prefixes."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        # The longest namespace that fits is the one that was meant.
        self.prefixes = sorted(prefixes.items(), key=lambda pair: -len(pair[1]))
        self.used: dict[str, str] = {}

    def write(self, triples: Iterable[Triple]) -> str:
        """Return the triples as text; empty if there are none."""
        subjects: dict[Term, dict[Term, list[str]]] = {}
        for subject, verb, value in triples:
            subjects.setdefault(subject, {}).setdefault(verb, []).append(self.term(value))
        blocks = [self._block(subject, said) for subject, said in subjects.items()]
        head = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in sorted(self.used.items()))
        return f"{head}\n{''.join(blocks)}" if head else "".join(blocks)

    def term(self, term: Term) -> str:
        """Return one term."""
        if isinstance(term, tuple):
            return f"({' '.join(map(self.term, term))})"
        text = str(term)
        if text[0] == "<":
            return "()" if text == NIL else self._short(text)
        if _BARE.fullmatch(text):
            return _BARE.sub(r"\1", text)
        typed = _TYPED.fullmatch(text) if text[0] == '"' else None
        return typed[1] + self._short(typed[2]) if typed else text

    def _short(self, iri: str) -> str:
        for name, space in self.prefixes:
            if iri.startswith(space, 1) and _LOCAL.fullmatch(iri, len(space) + 1, len(iri) - 1):
                self.used[name] = space
                return f"{name}:{iri[len(space) + 1 : -1]}"
        return iri

    def _block(self, subject: Term, said: Mapping[Term, list[str]]) -> str:
        pairs = [f"{'a' if verb == f'<{RDF}type>' else self.term(verb)} {', '.join(values)}" for verb, values in said.items()]
        return self.term(subject) + " " + " ;\n    ".join(pairs) + " .\n"
