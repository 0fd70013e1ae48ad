"""HTML as a tree, whatever the HTML: the time it takes grows with its length, and the tree is never deep.

A parser that follows the standard looks through all open elements at each tag: a megabyte of `<div>` takes it minutes. So
the tags are read here first, and what the parser gets is well nested, at most `DEEPEST` elements deep.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

DEEPEST: Final = 200
_ATTRIBUTE: Final = (
    r"[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+"
    r"(?:[ \t\n\f\r]*+=[ \t\n\f\r]*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^ \t\n\f\r>\"'][^ \t\n\f\r>]*+|(?=>)))?+"
)
_MARKUP: Final = re.compile(
    r"<(?:!--(?:-?>|.*?(?:--!?>|\Z))"  # a comment
    r"|(/?)([A-Za-z][^ \t\n\f\r/>\0]*+)"  # a tag
    rf"((?:[ \t\n\f\r/]++|{_ATTRIBUTE})*+)(?:>|\Z)"
    r"|[!?/][^>]*+(?:>|\Z))",  # what browsers take for a comment: declarations, instructions
    re.DOTALL,
)
_ATTRIBUTES: Final = re.compile(_ATTRIBUTE)
_MANY: Final = 200
"""Attributes an element may have: each is compared with all before it."""
_LONG: Final = 2000
_VOID: Final = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "keygen", "link", "meta", "param", "source", "track", "wbr"]
)
_ONCE: Final = frozenset(["html", "head", "body"])
_NEVER: Final = frozenset(["frameset", "plaintext", "frame", "image"])
_RAW: Final = frozenset(["script", "style", "iframe", "noembed", "noframes", "xmp", "title", "textarea"])
_SHOWN: Final = frozenset(["title", "textarea"])
_ENDS: Final = {
    name: frozenset(rivals.split())
    for names, rivals in (
        ("p", "p"),
        ("li", "li p"),
        ("dt dd", "dt dd p"),
        ("td th", "td th p"),
        ("tr", "tr td th p"),
        ("thead tbody tfoot", "thead tbody tfoot tr td th p caption colgroup"),
        ("option optgroup", "option"),
        ("rt rp", "rt rp"),
        ("a", "a"),
        ("h1 h2 h3 h4 h5 h6 ul ol dl div table pre blockquote section article header footer nav aside main form hr", "p"),
    )
    for name in names.split()
}
"""Elements that end others without saying so."""
_INLINE: Final = frozenset(["a", "abbr", "b", "code", "em", "font", "i", "s", "small", "span", "strong", "u"])
_CELLS: Final = frozenset(["td", "th", "caption"])
_TABULAR: Final = _CELLS | {"table", "thead", "tbody", "tfoot", "tr"}
_NEAR: Final = 8
_JSON_LD: Final = re.compile(r"type\s*=\s*[\"']?application/ld\+json", re.IGNORECASE)


def parse_html(html: str) -> LexborHTMLParser:
    """Return the tree of any HTML."""
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(_Nesting().bounded(html))


def children(node: LexborNode) -> Iterator[LexborNode]:
    """Yield what is in an element, text too."""
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def text_of(node: LexborNode) -> str:
    """Return the text in an element in one line."""
    return " ".join((node.text(deep=True, separator="") or "").split())


class _Nesting:
    """Writes HTML again so that every element is closed, and none lies too deep."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()
        self._scopes: list[Counter[str]] = [Counter()]
        """What is open in each table cell: an end tag in a cell ends nothing outside it, unless it is one of a table."""
        self._left_out: Counter[str] = Counter()

    def bounded(self, html: str) -> str:
        """Return the HTML."""
        at = 0
        while (found := _MARKUP.search(html, at)) is not None:
            self._text(html[at : found.start()])
            at = found.end()
            name = (found[2] or "").lower()
            if name in _RAW and not found[1]:
                at = self._raw(html, at, name, found[3])
            elif name:
                (self._end if found[1] else self._start)(name, found[3])
        self._text(html[at:])
        return "".join(self._out)

    def _text(self, text: str) -> None:
        self._out.append(text.replace("<", "&lt;").replace("\0", ""))

    def _raw(self, html: str, at: int, name: str, attributes: str) -> int:
        """Write an element that holds no elements, if it is of use, and return its end."""
        ending = re.compile(rf"</{name}(?=[ \t\n\f\r/>])[^>]*+>?", re.IGNORECASE).search(html, at)
        inside = html[at : ending.start() if ending else len(html)].replace("\0", "")
        if name in _SHOWN:
            self._out.append(f"<{name}>{inside.replace('<', '&lt;')}</{name}>")
        elif name == "script" and _JSON_LD.search(attributes):
            escaped = inside.replace("<", "\\u003c")
            self._out.append(f'<script type="application/ld+json">{escaped}</script>')
        return ending.end() if ending else len(html)

    def _start(self, name: str, attributes: str) -> None:
        rivals = _ENDS.get(name)
        if rivals:
            self._end_rivals(rivals)
        if name in _NEVER:
            return
        is_kept = name in _VOID or name in _ONCE
        if not is_kept and len(self._open) >= DEEPEST:
            self._left_out[name] += 1
            return
        self._out.append(f"<{name}{_few(attributes)}>")
        if not is_kept:
            self._open.append(name)
            self._count(name)

    def _count(self, name: str) -> None:
        self._counts[name] += 1
        self._scopes[-1][name] += 1
        if name in _CELLS:
            self._scopes.append(Counter())

    def _end_rivals(self, rivals: frozenset[str]) -> None:
        """End the nearest open elements that end here."""
        keep = len(self._open)
        for place in range(keep - 1, max(keep - _NEAR, 0) - 1, -1):
            name = self._open[place]
            if name in rivals:
                keep = place
            elif name not in _INLINE:
                break
        self._close(keep)

    def _end(self, name: str, _: str) -> None:
        if self._left_out[name]:
            self._left_out[name] -= 1
        elif (self._counts if name in _TABULAR else self._scopes[-1])[name]:
            keep = len(self._open) - 1
            while self._open[keep] != name:
                keep -= 1
            self._close(keep)
        elif name in ("head", "p"):  # A lone </p> is a paragraph.
            self._out.append(f"</{name}>")

    def _close(self, keep: int) -> None:
        for name in reversed(self._open[keep:]):
            self._out.append(f"</{name}>")
            self._counts[name] -= 1
            if name in _CELLS:
                self._scopes.pop()
            self._scopes[-1][name] -= 1
        del self._open[keep:]


def _few(attributes: str) -> str:
    """Return attributes as they are, or the first of very many. No tag can begin in them."""
    if len(attributes) > _LONG:
        attributes = "".join(f" {found[0]}" for found, _ in zip(_ATTRIBUTES.finditer(attributes), range(_MANY), strict=False))
    return attributes.replace("<", "&lt;").replace("\0", "")
