"""Markdown in its flavours: CommonMark, Obsidian's, and one for retrieval with nothing in it but text."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from .code_apart import outside_code
from .latex import to_dollars
from .notes import notes_marker
from .prose import fence, guard, html, inline, opening, show_hiding, whole_lines, without_tabs
from .references import keep_to_itself

if TYPE_CHECKING:
    from collections.abc import Callable

SAFE_URL: Final = re.compile(r"(?!(?:javascript|vbscript|data):)[a-z][a-z0-9+.-]*:[^\s<>\x00-\x20]+", re.IGNORECASE)
_IN_WIKILINK: Final = str.maketrans("[]|<>`%", "［］｜＜＞｀％")  # noqa: RUF001 - what they show as, without what they mean
_SPACES: Final = " \t\n"
_CODE: Final = 4
"""Columns that make a line code."""
_COMMENT: Final = "%%"
_SIGN: Final = re.compile(r"(?<!\S)([#^])(?=[\w/-])")
"""What begins a tag in Obsidian, or names a block."""
_FORMULA: Final = re.compile(r"(?<![\\$])\$\$")


class CommonMark:
    """Markdown that GitHub and every other reader of CommonMark shows: folds are `<details>`."""

    extension = ".md"
    comment = ("<!--", "-->")

    def __init__(self, latex: str = "keep") -> None:
        self._dollars = latex == "dollar"

    def text(self, text: str, shift: int, /) -> str:
        """Return a message's Markdown, which neither goes on with a list above it nor hides what is below it."""
        text = self._whole(text, shift)
        return self._apart(text) if text[:1] in _SPACES else text

    def _whole(self, text: str, shift: int) -> str:
        """Return a message's Markdown so that it ends where it ends."""
        # A sign is found in a tenth of what a call takes, and most texts have none of them.
        if "\r" in text:
            text = whole_lines(text)
        if "]" in text:
            text = keep_to_itself(text)
        if self._dollars:
            text = to_dollars(text)
        if "<" in text:
            text = show_hiding(text)
        return guard(text, shift)

    def _apart(self, text: str) -> str:
        """Return an indented text so that it is in no list that ends above it."""
        plain = text.lstrip(_SPACES)
        lead = text[: len(text) - len(plain)].rpartition("\n")[2]
        if not lead or (plain[:1].isalpha() and len(lead.expandtabs(_CODE)) < _CODE):
            return plain
        return f"{' '.join(self.comment)}\n\n{lead}{plain}"

    def plain(self, plain: str, /) -> str:
        """Return words with their markup escaped."""
        line = inline(plain)
        return line.replace("$", "\\$") if self._dollars else line

    def paragraph(self, line: str, /) -> str:
        """Return a line that is no heading, list or quotation."""
        return opening(line)

    def code(self, text: str, language: str = "", /) -> str:
        """Return a fenced block."""
        return fence(text, language)

    def fold(self, title: str, body: list[str], /) -> list[str]:
        """Return a `<details>`."""
        return [f"<details><summary>{html(title)}</summary>", *body, "</details>"]

    def show(self, title: str, body: list[str], /) -> list[str]:
        """Return something in the open."""
        return [f"**{self.plain(title)}**", *body]

    def label(self, word: str, line: str, /) -> str:
        """Return a line that begins with a bold word."""
        return f"**{word}:** {line}"

    def aside(self, line: str, /) -> str:
        """Return a line in italics."""
        return f"*{line}*"

    def link(self, name: str, link: str, /) -> str:
        """Return a link."""
        return f"[{self.plain(name)}]({link})"

    def image(self, name: str, link: str, /) -> str:
        """Return an embedded image."""
        return f"![{self.plain(name)}]({link})"

    def address(self, title: str, url: str, /) -> str:
        """Return a title and an address."""
        shown = f"<{url}>" if SAFE_URL.fullmatch(url) else self.plain(url)
        return f"{self.plain(title)} {shown}".strip()

    def items(self, lines: list[str], /) -> str:
        """Return a list."""
        return "\n".join(f"- {opening(line)}" for line in lines)

    def heading(self, level: int, line: str, anchor: str = "", /) -> str:
        """Return a heading, and the message's id in a comment."""
        opened, closed = self.comment
        return f"{'#' * level} {line}\n{opened} msg:{anchor} {closed}" if anchor else f"{'#' * level} {line}"

    def mark(self, number: int, /) -> str:
        """Return a footnote's reference."""
        return f"[^{number}]"

    def footnotes(self, notes: list[tuple[int, str]], /) -> str:
        """Return footnotes."""
        return "\n".join(f"[^{number}]: {line}" for number, line in notes)

    def tail(self, short: str, /) -> str:
        """Return the line below which a user may write."""
        return notes_marker(short, *self.comment)


class Obsidian(CommonMark):
    """Markdown for Obsidian: folds are callouts, files are linked by wikilinks, comments stand in `%%`."""

    comment = (_COMMENT, _COMMENT)

    def _whole(self, text: str, shift: int) -> str:
        """Return a message's Markdown; a `%%` in it would hide what follows, a formula that is left open swallow it."""
        text = super()._whole(text, shift)
        if "$$" in text:
            text = _close_formulas(text)
        return outside_code(text, _show_percents) if _COMMENT in text else text

    def plain(self, plain: str, /) -> str:
        """Return words with their markup escaped, tags and names of blocks too."""
        return _SIGN.sub(r"\\\1", _show_percents(super().plain(plain)))

    def fold(self, title: str, body: list[str], /) -> list[str]:
        """Return a callout that is closed at first."""
        # The empty line keeps a body that begins with a rule from making the title a heading.
        quoted = without_tabs("\n\n".join(body)).replace("\n", "\n> ").replace("\n> \n", "\n>\n")
        return [f"> [!note]- {self.plain(title)}\n>\n> {quoted}"]

    def link(self, name: str, link: str, /) -> str:
        """Return a wikilink."""
        return f"[[{unquote(link)}|{' '.join(name.split()).translate(_IN_WIKILINK)}]]"

    def image(self, name: str, link: str, /) -> str:
        """Return an embedded image."""
        return f"![[{unquote(link)}]]"


class Retrieval(CommonMark):
    """Markdown for programs that look for passages: no HTML, no comments, no footnotes."""

    fold = CommonMark.show

    def text(self, text: str, shift: int, /) -> str:
        """Return a message's Markdown, which begins at the margin: there is no comment to keep it apart from a list."""
        return super().text(text.lstrip(_SPACES), shift)

    def heading(self, level: int, line: str, anchor: str = "", /) -> str:
        """Return a heading."""
        return f"{'#' * level} {line}"

    def mark(self, number: int, /) -> str:
        """Return nothing: the links stand below the text."""
        return ""

    def footnotes(self, notes: list[tuple[int, str]], /) -> str:
        """Return the links as a list."""
        return self.items([line for _, line in notes])

    def tail(self, short: str, /) -> str:
        """Return nothing."""
        return ""


def _close_formulas(text: str) -> str:
    """Return Markdown in which the last of an odd number of `$$` is words."""
    parts: list[str] = []

    def note(part: str) -> str:
        parts.append(part)
        return part

    outside_code(text, note)
    signs = [len(_FORMULA.findall(part)) for part in parts]
    if sum(signs) % 2 == 0:
        return text
    last = max(index for index, number in enumerate(signs) if number)
    at = list(_FORMULA.finditer(parts[last]))[-1].start()
    changed = f"{parts[last][:at]}\\$\\$" + parts[last][at + 2 :]
    numbers = itertools.count()
    return outside_code(text, lambda part: changed if next(numbers) == last else part)


def _show_percents(text: str) -> str:
    return text.replace(_COMMENT, "\\%\\%") if _COMMENT in text else text


FLAVOURS: Final[dict[str, Callable[[str], CommonMark]]] = {
    "commonmark": CommonMark,
    "obsidian": Obsidian,
    "retrieval": Retrieval,
}
