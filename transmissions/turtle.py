"""The gate: a Turtle file's bytes are read here, held against fixed limits and parsed strictly before anything else sees them.

rdflib's own parser is no judge of Turtle (it accepts 39 of the 94 negative tests of the W3C), and a hostile file keeps it busy
for minutes; so limits come first, counted on lexemes, and pyoxigraph decides what Turtle is.
"""

from __future__ import annotations

import bisect
import hashlib
import re
import stat
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .errors import ConfigError
from .lexer import Lexeme, cut
from .problem import Problem, Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES: Final = 1 << 20
MAX_LEVELS: Final = 64
MAX_PREFIXES: Final = 256
MAX_LITERAL: Final = 1 << 16
MAX_IRI: Final = 2048
MAX_DIGITS: Final = 4300
MAX_LEXEMES: Final = 200_000
MAX_TRIPLES: Final = 20_000

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


class Document:
    """The text of one Turtle file, with the lines and columns of its characters. `name` is what people are shown."""

    def __init__(self, name: str, text: str, path: Path | None = None, digest: str = "") -> None:
        self.name = name
        self.text = text
        self.path = path
        self.digest = digest or hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def _lines(self) -> list[str]:
        return _LINE_END.split(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @property
    def base(self) -> str:
        """The IRI that relative IRIs are relative to: the file's own, or an invented one that leads nowhere."""
        return self.path.resolve().as_uri() if self.path else f"http://doc.invalid/{quote(self.name)}"

    def locate(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character, both counted from 1."""
        index = bisect.bisect_right(self._starts, offset) - 1
        return index + 1, offset - self._starts[index] + 1

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a line and column."""
        index = min(max(line, 1), len(self._starts)) - 1
        return min(self._starts[index] + column - 1, len(self.text))

    def line(self, number: int) -> str:
        """Return the text of a line, without its end."""
        return self._lines[number - 1]

    def span(self, start: int, end: int) -> Span:
        """Return a stretch of the text; one that runs over several lines is cut at the end of its first."""
        line, column = self.locate(start)
        text = self.line(line)
        width = min(end - start, len(text) - column + 1)
        return Span(self.name, line, column, max(1, width), text)


def read(path: Path, name: str | None = None) -> Document:
    """Read a Turtle file.

    Raises:
        ConfigError: it is missing, unreadable, not a file, larger than 1 MiB or not UTF-8.

    """
    shown = str(path) if name is None else name
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unread(shown, "unreadable", "this is not a file")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unread(shown, "missing-file", "there is no such file") from None
    except OSError as error:
        raise _unread(shown, "unreadable", f"the file cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(data) > MAX_BYTES:
        raise _unread(shown, "limit", "the file is larger than 1 MiB, the limit of a Turtle file")
    return Document(shown, _decode(data, shown), path, hashlib.sha256(data).hexdigest())


def check_syntax(document: Document) -> None:
    """Refuse a document that is beyond a limit or is not Turtle.

    Raises:
        ConfigError: with the first fault, in our own words and at its true place.

    """
    _check_lexemes(document)
    _check_parse(document)


def refused(document: Document, start: int, end: int, code: str, message: str, **more: Any) -> ConfigError:
    """Make the error for one fault of a document."""
    return ConfigError([Problem("error", code, message, document.span(start, end), **more)])


def _unread(name: str, code: str, message: str) -> ConfigError:
    return ConfigError([Problem("error", code, message, Span(name, 1, 1, 0, ""))])


def _decode(data: bytes, name: str) -> str:
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        start = error.start
    at = len(data[:start].decode())
    message = f"byte 0x{data[start]:02x} is not UTF-8, the encoding of every Turtle file"
    shown = Document(name, data.decode(errors="replace"))
    raise refused(shown, at, at + 1, "encoding", message, help="save the file as UTF-8")


def _check_lexemes(document: Document) -> None:
    depth = declared = 0
    for count, lexeme in enumerate(cut(document.text)):
        if count >= MAX_LEXEMES:
            raise _beyond(document, lexeme, f"the file goes on behind {MAX_LEXEMES:,} terms and marks", "pieces in a file")
        depth += _DEPTH.get(lexeme.text, 0)
        if depth > MAX_LEVELS:
            raise _beyond(document, lexeme, f"brackets are nested deeper than {MAX_LEVELS} levels", "nesting")
        declared += lexeme.text.lower() in {"@prefix", "prefix"}
        if declared > MAX_PREFIXES:
            raise _beyond(document, lexeme, f"more than {MAX_PREFIXES} prefixes are declared", "prefixes")
        longest = _LONGEST.get(lexeme.kind)
        if longest and len(lexeme.text) > longest[0]:
            raise _beyond(document, lexeme, f"{longest[1]} is longer than {longest[0]:,} {longest[2]}", longest[1].split()[-1])


_RDF_12: Final = frozenset("<{~")
_DEPTH: Final = {"(": 1, "[": 1, ")": -1, "]": -1}
_LONGEST: Final = {
    "text": (MAX_LITERAL, "a text", "characters"),
    "iri": (MAX_IRI, "an IRI", "characters"),
    "name": (MAX_IRI, "a name", "characters"),
    "blank": (MAX_IRI, "a name", "characters"),
    "number": (MAX_DIGITS, "a number", "digits"),
}


def _beyond(document: Document, lexeme: Lexeme, message: str, limit: str) -> ConfigError:
    return refused(document, lexeme.start, lexeme.end, "limit", message, label=f"the limit of {limit} is passed here")


def _check_parse(document: Document) -> None:
    try:
        for count, quad in enumerate(_quads(document)):
            if count >= MAX_TRIPLES:
                raise refused(document, 0, 1, "limit", f"the file has more than {MAX_TRIPLES:,} triples, the limit of a config")
            _check_version(document, quad.object)
    except SyntaxError as error:
        raise _explained(document, error) from None


def _quads(document: Document) -> Iterator[Any]:
    import pyoxigraph

    return iter(pyoxigraph.parse(document.text, format=pyoxigraph.RdfFormat.TURTLE, base_iri=document.base))


def _check_version(document: Document, term: Any) -> None:
    # Triple terms and text directions are RDF 1.2, which neither rdflib nor SHACL knows.
    if hasattr(term, "predicate") or getattr(term, "direction", None):
        signs = (
            lexeme for lexeme in cut(document.text) if lexeme.text in _RDF_12 or (lexeme.kind == "at" and "--" in lexeme.text)
        )
        sign = next(signs, Lexeme("other", "", 0, 1))
        message = "triple terms, annotations and text directions belong to RDF 1.2, which is not supported"
        raise refused(document, sign.start, sign.end, "syntax", message)


def _explained(document: Document, error: SyntaxError) -> ConfigError:
    from .syntax import explain

    start = document.offset(error.lineno or 1, error.offset or 1)
    end = document.offset(error.end_lineno or 1, error.end_offset or 1)
    return ConfigError([explain(document, start, max(end, start), error.msg)])
