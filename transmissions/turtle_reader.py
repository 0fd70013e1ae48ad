"""Reads the lexemes of valid Turtle into a located graph.

pyoxigraph has already judged the text, so this reader is small, and linear. (rdflib's parser keeps no places; recording them in
it takes up to twice its time, and a text with many escapes takes it quadratic time.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rdflib import OWL, RDF, XSD, BNode, Literal, URIRef

from .iri import resolve
from .lexer import Lexeme, cut
from .turtle import MAX_DIGITS, refused

if TYPE_CHECKING:
    from rdflib.term import Node

    from .errors import ConfigError
    from .located import LocatedGraph, Placed

_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|(?s:.))")
_LETTERS: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_MARKUP: Final = frozenset({RDF.HTML, RDF.XMLLiteral})
_EXPONENT: Final = re.compile(r"[eE][+-]?[\d_]{4}")
"""An exponent of four digits, as Decimal takes them: with underscores, of any script. rdflib writes such numbers out."""
_UNFIT: Final = (ValueError, TypeError, ArithmeticError, AssertionError, AttributeError, LookupError)
"""What rdflib may raise over a term it cannot take."""


class Reader:
    """Reads valid Turtle, lexeme by lexeme."""

    def __init__(self, located: LocatedGraph) -> None:
        self.located = located
        self.document = located.document
        self.lexemes = cut(self.document.text)
        self.base = self.document.base
        self.prefixes: dict[str, str] = {}
        self.names: dict[str, URIRef] = {}
        self.blanks: dict[str, BNode] = {}
        self.here = self.taken = Lexeme("end", "", 0, 0)
        self.take()

    def read(self) -> None:
        """Read all statements.

        Raises:
            ConfigError: a term is none that a graph can hold.

        """
        try:
            while self.here.kind != "end":
                self.statement()
        except _UNFIT as error:
            raise self.fault("syntax", f"this value cannot be read ({type(error).__name__})", self.taken) from None

    def take(self) -> Lexeme:
        """Return the lexeme at hand and go on to the next."""
        self.taken = self.here
        end = len(self.document.text)
        self.here = next(self.lexemes, Lexeme("end", "", end, end))
        return self.taken

    def statement(self) -> None:
        """Read a directive, or a subject and what is said about it."""
        keyword = self.here.text.lower().removeprefix("@")
        if self.here.kind in {"word", "at"} and keyword in {"prefix", "base", "version"}:
            self.directive(keyword)
            return
        subject = self.term()
        self.properties(subject)
        self.expect(".")

    def directive(self, keyword: str) -> None:
        """Read `@prefix`, `@base` or their SPARQL forms, which have no dot."""
        has_dot = self.take().kind == "at"
        name = self.take().text[:-1] if keyword == "prefix" else ""
        written = self.take()
        if keyword == "prefix":
            self.prefixes[name] = self.iri(written)
            self.names.clear()
            self.located.graph.bind(name, self.prefixes[name])
        elif keyword == "base":
            self.base = self.iri(written)
        if has_dot:
            self.expect(".")

    def properties(self, subject: Placed) -> None:
        """Read `property value, value; property …` up to the mark that ends it."""
        while self.here.text not in {".", "]"} and self.here.kind != "end":
            if self.here.text == ";":
                self.take()
                continue
            predicate = self.property()
            self.located.add(subject, predicate, self.term())
            while self.here.text == ",":
                self.take()
                self.located.add(subject, predicate, self.term())

    def property(self) -> Placed:
        """Read a property; `a` stands for `rdf:type`."""
        if self.here.text == "a" and self.here.kind == "word":
            word = self.take()
            return RDF.type, (word.start, word.end)
        term, place = self.term()
        if term == OWL.imports:
            message = "owl:imports is not followed: a config is read from its own files, and nothing is ever fetched"
            raise self.fault("import", message, Lexeme("name", "", *place))
        return term, place

    def term(self) -> Placed:
        """Read one term, with all that is nested in it."""
        lexeme = self.take()
        if lexeme.text == "[":
            return self.nested(lexeme)
        if lexeme.text == "(":
            return self.members(lexeme)
        if lexeme.kind == "text":
            return self.literal(lexeme)
        return self.simple(lexeme), (lexeme.start, lexeme.end)

    def simple(self, lexeme: Lexeme) -> Node:
        """Return the term of a single lexeme."""
        kind, text = lexeme.kind, lexeme.text
        if kind == "name":
            return self.names.get(text) or self.name(text)
        if kind == "iri":
            return URIRef(self.iri(lexeme))
        if kind == "blank":
            return self.blanks.setdefault(text, BNode())
        if kind == "number":
            return Literal(text, datatype=_number_type(text))
        if text in {"true", "false"}:
            return Literal(text, datatype=XSD.boolean)
        raise self.fault("syntax", f"`{text}` is not understood here", lexeme)

    def name(self, text: str) -> URIRef:
        """Return the IRI of a prefixed name, and remember it."""
        prefix, _, local = text.partition(":")
        iri = URIRef(self.prefixes[prefix] + re.sub(r"\\(.)", r"\1", local))
        self.names[text] = iri
        return iri

    def iri(self, lexeme: Lexeme) -> str:
        """Return what stands between angle brackets, made absolute."""
        return resolve(self.base, _unescape(lexeme.text[1:-1]))

    def literal(self, text: Lexeme) -> Placed:
        """Read a text with its language or datatype."""
        quotes = 3 if text.text.startswith(('"""', "'''")) else 1
        value = _unescape(text.text[quotes:-quotes])
        if self.here.kind == "at":
            tag = self.take()
            return Literal(value, lang=tag.text[1:]), (text.start, tag.end)
        if self.here.text != "^^":
            return Literal(value), (text.start, text.end)
        self.take()
        end = self.here.end
        datatype = self.simple(self.take())
        self.check_literal(value, datatype, Lexeme("text", "", text.start, end))
        return Literal(value, datatype=URIRef(str(datatype))), (text.start, end)

    def check_literal(self, value: str, datatype: Node, written: Lexeme) -> None:
        """Refuse values that take rdflib for ever to understand."""
        if datatype in _MARKUP:
            raise self.fault(
                "limit", "markup as a datatype (rdf:HTML, rdf:XMLLiteral) is refused; write it as a plain text", written
            )
        if not str(datatype).startswith(str(XSD)) or datatype == XSD.string:
            return
        if len(value) > MAX_DIGITS:
            raise self.fault("limit", f"a typed value is longer than {MAX_DIGITS:,} characters", written)
        if datatype == XSD.decimal and _EXPONENT.search(value):
            raise self.fault("limit", "a decimal with an exponent above 999 is refused", written)

    def nested(self, bracket: Lexeme) -> Placed:
        """Read `[ … ]`."""
        node = BNode()
        subject = (node, (bracket.start, bracket.end))
        self.located.settle(*subject)
        self.properties(subject)
        return node, (bracket.start, self.expect("]").end)

    def members(self, bracket: Lexeme) -> Placed:
        """Read `( … )` into list cells; a cell stands where its member does, the first at the bracket."""
        items: list[Placed] = []
        while self.here.text != ")":
            if self.here.kind == "end":
                raise self.fault("syntax", "this list is never closed", bracket)
            items.append(self.term())
        whole = (bracket.start, self.take().end)
        opening = (bracket.start, bracket.end)
        cells = [BNode() for _ in items]
        for index, (cell, item) in enumerate(zip(cells, items, strict=True)):
            place = opening if index == 0 else item[1]
            self.located.settle(cell, place)
            following: Node = cells[index + 1] if index + 1 < len(cells) else RDF.nil
            self.located.add((cell, place), (RDF.first, opening), item)
            self.located.add((cell, place), (RDF.rest, opening), (following, item[1]))
        return (cells[0] if cells else RDF.nil), whole

    def expect(self, mark: str) -> Lexeme:
        """Take a mark that must stand here."""
        if self.here.text != mark:
            raise self.fault("syntax", f"`{mark}` is expected here", self.here)
        return self.take()

    def fault(self, code: str, message: str, lexeme: Lexeme) -> ConfigError:
        """Make the error for one fault."""
        return refused(self.document, lexeme.start, lexeme.end, code, message)


def _number_type(text: str) -> URIRef:
    if "e" in text or "E" in text:
        return XSD.double
    return XSD.decimal if "." in text else XSD.integer


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _LETTERS.get(code, code)
