"""Answers that an archive keeps as HTML, as Markdown: paragraphs, lists, code, links and tables. Scripts are dropped."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Final

_SILENT: Final = frozenset(["script", "style", "head", "template", "noscript", "svg", "iframe", "object"])
_BLOCKS: Final = frozenset(["article", "blockquote", "dd", "div", "dl", "dt", "figure", "footer", "header", "p", "section"])
_MARKS: Final = {"b": "**", "strong": "**", "i": "*", "em": "*", "del": "~~", "s": "~~"}
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_GAP: Final = re.compile(r"\n{3,}")
_LINE_END: Final = re.compile(r"\n\s*")
_SPECIAL: Final = re.compile(r"[*`\\]|<(?=[A-Za-z/!?])")
"""What would be Markdown or HTML if it stood in Markdown text as it stands in HTML."""
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_SAFE_LINK: Final = re.compile(r"(?:https?|mailto):[^\s<>()]+", re.IGNORECASE)
_TICKS: Final = re.compile(r"`+")
_DEEP: Final = 100
"""How many lists and quotes deep is still told apart."""


class MarkdownMaker(HTMLParser):
    """Takes HTML in pieces and gives Markdown: one for each text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._silent, self._depth = "", 0
        self._lists: list[int] = []
        self._link: tuple[str, int] | None = None
        self._code: list[str] | None = None
        self._language = ""
        self._inline = -1
        self._row: list[str] | None = None
        self._cell = -1
        self._rows = 0

    def markdown(self) -> str:
        """Return the text as it is so far; whatever is still open ends here."""
        self._close_code()
        self._close_inline()
        self._close_row()
        lines = "".join(self._out).split("\n")
        found = "\n".join(line.rstrip() for line in lines)
        return _GAP.sub("\n\n", found).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin what the tag begins."""
        if self._silent:
            self._depth += tag == self._silent
        elif tag in _SILENT:
            self._silent, self._depth = tag, 1
        elif self._code is not None:
            self._in_code(tag, dict(attrs))
        else:
            self._begin(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """End what the tag ends; one that ends nothing is ignored."""
        if self._silent:
            self._depth -= tag == self._silent
            self._silent = self._silent if self._depth else ""
        elif self._code is not None:
            if tag == "pre":
                self._close_code()
        else:
            self._end(tag)

    def handle_data(self, data: str) -> None:
        """Add text: as it is in code, else with its spaces made one."""
        if self._silent:
            return
        if self._code is not None:
            self._code.append(data)
            return
        shown = data if self._inline >= 0 else _SPECIAL.sub(r"\\\g<0>", _SPACE.sub(" ", data))
        if shown == " " and (not self._out or self._out[-1].endswith(("\n", " "))):
            return
        self._out.append(shown.lstrip(" ") if self._out and self._out[-1].endswith("\n") else shown)

    def _in_code(self, tag: str, attrs: dict[str, str | None]) -> None:
        assert self._code is not None
        if tag == "br":
            self._code.append("\n")
        elif tag == "code":
            self._language = language_of(attrs) or self._language

    def _begin(self, tag: str, attrs: dict[str, str | None]) -> None:
        if tag in _MARKS:
            self._out.append(_MARKS[tag])
        elif tag in ("td", "th", "tr"):
            self._begin_table_part(tag)
        elif tag == "pre":
            self._code, self._language = [], language_of(attrs)
        elif tag == "code":
            self._close_inline()
            self._inline = len(self._out)
        elif tag == "a":
            self._close_link()
            self._link = (attrs.get("href") or "", len(self._out))
        elif tag == "img":
            self._out.append(attrs.get("alt") or "")
        elif tag == "br":
            self._out.append(" " if self._row is not None else "\n")
        else:
            self._begin_block(tag, attrs)

    def _begin_block(self, tag: str, attrs: dict[str, str | None]) -> None:
        if tag == "hr":
            self._out.append("\n\n---\n\n")
        elif tag == "li":
            self._new_line()
            self._out.append(self._bullet())
        elif tag in ("ul", "ol"):
            self._break()
            self._lists.append(_start_of(attrs) if tag == "ol" else -1)
        elif tag == "table":
            self._break()
            self._rows = 0
        elif len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":  # noqa: PLR2004 - h1 to h6
            self._out.append(f"\n\n{'#' * int(tag[1])} ")
        elif tag in _BLOCKS:
            self._break()

    def _end(self, tag: str) -> None:
        if tag in _MARKS:
            self._out.append(_MARKS[tag])
        elif tag in ("td", "th"):
            self._close_cell()
        elif tag == "tr":
            self._close_row()
        elif tag == "code":
            self._close_inline()
        elif tag == "a":
            self._close_link()
        elif tag in ("ul", "ol"):
            if self._lists:
                self._lists.pop()
            self._break()
        elif tag == "table" or tag in _BLOCKS or (len(tag) == 2 and tag[0] == "h"):  # noqa: PLR2004 - h1 to h6
            self._break()

    def _break(self) -> None:
        """End a paragraph; one in a list item or a cell goes on in its line."""
        if self._row is not None:
            self._out.append(" ")
        elif not self._lists:
            self._out.append("\n\n" if self._out else "")
        elif self._out and not self._out[-1].endswith((". ", "- ")):
            self._new_line()

    def _new_line(self) -> None:
        if self._out and not self._out[-1].endswith("\n"):
            self._out.append("\n")

    def _bullet(self) -> str:
        indent = "    " * (min(len(self._lists), _DEEP) - 1)
        if not self._lists or self._lists[-1] < 0:
            return f"{indent}- "
        self._lists[-1] += 1
        return f"{indent}{self._lists[-1] - 1}. "

    def _close_link(self) -> None:
        if self._link is None:
            return
        (address, at), self._link = self._link, None
        self._close_inline(at)
        shown = " ".join("".join(self._out[at:]).split())
        if shown and shown != address and _SAFE_LINK.fullmatch(address):
            self._out[at:] = [f"[{shown}]({address})"]

    def _close_inline(self, since: int = 0) -> None:
        """End code in a line that began at that place or later: what is in it must not be taken out of it."""
        if self._inline < since:
            return
        code = _LINE_END.sub(" ", "".join(self._out[self._inline :]))
        ticks = "`" * (1 + max(map(len, _TICKS.findall(code)), default=0))
        pad = " " if code.startswith("`") or code.endswith("`") else ""
        apart = " " if self._inline and self._out[self._inline - 1].endswith("`") else ""  # Or two runs of ticks were one.
        self._out[self._inline :] = [f"{apart}{ticks}{pad}{code}{pad}{ticks}"] if code else []
        self._inline = -1

    def _close_code(self) -> None:
        if self._code is None:
            return
        code = "".join(self._code).strip("\n")
        ticks = "`" * max(3, 1 + max(map(len, _TICKS.findall(code)), default=0))
        self._out.append(f"\n\n{ticks}{self._language}\n{code}\n{ticks}\n\n")
        self._code = None

    def _begin_table_part(self, tag: str) -> None:
        self._close_inline()
        if tag == "tr":
            self._close_row()
            self._row = []
            return
        self._close_cell()
        self._row = self._row if self._row is not None else []
        self._cell = len(self._out)

    def _close_cell(self) -> None:
        if self._cell < 0 or self._row is None:
            return
        self._close_inline(self._cell)
        self._row.append(" ".join("".join(self._out[self._cell :]).split()).replace("|", "\\|"))
        del self._out[self._cell :]
        self._cell = -1

    def _close_row(self) -> None:
        self._close_cell()
        row, self._row = self._row, None
        if not row:
            return
        self._rows += 1
        self._new_line()
        self._out.append(f"| {' | '.join(row)} |\n" + (f"|{' --- |' * len(row)}\n" if self._rows == 1 else ""))


def language_of(attrs: dict[str, str | None]) -> str:
    """Return the language that a class of an element names, or nothing."""
    found = re.search(r"(?:^|\s)lang(?:uage)?-([\w+#.-]{1,30})", attrs.get("class") or "")
    return found[1] if found else ""


def _start_of(attrs: dict[str, str | None]) -> int:
    start = attrs.get("start") or ""
    return int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 1  # noqa: PLR2004 - no list is longer


def feed_all(parser: HTMLParser, html: str) -> None:
    """Feed a parser a whole text. What is opened and never closed is text, and so is a declaration that it would refuse."""
    end = html.rfind("-->") + 3 if "-->" in html else 0
    # An open end would be looked for again at each such place, through all that follows.
    html = _COMMENT.sub("", html[:end]) + html[end:].replace("<!--", "&lt;!--")
    html = html.replace("<![", "&lt;![")
    end = html.rfind(">") + 1
    parser.feed(html[:end])
    parser.close()
    parser.handle_data(unescape(html[end:]))


def html_to_markdown(html: str) -> str:
    """Return HTML as Markdown text. Whatever the HTML, it never fails, and nothing of it can run."""
    maker = MarkdownMaker()
    feed_all(maker, html)
    return maker.markdown()
