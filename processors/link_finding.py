"""The links in Markdown, HTML and plain text: `{"url", "text"}`, with `title`, `rel` and `image` where they say something."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .html_tree import parse_html, text_of
from .link_targets import absolute, base_of
from .markdown_parser import commonmark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from selectolax.lexbor import LexborNode

    Link = dict[str, Any]

_PLAIN: Final = re.compile(r"""(?<![\w@.-])(?:https?://|www\.)[^\s<>"'`\x00-\x1f]{1,4000}""", re.IGNORECASE)
_TAIL: Final = ".,;:!?*_~"
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_SIGNS: Final = ("](", "]:", "<")
"""Without any of these there is no link in Markdown."""
_TAGS: Final = re.compile(
    r"<(?:!doctype\s+html|(?:html|head|body|a|p|div|span|ul|table|article|section|h[1-6])[\s>])", re.IGNORECASE
)
_MARKDOWN: Final = re.compile(r"\]\(|^\[[^\]\n]{1,200}\]:[ \t]|^#{1,6} |^```|<https?://", re.MULTILINE)
_LOOKED_AT: Final = 1 << 16


def format_of(text: str) -> str:
    """Return `html`, `markdown` or `text`, as the beginning of a text looks."""
    begin = text[:_LOOKED_AT]
    if _TAGS.search(begin) and not begin.startswith(("# ", "---\n")):
        return "html"
    return "markdown" if _MARKDOWN.search(begin) else "text"


def links_of_markdown(text: str, images: bool, parser: MarkdownIt | None = None) -> Iterator[Link]:
    """Yield the links of Markdown: inline, by reference, and in angle brackets."""
    if any(sign in text for sign in _SIGNS):
        for token in (parser or commonmark()).parse(text):
            yield from _in_line(token.children or [], images)


def _in_line(tokens: list[Token], images: bool) -> Iterator[Link]:
    opened: dict[str, Any] | None = None
    shown: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            opened, shown = _link(token.attrs.get("href"), "", title=token.attrs.get("title")), []
        elif token.type == "link_close" and opened is not None:
            yield {**opened, "text": "".join(shown)}
            opened = None
        elif token.type == "image" and images:
            yield _link(token.attrs.get("src"), token.content, title=token.attrs.get("title"), image=True)
        shown.append(" " if token.type.endswith("break") else token.content)


def links_of_html(text: str, images: bool) -> Iterator[Link]:
    """Yield the links of a page, absolute where its `<base>` says what they are relative to."""
    tree = parse_html(text)
    base = base_of(tree, "")
    for node in tree.css("a[href], area[href], img[src]" if images else "a[href], area[href]"):
        link = _of_image(node) if node.tag == "img" else _of_anchor(node)
        yield {**link, "url": absolute(link["url"], base)}


def _of_anchor(node: LexborNode) -> Link:
    found = node.attributes
    return _link(found.get("href"), text_of(node) or found.get("alt"), title=found.get("title"), rel=found.get("rel"))


def _of_image(node: LexborNode) -> Link:
    found = node.attributes
    return _link(found.get("src"), found.get("alt"), title=found.get("title"), image=True)


def links_of_text(text: str) -> Iterator[Link]:
    """Yield the web addresses in plain text, without the punctuation behind them."""
    for found in _PLAIN.finditer(text):
        address = _without_tail(found[0])
        yield _link(address if "://" in address else f"http://{address}", address)


def _without_tail(address: str) -> str:
    while address:
        last = address[-1]
        if last not in _TAIL and not (last in _PAIRS and address.count(last) > address.count(_PAIRS[last])):
            break
        address = address[:-1]
    return address


def _link(url: Any, text: Any, **more: Any) -> Link:
    return {"url": str(url or ""), "text": str(text or ""), **{name: value for name, value in more.items() if value}}


def resolved(links: Iterable[Link], base: str, once: bool) -> list[Link]:
    """Return links that lead somewhere, absolute if `base` is; each address only the first time if `once`."""
    seen: set[str] = set()
    found: list[Link] = []
    for link in links:
        url = link["url"] and absolute(link["url"], base)
        if url and not (once and url in seen):
            seen.add(url)
            found.append({**link, "url": url})
    return found
