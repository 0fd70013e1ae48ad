"""Text that somebody else wrote, put where it cannot break the document around it."""

from __future__ import annotations

import re
from typing import Final

from .code_apart import is_escaped, outside_code
from .fences import INSIDE, code_blocks
from .nested_fences import HIDING

# Each pattern begins with a line end: that lets the search leap from line to line, at 0.5 ns a character.
_HTML: Final = r"<(?:!|\?|/?(?i:script|pre|style|textarea|details|summary))"
# Most lines begin with a letter, and one look at that is half as dear as trying the rest: 0.05 s for 55 MB, not 0.09.
_TRIGGER: Final = re.compile(rf"\n(?=[ \t>*+\-\d#`~=<]){INSIDE}(?:#{{1,6}}[ \t\n]|`{{3}}|~{{3}}|(?:=+|-+)[ \t]*\n|{_HTML})")
_OPENER: Final = re.compile(_HTML)
_HEADING: Final = re.compile(r"\n( {0,3})(#{1,6})(?=[ \t\n])")
_HEADING_INSIDE: Final = re.compile(rf"\n({INSIDE})(#{{1,6}})(?=[ \t\n])")
_TAG: Final = re.compile(r"\n[ \t>*+-]*</?[A-Za-z]")
_HIDDEN: Final = rf"<(?=!(?:--|[A-Za-z\[])|\?[A-Za-z]|/?{HIDING})"
_HIDING: Final = re.compile(_HIDDEN)
_BLOCK_TAG: Final = re.compile(rf"\n[ \t>*+-]*</?(?!{HIDING})[A-Za-z]")
"""A line that may begin a block of HTML."""
_UNDERLINE: Final = re.compile(r"\n(?=[ \t>=-])(?=[ \t>]*(?:=+|-+)[ \t]*\n)")
_MARKUP: Final = re.compile(rf"\n({INSIDE})<(?={_HTML[1:]})")
_CONTAINER: Final = re.compile(r"\n(?=[ \t>*+\-\d])[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])[ \t\n])")
_IN_PREFIX: Final = re.compile(r"[^\s>]")
"""What begins a list's item: the lines below it have spaces there."""
_TICKS: Final = re.compile(r"`{3,}")
_MARKS: Final = re.compile(r"[\\`*\[\]<&~_]")
_INLINE: Final = re.compile(r"([\\`*\[\]<]|&(?=[#\w]+;)|~(?=~)|(?<![^\W_])_|_(?![^\W_]))")
_OPENING: Final = re.compile(r"\d{1,9}(?=[.)])|(?=[#>+=~|-])")
_DEEPEST: Final = 6
_INDENT: Final = re.compile(rf"^{INSIDE}", re.MULTILINE)
_CODE: Final = 4
"""Columns that make a line code."""


def guard(text: str, shift: int) -> str:
    """Return Markdown of somebody else's so that the document around it keeps its structure.

    Headings sink by `shift` levels, an open code block is closed, and HTML that would swallow what follows is escaped. Code
    is not touched. The text's lines all end alike.
    """
    if not ("`" in text or "#" in text or "~" in text or "=" in text or "<" in text or "-" in text):
        return text  # To look for all of these takes a fifth of what the pattern takes, and most texts have none.
    framed = f"\n{text}\n"
    found = _TRIGGER.search(framed)
    if found is None:
        return text
    guarded = _guard_parts(framed, shift, found.start())
    return (text if guarded is framed else guarded).strip("\n")


def _guard_parts(framed: str, shift: int, first: int) -> str:
    """Return a text that has a line end before and behind it so that it keeps to itself: the same object if it does."""
    contained = "#" in framed and _CONTAINER.search(framed) is not None
    done: list[str] = []
    at = kept = 0
    for block in code_blocks(framed, first):
        part = framed[at : block.start]
        tamed = _tame(part, shift, contained) if block.start > first else part
        # Below a line of HTML a fence would be HTML too, up to the next empty line.
        gap = "\n" if "<" in tamed and _TAG.search(tamed, tamed.rfind("\n\n") + 1) else ""
        if gap or tamed is not part:
            done += (framed[kept:at], tamed, gap)
            kept = block.start
        at = block.end
        if at == len(framed):
            # Closed where it stands, whatever holds it: it could go on through the rest of the page.
            closing = "" if block.is_closed else _IN_PREFIX.sub(" ", block.prefix) + block.mark
            return "".join((*done, framed[kept:], closing))
    rest = framed[at:]
    tamed = _tame(rest, shift, contained)
    return "".join((*done, framed[kept:at], tamed)) if done or tamed is not rest else framed


def _tame(part: str, shift: int, contained: bool) -> str:
    """Return Markdown without code blocks so that it keeps to itself; a line end stands behind it."""
    if "-" in part or "=" in part or "#" in part or "<" in part:
        return _tame_lines(f"{part}\n", shift, contained)[:-1]
    return part


def _tame_lines(part: str, shift: int, contained: bool) -> str:
    # A rule below a line would make that line a heading; below an empty line it is only a rule.
    part = _UNDERLINE.sub("\n\n", part)
    if "#" in part:
        headings = _HEADING_INSIDE if contained else _HEADING
        part = headings.sub(lambda found: f"\n{found[1]}{'#' * min(len(found[2]) + shift, _DEEPEST)}", part)
    if _OPENER.search(part) is None:
        return part
    return _MARKUP.sub(r"\n\1&lt;" if _TAG.search(part) else r"\n\1\\<", part)


def without_tabs(text: str) -> str:
    """Return Markdown that means the same in a quotation: behind its mark a tab is less wide than at the margin."""
    return _INDENT.sub(lambda found: found[0].expandtabs(_CODE), text) if "\t" in text else text


def whole_lines(text: str) -> str:
    """Return a text whose lines all end alike."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def show_hiding(text: str) -> str:
    """Return Markdown in which no tag outside of code hides what stands below it, as one left open does, or closes a fold."""
    if _HIDING.search(text) is None:
        return text
    # In a block of HTML a backslash is a sign like any other.
    if _BLOCK_TAG.search(f"\n{text}"):
        return outside_code(text, lambda part: _HIDING.sub("&lt;", part))
    return outside_code(text, _escape_hiding)


def _escape_hiding(text: str) -> str:
    # A pattern that looked for the backslashes too would try every character: it took five times as long as all the rest here.
    return _HIDING.sub(lambda found: found[0] if is_escaped(text, found.start()) else "\\<", text)


def fence(text: str, language: str = "") -> str:
    """Return a code block whose fence is longer than any inside."""
    if "\r" in text:  # Which ends a line too, so that what holds the block would have to stand in front of the next.
        text = whole_lines(text)
    ticks = "`" * (max(map(len, _TICKS.findall(text)), default=2) + 1) if "`" in text else "```"
    end = "" if text.endswith("\n") else "\n"
    return f"{ticks}{language}\n{text}{end}{ticks}"


def inline(text: str) -> str:
    """Return text for one line of Markdown, with nothing in it taken as markup."""
    line = " ".join(text.split())
    # Few lines have any such mark: 0.02 s for 30,000 names, not 0.07.
    return _INLINE.sub(r"\\\1", line) if _MARKS.search(line) else line


def opening(line: str) -> str:
    """Return one line of Markdown so that it begins no heading, list or quotation."""
    found = None if line[:1].isalpha() else _OPENING.match(line)
    return f"{found[0]}\\{line[found.end() :]}" if found else line


def html(text: str) -> str:
    """Return text for one line of HTML."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
