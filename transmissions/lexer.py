"""Turtle's lexemes and where they stand, cut by one regular expression in linear time whatever the text.

It does not judge: broken Turtle gives lexemes too (`open` is a text without its closing quotes, `other` a stray character), so
that limits can be counted before anything is parsed, and a syntax error explained by what stands around it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTERS: Final = "A-Za-z"
_FOREIGN: Final = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff"
    "\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_FOREIGN_INNER: Final = "\u00b7\u0300-\u036f\u203f-\u2040"
_LOCAL: Final = r"%[0-9A-Fa-f]{2}|\\[^\r\n]"


def _quoted(quote: str) -> tuple[str, str]:
    long = rf"{quote * 3}(?:[^{quote}\\]++|\\(?s:.)?|{quote}(?!{quote}{quote}))*+"
    short = rf"{quote}(?!{quote}{quote})(?:[^{quote}\\\r\n]++|\\[^\r\n]?)*+"
    return f"{long}{quote * 3}|{short}{quote}", f"{long}|{short}"


_DOUBLE, _SINGLE = _quoted('"'), _quoted("'")


def _compile(letters: str, more: str) -> re.Pattern[str]:
    """Compile the expression for names of some letters, and of what else may stand behind a first letter."""
    inner = rf"{letters}{more}_0-9\-"
    word = rf"[{letters}](?:\.*[{inner}])*+"
    kinds = (
        r"[ \t\r\n]++|#[^\r\n]*+",
        rf"(?P<text>{_DOUBLE[0]}|{_SINGLE[0]})",
        rf"(?P<open>{_DOUBLE[1]}|{_SINGLE[1]})",
        r"(?P<iri><[^<>\r\n]*>)",
        rf"(?P<name>(?:{word})?:(?:(?:[{inner}:]|{_LOCAL})(?:\.*(?:[{inner}:]|{_LOCAL}))*+)?)",
        rf"(?P<blank>_:[{inner}](?:\.*[{inner}])*+)",
        r"(?P<number>[+-]?(?:[0-9]++(?:\.[0-9]++|\.(?=[eE][+-]?[0-9]))?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)",
        r"(?P<at>@[A-Za-z]+(?:-+[A-Za-z0-9]+)*+)",
        rf"(?P<word>{word})",
        r"(?P<mark>\^\^|[;,.()\[\]])",
        r"(?P<other>(?s:.))",
    )
    return re.compile("|".join(kinds))


_PLAIN: Final = _compile(_LETTERS, "")


@cache
def _full() -> re.Pattern[str]:
    # Compiling it takes ten times as long, which nearly every start can save: names are seldom of other letters.
    return _compile(_LETTERS + _FOREIGN, _FOREIGN_INNER)


def _pattern_for(text: str) -> re.Pattern[str]:
    """Return the expression a text needs: the full one if a foreign letter stands outside texts, IRIs and comments."""
    is_plain = text.isascii() or all(match.lastgroup != "other" or match[0].isascii() for match in _PLAIN.finditer(text))
    return _PLAIN if is_plain else _full()


class Lexeme(NamedTuple):
    """One piece of Turtle: `kind` is text, open, iri, name, blank, number, at, word, mark or other."""

    kind: str
    text: str
    start: int
    end: int


def cut(text: str) -> Iterator[Lexeme]:
    """Yield the lexemes of a text in order, without white space and comments."""
    for match in _pattern_for(text).finditer(text):
        kind = match.lastgroup
        if kind:
            yield Lexeme(kind, match[0], match.start(), match.end())


def prefixes(lexemes: list[Lexeme]) -> list[tuple[str, str]]:
    """Return the declared prefixes in order, each with the IRI as it is written between the angle brackets."""
    return [
        (name.text[:-1], iri.text[1:-1])
        for keyword, name, iri in zip(lexemes, lexemes[1:], lexemes[2:], strict=False)
        if name.kind == "name" and iri.kind == "iri" and keyword.text.lower() in {"@prefix", "prefix"}
    ]


def unclosed(lexemes: list[Lexeme]) -> Lexeme | None:
    """Return the innermost bracket that is still open behind the last of some lexemes."""
    stack: list[Lexeme] = []
    for lexeme in lexemes:
        if lexeme.text in {"(", "["}:
            stack.append(lexeme)
        elif lexeme.text in {")", "]"} and stack:
            stack.pop()
    return stack[-1] if stack else None
