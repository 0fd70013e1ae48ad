"""Text that somebody else wrote, put where it cannot break the document around it."""

from __future__ import annotations

import re
from typing import Final

# Each pattern begins with a line end: that lets the search leap from line to line, at 0.5 ns a character.
_HTML: Final = r"<(?:!|\?|/?(?i:script|pre|style|textarea|details|summary))"
_INSIDE: Final = r"(?:[ \t]{0,12}(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*[ \t]*"
"""What may stand in front of a block that is in a quotation or a list."""
_MATTERS: Final = rf"{_INSIDE}(?:#{{1,6}}(?:[ \t\n]|\Z)|`{{3}}|~{{3}}|(?:=+|-+)[ \t]*(?:\n|\Z)|{_HTML})"
_TRIGGER: Final = re.compile(rf"\n{_MATTERS}")
_TRIGGER_FIRST: Final = re.compile(_MATTERS)
_OPENER: Final = re.compile(_HTML)
_FENCE: Final = re.compile(rf"\n({_INSIDE})(`{{3,}}(?=[^`\n]*\n)|~{{3,}})[^\n]*(?=\n)")
_HEADING: Final = re.compile(r"\n( {0,3})(#{1,6})(?=[ \t\n])")
_HEADING_INSIDE: Final = re.compile(rf"\n({_INSIDE})(#{{1,6}})(?=[ \t\n])")
_UNDERLINE: Final = re.compile(r"\n(?=[ \t>]*(?:=+|-+)[ \t]*\n)")
_MARKUP: Final = re.compile(rf"\n({_INSIDE})(?={_HTML})")
_CONTAINER: Final = re.compile(r"\n[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])[ \t])")
_TICKS: Final = re.compile(r"`{3,}")
_INLINE: Final = re.compile(r"([\\`*\[\]<]|&(?=[#\w]+;)|~(?=~)|(?<![^\W_])_|_(?![^\W_]))")
_OPENING: Final = re.compile(r"\d{1,9}(?=[.)])|(?=[#>+=~|-])")
_DEEPEST: Final = 6


def guard(text: str, shift: int) -> str:
    """Return Markdown of somebody else's so that the document around it keeps its structure.

    Headings sink by `shift` levels, an open code block is closed, and HTML that would swallow what follows is escaped. Code
    is not touched.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _TRIGGER.search(text) is None and _TRIGGER_FIRST.match(text) is None:
        return text
    return _guard_parts(f"\n{text}\n", shift).strip("\n")


def _guard_parts(framed: str, shift: int) -> str:
    contained = _CONTAINER.search(framed) is not None
    done: list[str] = []
    at = 0
    while opening := _FENCE.search(framed, at):
        start = opening.start()
        end = _end_of_fence(framed, opening, contained)
        done += (_tame(framed[at:start] + "\n", shift, contained)[:-1], framed[start:end])
        at = end
        if end == len(framed):
            # A block in a list or quotation ends with that; any other would go on through the rest of the page.
            return "".join(done) + ("" if _is_contained(opening, contained) else opening[2])
    done.append(_tame(framed[at:], shift, contained))
    return "".join(done)


def find_fence(framed: str, at: int) -> re.Match[str] | None:
    """Return where the next code block opens, in a text with a line end before and behind it."""
    return _FENCE.search(framed, at)


def end_of_fence(framed: str, opening: re.Match[str]) -> int:
    """Return where a code block ends."""
    return _end_of_fence(framed, opening, opening[1].strip() != "")


def _is_contained(opening: re.Match[str], contained: bool) -> bool:
    return contained and opening[1] != ""


def _end_of_fence(framed: str, opening: re.Match[str], contained: bool) -> int:
    """Return where the line that closes a code block ends, or what holds it does, or the text."""
    mark = opening[2]
    ends = rf"\n[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*(?=\n)"
    if _is_contained(opening, contained):
        ends += r"|(?=\n[ \t]*[^\s>])" if ">" in opening[1] else rf"|(?=\n[ \t]{{0,{len(opening[1]) - 1}}}\S)"
    closing = re.compile(ends).search(framed, opening.end())
    return closing.end() if closing else len(framed)


def _tame(part: str, shift: int, contained: bool) -> str:
    # A rule below a line would make that line a heading; below an empty line it is only a rule.
    part = _UNDERLINE.sub("\n\n", part)
    if "#" in part:
        headings = _HEADING_INSIDE if contained else _HEADING
        part = headings.sub(lambda found: f"\n{found[1]}{'#' * min(len(found[2]) + shift, _DEEPEST)}", part)
    return _MARKUP.sub(r"\n\1\\", part) if _OPENER.search(part) else part


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


def opening(line: str) -> str:
    """Return one line of Markdown so that it begins no heading, list or quotation."""
    found = None if line[:1].isalpha() else _OPENING.match(line)
    return f"{found[0]}\\{line[found.end() :]}" if found else line


def html(text: str) -> str:
    """Return text for one line of HTML."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
