"""Terms of N3, as they are written and as they are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import urljoin

if TYPE_CHECKING:
    from transmissions import RunError

    from .n3_tokens import Text, Token

Term: TypeAlias = "str | tuple[Term, ...] | Formula"
"""`<iri>`, `"text"^^<type>`, `_:blank`, `?variable`; a list, never empty; or a formula in braces."""
Triple: TypeAlias = tuple[Term, Term, Term]

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
NIL: Final = f"<{RDF}nil>"
IMPLIES: Final = "<http://www.w3.org/2000/10/swap/log#implies>"
TRUE: Final = f'"true"^^<{XSD}boolean>'
FALSE: Final = f'"false"^^<{XSD}boolean>'
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_LETTERS: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Formula:
    """Statements in braces."""

    __slots__ = ("place", "triples")

    def __init__(self, place: str) -> None:
        self.place = place
        self.triples: list[Triple] = []


class Rule(NamedTuple):
    """What follows from what; `head` is None where the body must never hold (`=> false`)."""

    body: tuple[Triple, ...]
    head: tuple[Triple, ...] | None
    place: str


@dataclass
class N3:
    """What a text says."""

    facts: list[Triple] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)
    stem: str = "e"
    """What labels of new blank nodes may begin with."""


def has_variable(term: Term) -> bool:
    """Whether a term is or holds a variable."""
    if isinstance(term, tuple):
        return any(map(has_variable, term))
    return isinstance(term, str) and term[0] == "?"


class Cursor:
    """A text, the lexeme at hand, and what was read so far."""

    def __init__(self, text: Text) -> None:
        self.text, self.base = text, ""
        self.known = N3(stem=text.stem("e"))
        self.tokens = text.cut()
        self.here = next(self.tokens)

    def fault(self, sentence: str, token: Token | None = None) -> RunError:
        """Return an error about a lexeme, else about the one at hand."""
        return self.text.fault(sentence, (token or self.here).start)

    def take(self, mark: str = "") -> Token:
        """Return the lexeme at hand and go on; if a mark is given, it must be that."""
        token = self.here
        if mark and token.text != mark:
            raise self.fault(f"expected '{mark}', found {token.text!r}")
        if token.kind == "end":
            raise self.fault("the text ends in the middle of a statement")
        self.here = next(self.tokens)
        return token

    def skip(self, mark: str) -> bool:
        """Take a mark if it is at hand."""
        is_here = self.here.text == mark and self.here.kind in {"mark", "word"}
        if is_here:
            self.take()
        return is_here

    def iri(self, token: Token) -> str:
        """Return an IRI in its brackets, resolved against the base."""
        text = self.unescape(token, token.text[1:-1])
        if _ABSOLUTE.match(text) is None and self.base:
            text = urljoin(self.base, text)
        if _ABSOLUTE.match(text) is None:
            raise self.fault(f"{token.text} is a relative IRI, and there is no base", token)
        return f"<{text}>"

    def name(self, token: Token) -> str:
        """Return the IRI of a prefixed name."""
        prefix, _, local = token.text.partition(":")
        if prefix not in self.known.prefixes:
            raise self.fault(f"the prefix '{prefix}:' is not declared", token)
        return "<" + self.known.prefixes[prefix] + re.sub(r"\\(.)", r"\1", local) + ">"

    def literal(self, token: Token) -> str:
        """Read what follows a text, and return the literal."""
        import pyoxigraph

        mark = 3 if token.text[:3] in {'"""', "'''"} else 1
        text = self.unescape(token, token.text[mark:-mark])
        if self.here.kind == "at" and self.here.start == token.start + len(token.text):
            return str(pyoxigraph.Literal(text, language=self.take().text[1:]))
        if not self.skip("^^"):
            return str(pyoxigraph.Literal(text))
        token = self.take()
        if token.kind not in {"iri", "name"}:
            raise self.fault(f"expected a datatype, found {token.text!r}", token)
        kind = self.iri(token) if token.kind == "iri" else self.name(token)
        return str(pyoxigraph.Literal(text, datatype=pyoxigraph.NamedNode(kind[1:-1])))

    def unescape(self, token: Token, text: str) -> str:
        """Return what a text with escapes means."""
        if "\\" not in text:
            return text

        def meant(found: re.Match[str]) -> str:
            code = found[1]
            if code[0] in "uU" and len(code) > 1:
                return chr(min(int(code[1:], 16), 0x10FFFF))
            if code not in _LETTERS:
                raise self.fault(f"unknown escape '\\{code}'", token)
            return _LETTERS[code]

        return _ESCAPE.sub(meant, text)
