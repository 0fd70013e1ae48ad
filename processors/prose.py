"""Text that somebody else wrote, put where it cannot break the document around it."""

from __future__ import annotations

import re
from typing import Final

# Each pattern begins with a line end: that lets the search leap from line to line, at 0.5 ns a character.
_HTML: Final = r"<(?:!|\?|/?(?i:script|pre|style|textarea|details|summary))"
_TRIGGER: Final = re.compile(rf"\n {{0,3}}(?:#{{1,6}}[ \t\n]|`{{3}}|~{{3}}|=+[ \t]*\n|-+[ \t]*\n|{_HTML})")
_FENCE: Final = re.compile(r"\n( {0,3})(`{3,}(?=[^`\n]*\n)|~{3,})([^\n]*)(?=\n)")
_HEADING: Final = re.compile(r"\n( {0,3})(#{1,6})(?=[ \t\n])")
_UNDERLINED: Final = re.compile(
    r"\n( {0,3}(?![ \t#>|]|[-*+][ \t]|\d{1,9}[.)][ \t])[^\n]*\S)[ \t]*\n {0,3}(=+|-+)[ \t]*(?=\n)",
)
_UNDERLINE: Final = re.compile(r"\n {0,3}(?:=+|-+)[ \t]*\n")
_MARKUP: Final = re.compile(rf"\n( {{0,3}})(?={_HTML})")
_TICKS: Final = re.compile(r"`{3,}")
_INLINE: Final = re.compile(r"([\\`*\[\]<]|&(?=[#\w]+;))")
_LIST_ITEM: Final = re.compile(r"\n {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]")
_DEEPEST: Final = 6


def guard(text: str, shift: int) -> str:
    """Return Markdown of somebody else's so that the document around it keeps its structure.

    Headings sink by `shift` levels, an open code block is closed, and HTML that would swallow what follows is escaped. Code
    is not touched.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    framed = f"\n{text}\n"
    if _TRIGGER.search(framed) is None:
        return text
    return _guard_parts(framed, shift).strip("\n")


def _guard_parts(framed: str, shift: int) -> str:
    done: list[str] = []
    at = 0
    while opening := _FENCE.search(framed, at):
        start = opening.start()
        end = _end_of_fence(framed, opening)
        done += (_tame(framed[at:start] + "\n", shift)[:-1], framed[start:end])
        at = end
        if end == len(framed):
            return "".join(done) + _closing(framed, opening)
    done.append(_tame(framed[at:], shift))
    return "".join(done)


def _end_of_fence(framed: str, opening: re.Match[str]) -> int:
    """Return where the line that closes a code block ends, or the end of the text."""
    mark = opening[2]
    closing = re.compile(rf"\n {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*(?=\n)").search(framed, opening.end())
    return closing.end() if closing else len(framed)


def _closing(framed: str, opening: re.Match[str]) -> str:
    """Return the line that closes the last code block; one inside a list item ends with the item."""
    if opening[1] and _LIST_ITEM.search(framed, 0, opening.start()):
        return ""
    return opening[2]


def _tame(part: str, shift: int) -> str:
    if _UNDERLINE.search(part):
        part = _UNDERLINED.sub(lambda found: f"\n{'#' if found[2][0] == '=' else '##'} {found[1].lstrip()}", part)
    if "#" in part:
        part = _HEADING.sub(lambda found: f"\n{found[1]}{'#' * min(len(found[2]) + shift, _DEEPEST)}", part)
    return _MARKUP.sub(r"\n\1\\", part) if "<" in part else part


def fence(text: str, language: str = "") -> str:
    """Return a code block whose fence is longer than any inside."""
    ticks = "```"
    if "```" in text:
        ticks = "`" * (max(map(len, _TICKS.findall(text))) + 1)
    end = "" if text.endswith("\n") else "\n"
    return f"{ticks}{language}\n{text}{end}{ticks}"


def inline(text: str) -> str:
    """Return text for one line of Markdown, with nothing in it taken as markup."""
    line = " ".join(text.split())
    return line if line.isalnum() else _INLINE.sub(r"\\\1", line)


def html(text: str) -> str:
    """Return text for one line of HTML."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
