"""Cuts N3 into lexemes, and says where each stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART: Final = r"(?:[\w:-]|%[0-9A-Fa-f]{2}|\\[_~.!$&'()*+,;=/?#@%-])"
_TOKEN: Final = re.compile(
    r"(?P<space>(?:[ \t\r\n]+|\#[^\r\n]*)+)"
    r"|(?P<iri><[^\x00-\x20<>\"{}|^`]*>)"
    r"|(?P<text>\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r"|\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*')"
    r"|(?P<number>[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)[eE][+-]?\d+|\d*\.\d+|\d+))"
    r"|(?P<variable>\?\w[\w-]*)"
    r"|(?P<at>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)"
    r"|(?P<blank>_:\w(?:[\w.-]*[\w-])?)"
    rf"|(?P<name>(?:[^\W\d_](?:[\w.-]*[\w-])?)?:(?:{_PART}(?:(?:{_PART}|\.)*{_PART})?)?)"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<mark>=>|<=|<-|\^\^|[][(){}.,;!^=])",
    re.DOTALL,
)


class Token(NamedTuple):
    """A lexeme: its kind, its text, and where it starts."""

    kind: str
    text: str
    start: int


class Text:
    """A text of N3 and the name it has in errors."""

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source = text, source

    def cut(self) -> Iterator[Token]:
        """Yield the lexemes, and an end.

        Raises:
            RunError: something is no lexeme.

        """
        position = 0
        while position < len(self.text):
            found = _TOKEN.match(self.text, position)
            if found is None:
                raise self.fault(f"cannot read {self.text[position : position + 20]!r}", position)
            if found.lastgroup != "space":
                yield Token(str(found.lastgroup), found[0], position)
            position = found.end()
        yield Token("end", "the end", position)

    def fault(self, sentence: str, position: int) -> RunError:
        """Return an error with its place."""
        return RunError(f"{self.place(position)}: {sentence}")

    def place(self, position: int) -> str:
        """Return source, line and column of a position."""
        line = self.text.count("\n", 0, position) + 1
        return f"{self.source}:{line}:{position - self.text.rfind(chr(10), 0, position)}"

    def stem(self, stem: str) -> str:
        """Return a beginning of blank node labels that the text does not use itself."""
        while f"_:{stem}" in self.text:
            stem += "_"
        return stem
