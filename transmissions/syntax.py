"""What is wrong with a piece of Turtle, in words: the parser says where it stopped, the lexemes around say why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .lexer import Lexeme, cut, prefixes, unclosed
from .near import nearest
from .problem import Label, Problem
from .terms import WELL_KNOWN

if TYPE_CHECKING:
    from .turtle import Document

_WORDS: Final = ("@prefix", "@base", "PREFIX", "BASE", "true", "false", "a")
_SHORT: Final = 40
"""How much of a term fits into a sentence."""
_REASONS: Final = (
    ("beginning of a prefix name", "`{}` does not begin any term of Turtle"),
    ("nexpected character", "`{}` cannot stand here"),
    ("variable name", "`{}` cannot stand here"),
    ("integer should not be empty", "a number needs digits"),
    ("exponent cannot be empty", "an exponent needs digits"),
    ("subtag", "this is not a language tag"),
    ("language", "this is not a language tag"),
    ("hexadecimal", "`{}` is not an escape of Turtle"),
    ("to be escaped in IRIs", "`{}` is not an escape that a name may have"),
    ("blank node ID", "a blank node needs a name behind `_:`"),
    ("datatype IRI", "a datatype is expected behind `^^`"),
    ("PREFIX", "a prefix is declared as `@prefix name: <iri> .`"),
)
_HINTS: Final = {
    **dict.fromkeys("“”„«»", 'a text stands between straight quotes: "…"'),
    **dict.fromkeys("\u00a0\u200b\ufeff", "this is an invisible character: delete it, or write a plain space"),
}
_CLOSING: Final = {"(": ")", "[": "]"}
_PLACE: Final = re.compile(r"^Parser error [^:]*: ")
_PREFIX: Final = re.compile(r"The prefix (\S*): has not been declared")


class _Spot(NamedTuple):
    """Where the parser stopped, and what stands around."""

    document: Document
    start: int
    end: int
    reason: str
    before: list[Lexeme]
    found: Lexeme | None
    """None at the end of the file."""

    def problem(self, message: str, help: str = "", label: str = "", code: str = "syntax") -> Problem:  # noqa: A002
        """Make the problem where the parser stopped."""
        return Problem("error", code, message, self.document.span(self.start, self.end), label, help)

    def behind(self, message: str, label: str, help: str = "") -> Problem:  # noqa: A002
        """Make the problem just behind what was read so far: that is where something is missing."""
        end = self.before[-1].end if self.before else self.start
        opening = unclosed(self.before)
        related = (Label(self.document.span(opening.start, opening.end), "opened here"),) if opening else ()
        return Problem("error", "syntax", message, self.document.span(end, end + 1), label, help, related)


def explain(document: Document, start: int, end: int, reason: str) -> Problem:
    """Turn the parser's complaint about a stretch of a document into a problem."""
    reason = _PLACE.sub("", reason)
    lexemes = list(cut(document.text))
    before = [lexeme for lexeme in lexemes if lexeme.end <= start]
    found = lexemes[len(before)] if len(before) < len(lexemes) else None
    spot = _Spot(document, start, end, reason, before, found)
    readers = (_prefix, _broken_text, _escape, _iri, _end, _quote, _comma, _bracket, _word, _place)
    found_problem = next((problem for problem in (reader(spot, lexemes) for reader in readers) if problem), None)
    is_remark = document.text.startswith(("//", "/*"), start)
    mend = "a comment begins with `#`" if is_remark else _HINTS.get(document.text[start : start + 1], "")
    return found_problem or spot.problem(_in_our_words(spot), mend)


def _prefix(spot: _Spot, lexemes: list[Lexeme]) -> Problem | None:
    match = _PREFIX.search(spot.reason)
    if not match:
        return None
    name = match[1]
    known = dict(prefixes(lexemes))
    near = nearest(name, known)
    if name in WELL_KNOWN:
        mend = f"add `@prefix {name}: <{WELL_KNOWN[name]}> .` at the top"
    elif near:
        mend = f"did you mean `{near}:`?"
    else:
        mend = f"declare it at the top: `@prefix {name}: <…> .`"
    return spot.problem(f"the prefix `{name}:` is not declared", mend, code="unknown-prefix")


def _broken_text(spot: _Spot, lexemes: list[Lexeme]) -> Problem | None:
    text = next((lexeme for lexeme in lexemes if lexeme.kind == "open"), None)
    if text is None or not text.start <= spot.start <= text.end:
        return None
    quote = text.text[0]
    is_long = text.text.startswith(quote * 3)
    mend = "" if is_long else f"close it on the same line, or put a text of several lines in {quote * 3}"
    span = spot.document.span(text.start, text.end)
    return Problem("error", "syntax", "this text is never closed", span, f"{quote * (3 if is_long else 1)} is missing", mend)


def _escape(spot: _Spot, _lexemes: list[Lexeme]) -> Problem | None:
    written = spot.document.text[spot.start : spot.end]
    if "escape" not in spot.reason.lower() or "\\" not in written:
        return None
    if written.startswith(("\\u", "\\U")):
        return spot.problem(f"`{written}` is not a character")
    return spot.problem(
        f"`{written}` is not an escape of Turtle", "write `\\\\` for a backslash, or one of \\t \\n \\r \\\" \\' \\u1234"
    )


def _iri(spot: _Spot, _lexemes: list[Lexeme]) -> Problem | None:
    written = spot.document.text[spot.start : spot.end]
    if not written.startswith("<") or "datatype" in spot.reason or "PREFIX" in spot.reason:
        return None
    mend = "write a space as %20" if " " in written else "an IRI stands between < and > on one line, without spaces or quotes"
    return spot.problem(f"this is not a valid IRI: {_lower(spot.reason)}", mend)


def _end(spot: _Spot, _lexemes: list[Lexeme]) -> Problem | None:
    if spot.found is not None:
        return None
    opening = unclosed(spot.before)
    if opening:
        return spot.behind(f"`{opening.text}` is never closed", f"`{_CLOSING[opening.text]}` is missing")
    return spot.behind("the file ends inside a statement", "the rest of it, or its `.`, is missing")


def _quote(spot: _Spot, _lexemes: list[Lexeme]) -> Problem | None:
    """Explain a text in which a quote stands, so that it ends there and goes on at once."""
    last = spot.before[-1] if spot.before else None
    if last is None or last.kind != "text" or spot.found is None or last.end != spot.found.start:
        return None
    if spot.found.kind in {"mark", "at"}:
        return None  # A language tag or a datatype.
    quote = last.text[-1]
    mend = f"write \\{quote} for one inside it, or put the text in {quote * 3}"
    return spot._replace(start=last.end - 1, end=last.end).problem("the text ends at this quote", mend)


def _comma(spot: _Spot, lexemes: list[Lexeme]) -> Problem | None:
    """Explain a `,` or an arrow in a list, or a `,` in the place of a `;`: what follows is then a property with its value."""
    opening = unclosed(spot.before)
    sign = next((sign for sign in (",", "->", "|", ">") if spot.document.text.startswith(sign, spot.start)), "")
    if spot.found and sign and opening and opening.text == "(":
        return spot.problem(f"a `{sign}` cannot stand in a list", "members stand beside each other: `( :first :second )`")
    behind = [lexeme.text for lexeme in lexemes[len(spot.before) + 1 :][:1]]
    match spot.before[-2:]:
        # If neither, a statement may begin where the parser stopped.
        case [Lexeme(text=",") as comma, Lexeme(kind="name", text=term)] if spot.found and (
            spot.found.kind in {"text", "number"} or behind in ([";"], ["."], [","], ["]"])
        ):
            mend = "behind `,` stands another value of the same property, behind `;` another property"
            sentence = f"`{term}` is a property here: put `;` in the place of this `,`"
            return spot._replace(start=comma.start, end=comma.end).problem(sentence, mend)
    return None


def _bracket(spot: _Spot, _lexemes: list[Lexeme]) -> Problem | None:
    opening = unclosed(spot.before)
    found = spot.found.text if spot.found else ""
    if opening and found in {".", ";", ",", ")", "]", "@prefix", "@base"} and not _lacks_object(spot):
        return spot.behind(f"`{opening.text}` is not closed before `{found}`", f"`{_CLOSING[opening.text]}` is missing")
    if not opening and found in {")", "]"}:
        return spot.problem(f"`{found}` closes nothing", label="no bracket is open here")
    return None


def _lacks_object(spot: _Spot) -> bool:
    """Whether a property without a value stands in front: then the bracket is not what is missing."""
    opening = unclosed(spot.before)
    last = spot.before[-1]
    inside = opening is not None and opening.text == "["
    return inside and "object" in spot.reason and last.text not in {",", ";", "["}


def _word(spot: _Spot, _lexemes: list[Lexeme]) -> Problem | None:
    found = spot.found
    if found is None or found.kind not in {"word", "at"} or found.text in _WORDS or found.text.lower() in {"prefix", "base"}:
        return None
    last = spot.before[-1] if spot.before else None
    word = _short(found.text)
    if last and last.end == found.start:
        if last.kind != "number":
            return None  # a language tag
        number = f"{last.text}{word}"
        mend = f'a number stands without its unit, a text in quotes: "{number}"'
        return spot._replace(start=last.start).problem(f"`{number}` is no number", mend)
    near = "a" if found.text == "is" else nearest(found.text, _WORDS)
    named = f"a name with its prefix: `:{word}`"
    mend = f"write {named}" if "predicate" in spot.reason else f'write a text as "{word}", {named}'
    if last and last.text.lower() in {"@prefix", "prefix"}:
        mend = f"a prefix is declared as `@prefix {word}: <iri> .`"
    elif near:
        mend = f"did you mean `{near}`?"
    return spot.problem(f"`{word}` is not a term of Turtle", mend)


def _place(spot: _Spot, _lexemes: list[Lexeme]) -> Problem | None:
    shown = _short(spot.found.text) if spot.found else ""
    last = spot.before[-1].text if spot.before else "."
    if "predicate" in spot.reason:
        return spot.problem(f"a property is expected here, not `{shown}`")
    if "object" in spot.reason:
        mend = "the value stands right behind its property" if shown == "=" else _with_class(spot.before)
        return spot.problem(f"a value is expected here, not `{shown}`", mend)
    keyword = next((lexeme.text for lexeme in spot.before[-3:] if lexeme.text.lower() in {"prefix", "base"}), "")
    if shown == "." and keyword:
        return spot.problem(f"behind `{keyword}` stands no `.`", f"only `@{keyword.lower()}` has one")
    if last == "." and "subject" in spot.reason:
        return spot.problem(f"a statement cannot begin with `{shown}`")
    if "dot" in spot.reason or "subject" in spot.reason:
        if any(lexeme.text == "@prefix" for lexeme in spot.before[-3:]):
            return spot.behind("this prefix has no end", "`.` is missing")
        mend = "end the statement with `.`, go on about the same subject with `;`, or with another value with `,`"
        return spot.behind(f"the statement before `{shown}` has no end", "`.` or `;` is missing", mend)
    if "']'" in spot.reason or "')'" in spot.reason:
        mend = "`[ … ]` has properties, each with its value, in it; `( … )` is a list"
        return spot.behind("a `;` or a closing bracket is missing", "here", mend)
    return None


def _with_class(before: list[Lexeme]) -> str:
    """Say how a node is given a class, if two names begin a statement and nothing follows."""
    match [lexeme for lexeme in before[-3:] if lexeme.text != "."]:
        case [Lexeme(kind="name") as subject, Lexeme(kind="name") as value]:
            return f"write `{subject.text} a {value.text}` if that is its class"
    return ""


def _in_our_words(spot: _Spot) -> str:
    found = spot.found.text if spot.found else "the end of the file"
    written = _short(spot.document.text[spot.start : spot.end] or found)
    sentence = next((sentence for fragment, sentence in _REASONS if fragment in spot.reason), "")
    return sentence.format(written) if sentence else f"this is not Turtle: {_lower(spot.reason)}"


def _lower(reason: str) -> str:
    return reason[:1].lower() + reason[1:]


def _short(text: str) -> str:
    line = (text.splitlines() or [""])[0]
    return line if len(line) <= _SHORT else f"{line[:_SHORT]}…"
