"""Reads N3: facts and rules, each rule with its place.

pyoxigraph's N3 takes no rules, and rdflib's parser keeps no columns, knows no `'…'`, and takes `<=` for `=>` turned round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .n3_terms import FALSE, IMPLIES, N3, NIL, RDF, TRUE, XSD, Cursor, Formula, Rule, has_variable
from .n3_tokens import Text

if TYPE_CHECKING:
    from .n3_terms import Term, Triple
    from .n3_tokens import Token

_SAME: Final = "<http://www.w3.org/2002/07/owl#sameAs>"
_DEEPEST: Final = 64
"""How deep brackets may stand in each other."""


def read_n3(text: str, source: str, stem: str = "b") -> N3:
    """Read a text of N3 (Turtle is a part of it). `source` names it in errors and in the places of rules.

    Blank nodes without a label get one that begins with `stem`.

    Raises:
        RunError: it is not N3, or uses what this reader does not know: backward rules, formulae as terms, `@forAll`.

    """
    reader = _Reader(Text(text, source), stem)
    while reader.here.kind != "end":
        reader.statement()
    return reader.known


class _Reader(Cursor):
    """Reads statements."""

    def __init__(self, text: Text, stem: str) -> None:
        super().__init__(text)
        self.stem = text.stem(stem)
        self.formula: Formula | None = None
        self.blanks = self.depth = 0

    def statement(self) -> None:
        """Read a directive, or a subject and what is said of it."""
        is_at = self.here.kind == "at"
        if self.here.text.lower().lstrip("@") in {"prefix", "base"} and self.here.kind in {"at", "word"}:
            self.directive(self.take().text.lower().lstrip("@"))
        elif is_at:
            raise self.fault(f"{self.here.text} is not known here; write variables as ?name")
        else:
            self.properties(self.path())
            is_at = self.here.text != "}"
        if is_at:
            self.take(".")

    def directive(self, word: str) -> None:
        """Read a prefix or a base."""
        name = self.take() if word == "prefix" else None
        if name and (name.kind != "name" or not name.text.endswith(":")):
            raise self.fault(f"expected a prefix, found {name.text!r}", name)
        if self.here.kind != "iri":
            raise self.fault(f"expected an IRI, found {self.here.text!r}")
        iri = self.iri(self.take())[1:-1]
        if name:
            self.known.prefixes[name.text[:-1]] = iri
        else:
            self.base = iri

    def properties(self, subject: Term) -> None:
        """Read `verb object, object; verb …`."""
        while self.here.text not in {".", "]", "}"} and self.here.kind != "end":
            if self.skip(";"):
                continue
            token, (verb, is_turned) = self.here, self.verb()
            while True:
                value = self.path()
                self.say((value, verb, subject) if is_turned else (subject, verb, value), token)
                if not self.skip(","):
                    break

    def verb(self) -> tuple[Term, bool]:
        """Read a verb; the truth says whether subject and object change places."""
        for mark, known in (("=>", IMPLIES), ("a", f"<{RDF}type>"), ("=", _SAME)):
            if self.skip(mark):
                return known, False
        if self.here.text == "<=":
            raise self.fault("backward rules ('<=') are not known; write '{ … } => { … }'")
        self.skip("has")
        if self.skip("<-"):
            return self.path(), True
        if self.skip("is"):
            term = self.path()
            self.take("of")
            return term, True
        return self.path(), False

    def path(self) -> Term:
        """Read a term, and what is reached from it by `!` and `^`."""
        term = self.term()
        while self.here.text in {"!", "^"}:
            mark, other = self.take(), self.blank()
            verb = self.term()
            self.say((term, verb, other) if mark.text == "!" else (other, verb, term), mark)
            term = other
        return term

    def term(self) -> Term:
        """Read one term."""
        token = self.take()
        match token.kind:
            case "iri":
                return self.iri(token)
            case "name":
                return self.name(token)
            case "text":
                return self.literal(token)
            case "number":
                kind = "double" if "e" in token.text.lower() else "decimal" if "." in token.text else "integer"
                return f'"{token.text}"^^<{XSD}{kind}>'
            case "variable" | "blank":
                return token.text
        if token.text in {"true", "false"}:
            return TRUE if token.text == "true" else FALSE
        if token.text not in {"[", "(", "{"}:
            raise self.fault(f"expected a term, found {token.text!r}", token)
        return self.inside(token)

    def inside(self, token: Token) -> Term:
        """Read what stands between brackets."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fault(f"brackets stand more than {_DEEPEST} deep in each other", token)
        term = {"[": self.blank_of, "(": self.list_of, "{": self.formula_of}[token.text](token)
        self.depth -= 1
        return term

    def blank_of(self, _token: Token) -> Term:
        """Read `[ … ]` behind its bracket."""
        blank = self.blank()
        self.properties(blank)
        self.take("]")
        return blank

    def list_of(self, _token: Token) -> Term:
        """Read `( … )` behind its bracket."""
        items: list[Term] = []
        while not self.skip(")"):
            items.append(self.path())
            if isinstance(items[-1], Formula):
                raise self.fault("a formula in a list is not known here")
        return tuple(items) or NIL

    def formula_of(self, token: Token) -> Term:
        """Read `{ … }` behind its brace."""
        outer, self.formula = self.formula, Formula(self.text.place(token.start))
        while not self.skip("}"):
            self.statement()
        formula, self.formula = self.formula, outer
        return formula

    def blank(self) -> str:
        """Return a new blank node."""
        self.blanks += 1
        return f"_:{self.stem}{self.blanks}"

    def say(self, triple: Triple, token: Token) -> None:
        """Keep a statement where it belongs: in the formula that is open, among the rules, or the facts."""
        subject, verb, value = triple
        if verb == IMPLIES:
            self.known.rules.append(self.rule(subject, value, token))
        elif any(isinstance(term, Formula) for term in triple):
            raise self.fault("a formula as a term is not known here; braces stand on both sides of '=>' only", token)
        elif self.formula is not None:
            self.formula.triples.append(triple)
        else:
            self.fact(triple, token)

    def rule(self, body: Term, head: Term, token: Token) -> Rule:
        """Return a rule."""
        if self.formula is not None:
            raise self.fault("a rule inside a rule is not known here", token)
        if body == TRUE:
            body = Formula(self.text.place(token.start))
        if not isinstance(body, Formula) or not (isinstance(head, Formula) or head == FALSE):
            raise self.fault("a rule has braces on both sides of '=>' (or `false` behind it)", token)
        return Rule(tuple(body.triples), tuple(head.triples) if isinstance(head, Formula) else None, body.place)

    def fact(self, triple: Triple, token: Token) -> None:
        """Keep a fact."""
        subject, verb, _ = triple
        if any(map(has_variable, triple)):
            raise self.fault("a variable outside a rule", token)
        if not isinstance(verb, str) or verb[0] != "<" or (isinstance(subject, str) and subject[0] == '"'):
            raise self.fault("RDF has no literal as a subject, and only IRIs as verbs", token)
        self.known.facts.append(triple)
