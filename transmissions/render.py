"""Problems as text: the sentence, the place, the source line with a caret under what is at fault, and how to mend it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .problem import Problem, Span

MAX_WIDTH: Final = 120
"""How many columns of a source line are shown; a longer one is cut around the caret."""
_LEAD: Final = 40
_TAB: Final = "    "
_COLORS: Final = {"error": "1;31", "warning": "1;33", "note": "1;36", "frame": "1;34", "bold": "1"}
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class _Line(NamedTuple):
    """A source line made fit to be shown, and where the marked stretch lies in it, in columns of a terminal."""

    shown: str
    indent: int
    width: int


def tidy(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems sorted by place, each fault of a place once (the same node may stand in several pipes)."""
    seen = {_identity(problem): problem for problem in reversed(list(problems))}
    return sorted(seen.values(), key=_place)


def render(problem: Problem, color: bool = False) -> str:
    """Show one problem, without a line end at the end."""
    paint = _paint if color else _plain
    title = paint(f"{problem.severity}[{problem.code}]", problem.severity) + paint(f": {printable(problem.message)}", "bold")
    spans = [span for span in (problem.span, *(label.span for label in problem.related)) if span]
    gutter = max((len(str(span.line)) for span in spans), default=1)
    lines = [title]
    if problem.span:
        lines += _snippet(problem.span, problem.label, gutter, ("-->", "^", problem.severity), color)
    for label in problem.related:
        lines += _snippet(label.span, label.text, gutter, (":::", "-", "frame"), color)
    if problem.help:
        lines.append(f"{' ' * gutter} {paint('=', 'frame')} help: {printable(problem.help)}")
    return "\n".join(lines)


def render_all(problems: Iterable[Problem], color: bool = False) -> str:
    """Show all problems in order, and count them in a last line."""
    ordered = tidy(problems)
    return "\n\n".join([*(render(problem, color) for problem in ordered), summary(ordered)])


def summary(problems: Iterable[Problem]) -> str:
    """Count problems by severity: `3 errors, 1 warning`."""
    counts = Counter(problem.severity for problem in problems)
    named = [f"{counts[kind]} {kind}{'s' * (counts[kind] != 1)}" for kind in ("error", "warning", "note") if counts[kind]]
    return ", ".join(named) or "no problems"


def printable(text: str) -> str:
    """Return text with control and direction characters written out, on one line."""
    return "".join(_visible(character) for character in " ".join(text.splitlines()))


def _snippet(span: Span, label: str, gutter: int, style: tuple[str, str, str], color: bool) -> list[str]:
    arrow, sign, kind = style
    paint = _paint if color else _plain
    pad = " " * gutter
    head = f"{pad}{paint(arrow, 'frame')} {printable(span.file)}:{span.line}:{span.column}"
    if span.width < 1:
        return [head]
    line = _fit(span)
    bar = paint("|", "frame")
    mark = paint(f"{sign * line.width} {printable(label)}".rstrip(), kind)
    number = paint(f"{span.line:>{gutter}}", "frame")
    return [head, f"{pad} {bar}", f"{number} {bar} {line.shown}".rstrip(), f"{pad} {bar} {' ' * line.indent}{mark}"]


def _fit(span: Span) -> _Line:
    start = min(span.column - 1, len(span.text))
    end = min(start + span.width, len(span.text))
    first = 0 if len(span.text) <= MAX_WIDTH else max(0, min(start - _LEAD, len(span.text) - MAX_WIDTH))
    last = min(len(span.text), first + MAX_WIDTH)
    before, marked, after = (
        _shown(span.text[a:b]) for a, b in ((first, start), (start, min(end, last)), (min(end, last), last))
    )
    left = "…" if first else ""
    right = "…" if last < len(span.text) else ""
    return _Line(f"{left}{before}{marked}{after}{right}", len(left) + _columns(before), max(1, _columns(marked)))


def _shown(text: str) -> str:
    return "".join(_TAB if character == "\t" else _visible(character) for character in text)


def _visible(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    return f"\\u{{{ord(character):x}}}" if unicodedata.category(character) in _HIDDEN else character


def _columns(text: str) -> int:
    return len(text) if text.isascii() else sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _identity(problem: Problem) -> tuple[object, ...]:
    return problem.code, problem.span, problem.message


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.span.where if problem.span else ("", 0, 0)


def _plain(text: str, _kind: str) -> str:
    return text


def _paint(text: str, kind: str) -> str:
    return f"\x1b[{_COLORS[kind]}m{text}\x1b[0m"
