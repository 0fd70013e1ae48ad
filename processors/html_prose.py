"""Markdown of somebody else's as HTML: what it means is shown, nothing of it can act."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from .fences import code_blocks
from .markdown_parser import LONG, commonmark, with_footnotes
from .references import own_mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARKED: Final = "\ue000"
MARK: Final = re.compile("\ue000(\\d{1,7})\ue001")
"""Where a footnote is spoken of: two characters nobody uses, around its number."""
_SPECIAL: Final = re.compile(r"[*_`\[<&\\~|!\r\0]")
_AT_LINE: Final = re.compile(r"\n(?:[ \t]|[-+=#>]|\d{1,9}[.)])")
_SCHEME: Final = re.compile(r"[\s\x00-\x20]*(?:https?:|mailto:|[^:/?#\\]*(?:[/?#]|\Z))", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_TWO_SLASHES: Final = re.compile(r"[\s\x00-\x20]*[/\\][\s\x00-\x20]*[/\\]")
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9+#._-]{1,40}")
_LIVE: Final = (
    *(".html", ".htm", ".shtml", ".shtm", ".ehtml", ".xhtml", ".xhtm", ".xht", ".mhtml", ".mht"),
    *(".svg", ".svgz", ".xml", ".xsl", ".xslt", ".xbl", ".rdf"),
)
_BEHIND: Final = re.compile(r"[?#].*", re.DOTALL)
_DEEPEST: Final = 6
_APART: Final = re.compile(r"\n\n(?=[^\s*+>|\d-])")
"""Where nothing above can reach below: an empty line, then one that goes on with no list, quotation or table."""


def is_safe(url: str) -> bool:
    """Whether an address leads to a page, a mailbox or a file beside the page, and nowhere else."""
    return _SCHEME.match(url) is not None and _TWO_SLASHES.match(url) is None


def is_live(link: str) -> bool:
    """Whether a browser would run a file beside the page rather than show it: then it is downloaded."""
    return _ELSEWHERE.match(link) is None and unquote(_BEHIND.sub("", link)).lower().endswith(_LIVE)


def code_block(text: str, language: str = "") -> str:
    """Return a block of code."""
    known = f' class="language-{language}"' if _LANGUAGE.fullmatch(language) else ""
    return f"<pre><code{known}>{escape(text, quote=False)}</code></pre>"


def external(url: str, shown: str) -> str:
    """Return a link out of the page, or just what it shows: a word where an address should be would lead to no file here."""
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{shown}</a>' if _ELSEWHERE.match(url) else shown


class Prose:
    """Turns Markdown into HTML.

    Raises:
        UsageError: the library for it is not installed.

    """

    def __init__(self) -> None:
        self._parser, self._noting = commonmark(), with_footnotes()
        for parser in (self._parser, self._noting):
            # Replaced on purpose: the library offers this as its way to say which addresses may be linked.
            parser.validateLink = is_safe  # type: ignore[method-assign]
            _set_rules(parser)

    def render(self, text: str, shift: int) -> str:
        """Return a text with its headings `shift` levels deeper.

        Plain paragraphs and blocks of code, most of what is said, take a short way; it gives what the parser would.
        """
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        parts = _split(text) if "]:" not in text else [(text, None)]
        return "\n".join(
            code_block(part, language) if language is not None else self._paragraphs(part, shift) for part, language in parts
        )

    def _paragraphs(self, text: str, shift: int) -> str:
        framed = f"\n{text}"
        if _SPECIAL.search(text) or _AT_LINE.search(framed) or "  \n" in text:
            return "\n".join(self._parsed(piece, shift) for piece in _pieces(text))
        plain = text.strip().replace(">", "&gt;")
        if not plain:
            return ""
        if "\n\n\n" in plain or " \n" in plain:
            plain = "\n\n".join(filter(None, (paragraph.strip() for paragraph in plain.split("\n\n"))))
        plain = plain.replace("\n\n", "</p>\n<p>")
        return f"<p>{MARK.sub(_mark, plain) if _MARKED in plain else plain}</p>"

    def _parsed(self, text: str, shift: int) -> str:
        if len(text) > LONG:  # A log, a table, a file: what has no paragraphs is shown as it is.
            return MARK.sub(_mark, code_block(text.strip("\n")))
        if "]:" not in text or "[^" not in text:
            return str(self._parser.render(text, {"shift": shift})).rstrip("\n")
        # Footnotes of their own, which must not be taken for those of another text on the page.
        env = {"shift": shift, "docId": own_mark(text)}
        return str(self._noting.render(text, env)).rstrip("\n")


def _pieces(text: str) -> Iterator[str]:
    """Yield a text as the parser may take it, piece by piece if it is long."""
    if len(text) <= LONG or any(sign in text for sign in ("```", "~~~", "]:")):  # These reach beyond an empty line.
        yield text
        return
    began = ended = 0
    for found in (*_APART.finditer(text), None):
        end = found.start() if found else len(text)
        if end - began > LONG and ended > began:
            yield text[began:ended]
            began = ended
        ended = end
    yield text[began:]


def _split(text: str) -> list[tuple[str, str | None]]:
    """Return a text in parts: Markdown, and code blocks with their language.

    Only blocks whose fences begin their lines are taken out: nothing around them can make them anything else.
    """
    framed = f"\n{text}\n"
    parts: list[tuple[str, str | None]] = []
    at = 0
    for block in code_blocks(framed):
        info = block.info.strip()
        if block.prefix or not block.is_closed or "\\" in info or "&" in info:
            return [(text, None)]
        last = framed.rindex("\n", 0, block.end) + 1
        parts += ((framed[at : block.start], None), (framed[block.code : last], info.split(" ")[0]))
        at = block.end
    return [*parts, (framed[at:], None)]


def _mark(found: re.Match[str]) -> str:
    return f'<sup><a href="#note-{found[1]}">{found[1]}</a></sup>'


def _set_rules(parser: MarkdownIt) -> None:
    """Say how the parser writes what could reach beyond the message."""
    renderer: Any = parser.renderer
    for name, rule in (
        ("text", _text),
        ("fence", _fence),
        ("code_block", _fence),
        ("image", _image),
        ("link_open", _link),
        ("heading_open", _heading),
        ("heading_close", _heading),
        ("td_open", _cell),
        ("th_open", _cell),
    ):
        renderer.rules[name] = rule


def _text(tokens: Sequence[Token], at: int, *_: Any) -> str:
    text = escape(tokens[at].content, quote=False)
    return MARK.sub(_mark, text) if _MARKED in text else text


def _fence(tokens: Sequence[Token], at: int, *_: Any) -> str:
    return code_block(tokens[at].content, (tokens[at].info.split() or [""])[0]) + "\n"


def _image(tokens: Sequence[Token], at: int, *_: Any) -> str:
    # A page asks nobody for anything: an image that lies elsewhere is a link to it.
    url = str(tokens[at].attrs.get("src") or "")
    return external(url, f"[{escape(tokens[at].content) or 'image'}]")


def _link(tokens: Sequence[Token], at: int, *_: Any) -> str:
    url = str(tokens[at].attrs.get("href") or "")
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow"{" download" if is_live(url) else ""}>'


def _heading(tokens: Sequence[Token], at: int, _: Any, env: Any) -> str:
    level = min(int(tokens[at].tag[1:]) + env["shift"], _DEEPEST)
    return f"<h{level}>" if tokens[at].nesting > 0 else f"</h{level}>\n"


def _cell(tokens: Sequence[Token], at: int, *_: Any) -> str:
    # Alignment would be a style in an attribute, which the page's own policy forbids.
    return f"<{tokens[at].tag}>"
