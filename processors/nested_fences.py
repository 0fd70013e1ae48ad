"""Find the code blocks of Markdown that stand in lists and quotations, line by line as CommonMark reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE: Final = re.compile(r"(`{3,}(?=[^`\n]*\n)|~{3,})([^\n]*)(?=\n)")
_RULE: Final = r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\n"
_ITEM: Final = re.compile(rf"(?!{_RULE})(?:[-+*]|\d{{1,9}}[.)])(?=[ \t\n])")
# A dash alone would underline a heading: on a page it stands below an empty line.
_NEW_ITEM: Final = re.compile(rf"(?!{_RULE})(?:-(?=[ \t\n])|(?:[-+*]|1[.)])(?=[ \t]+[^ \t\n]))")
HIDING: Final = (
    "(?i:details|summary|script|style|textarea|title|xmp|iframe|noembed|noframes|noscript|plaintext|template|select|dialog|datalist"
    r"|audio|video|canvas|object)(?![\w-])"
)
"""Elements in which a browser does not show what follows, or not as what it is: on a page they are words."""
_TAG: Final = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)(?:[\s>]|/>)")
_NAMES: Final = """
address article aside base basefont blockquote body caption center col colgroup dd dir div dl dt fieldset figcaption figure
footer form frame frameset h1 h2 h3 h4 h5 h6 hr head header html legend li link main menu menuitem nav ol optgroup option p
param search section table tbody td tfoot th thead tr track ul"""
# As a pattern it takes Python 1 ms to compile, in each process.
_ELEMENTS: Final = frozenset(_NAMES.split())
"""Those that begin a block of HTML, whatever stands above."""
_BLOCK: Final = rf"#{{1,6}}[ \t\n]|{_RULE}"
_NO_PARAGRAPH: Final = re.compile(_BLOCK)
# What would underline a heading stands below an empty line on a page, and is a paragraph there.
_APART: Final = re.compile(rf"{_BLOCK}|{_FENCE.pattern}|(?:=+|-+)[ \t]*\n")
_TAG_ALONE: Final = re.compile(rf"</?(?!{HIDING})[A-Za-z][\w-]*(?:\s[^<>\n]*)?/?>[ \t]*\n")
_TAB: Final = 4
_CODE: Final = 4
"""Columns that make a line code."""
_QUOTE: Final = 0


class Fenced(NamedTuple):
    """A code block in a text that has a line end before and behind it."""

    start: int
    """The line end before it."""
    end: int
    """The line end behind it."""
    prefix: str
    """What stands before its first fence: spaces, or the marks of a quotation or a list."""
    mark: str
    """The fence."""
    info: str
    """What stands behind the fence."""
    code: int
    """Where the first line of code begins."""
    is_inside: bool
    """Whether it is in a quotation or a list, and ends with that."""
    is_closed: bool
    """Whether it ends with a fence of its own."""


class _Line:
    """How far a line is read: `first` is where its next sign stands; from column `column` to `target` there is space."""

    __slots__ = ("column", "first", "target", "text")

    def __init__(self, text: str, start: int) -> None:
        self.text, self.first, self.column, self.target = text, start, 0, 0
        self._go_on()

    @property
    def indent(self) -> int:
        """Columns of space before the next sign."""
        return self.target - self.column

    @property
    def sign(self) -> str:
        """The next sign; a line end where nothing is left."""
        return self.text[self.first]

    def take(self, number: int) -> None:
        """Read some signs."""
        self.first += number
        self.target += number
        self.column = self.target
        self._go_on()

    def _go_on(self) -> None:
        while (sign := self.text[self.first]) in " \t":
            self.target += _TAB - self.target % _TAB if sign == "\t" else 1
            self.first += 1


class _Blocks:
    """The quotations and lists that are open while a text is read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.open: list[int] = []
        """By the width that what is in them is indented by; quotations by none."""
        self.is_paragraph = False
        """Whether the line above belongs to a paragraph."""
        self.is_html = False
        """Whether it belongs to a block of HTML, which ends at an empty line."""
        self._is_bare = False
        """Whether the innermost item has nothing in it so far."""

    def go_in(self, line: _Line) -> int:
        """Read what leads into the open blocks a line belongs to, and return how many these are."""
        if self._is_bare and line.sign == "\n":
            self.open.pop()
        self._is_bare = False
        return next((depth for depth, width in enumerate(self.open) if not _goes_in(line, width)), len(self.open))

    def begin(self, line: _Line, depth: int) -> bool:
        """Open the blocks that begin in a line, and tell whether what is left of it goes on with the paragraph above."""
        goes_on = self.is_paragraph
        while line.indent < _CODE and self._opens(line, depth, goes_on=goes_on and depth == len(self.open)):
            depth, goes_on = len(self.open), False
        if goes_on and line.sign != "\n" and (line.indent >= _CODE or not self._interrupts(line)):
            return True
        del self.open[depth:]
        return False

    def note(self, line: _Line) -> None:
        """Note what the rest of a line begins."""
        is_words = line.indent < _CODE and line.sign != "\n"
        is_block = is_words and _is_block(line)
        is_alone = is_words and not self.is_paragraph and _TAG_ALONE.match(self._text, line.first) is not None
        self.is_html = is_block or is_alone
        self.is_paragraph = is_words and not is_block and _NO_PARAGRAPH.match(self._text, line.first) is None

    def _interrupts(self, line: _Line) -> bool:
        return _APART.match(self._text, line.first) is not None or _is_block(line)

    def _opens(self, line: _Line, depth: int, *, goes_on: bool) -> bool:
        if line.sign == ">":
            _take_mark(line)
            self.open[depth:] = [_QUOTE]
            return True
        # Below a paragraph fewer marks begin a list.
        item = (_NEW_ITEM if goes_on else _ITEM).match(self._text, line.first)
        if item:
            width = line.indent + len(item[0])
            line.take(len(item[0]))
            self._is_bare = line.sign == "\n"
            inner = line.indent if line.indent <= _CODE and not self._is_bare else 1
            line.column += inner
            self.open[depth:] = [width + inner]
        return item is not None


def _is_block(line: _Line) -> bool:
    """Whether a tag comes next that begins a block of HTML."""
    tag = _TAG.match(line.text, line.first) if line.sign == "<" else None
    return tag is not None and tag[1].lower() in _ELEMENTS


def _goes_in(line: _Line, width: int) -> bool:
    if width == _QUOTE:
        if line.sign != ">" or line.indent >= _CODE:
            return False
        _take_mark(line)
        return True
    if line.sign != "\n" and line.indent < width:
        return False
    line.column += min(width, line.indent)
    return True


def _take_mark(line: _Line) -> None:
    line.take(1)
    line.column += line.indent > 0


def nested_blocks(framed: str, at: int) -> Iterator[Fenced]:
    """Yield the code blocks of a text that has a line end before and behind it, from the line end at `at` on.

    No list or quotation may be open there.
    """
    blocks = _Blocks(framed)
    opened: Fenced | None = None
    while at < len(framed) - 1:
        line = _Line(framed, at + 1)
        depth = blocks.go_in(line)
        following = framed.index("\n", line.first)
        is_out = depth < len(blocks.open)
        if opened and (is_out or _closes(line, opened.mark)):
            yield opened._replace(end=at if is_out else following, is_closed=not is_out)
            opened = None
            blocks.is_paragraph = False
            if not is_out:
                at = following
                continue
        if not opened:
            opened = _read(blocks, line, depth, at)
        at = following
    if opened:
        yield opened


def _read(blocks: _Blocks, line: _Line, depth: int, at: int) -> Fenced | None:
    """Read a line that is no code, and return the code block it begins."""
    text = line.text
    blocks.is_html = blocks.is_html and depth == len(blocks.open) and line.sign != "\n"
    if not blocks.is_html:
        if blocks.begin(line, depth):
            return None
        blocks.note(line)
    found = _FENCE.match(text, line.first) if line.indent < _CODE else None
    if found is None:
        return None
    blocks.is_paragraph = blocks.is_html = False
    prefix = text[at + 1 : line.first]
    return Fenced(at, len(text), prefix, found[1], found[2], found.end() + 1, bool(blocks.open), False)


def _closes(line: _Line, mark: str) -> bool:
    if line.indent >= _CODE or line.sign != mark[0]:
        return False
    rest = line.text[line.first : line.text.index("\n", line.first)].rstrip(" \t")
    return len(rest) >= len(mark) and not rest.strip(mark[0])
