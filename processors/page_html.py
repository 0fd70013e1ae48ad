"""The text of a page of HTML as Markdown and as plain text, its facts and its links."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urldefrag

from .html_render import to_markdown
from .html_tree import children, parse_html, text_of
from .link_targets import absolute, base_of, is_web
from .page_article import article_of
from .page_facts import facts_of_tree

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MOST_LINKS: Final = 10_000
"""Links that are told of one page."""
_VAST: Final = 30_000
"""Elements above which no main text is looked for: no article has so many, and finding it takes longer than they are many."""
_LONGEST: Final = 2048
"""Characters a URL may have to be told."""
_ANCHORS: Final = "a[href], area[href]"
_HIDDEN: Final = "[hidden], [aria-hidden=true i]"
_SILENT: Final = frozenset("script style head template noscript svg math iframe object canvas audio video select".split())  # noqa: SIM905
_INLINE: Final = frozenset(
    "a abbr b bdi bdo cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup time tt u var".split()  # noqa: SIM905
)
_SPACE: Final = re.compile(r"[ \t\r\f\v\xa0]+")
_GAP: Final = re.compile(r" *\n[ \n]*")
_KEPT: Final = {ord(" "): 1, ord("\n"): 2}
"""In code, white space is told apart from that of the page until all is put together."""
_GIVEN: Final = {1: " ", 2: "\n"}


class Reading(NamedTuple):
    """What was read of a page: its content in two forms, and how."""

    markdown: str
    text: str
    method: str


class HTMLPage:
    """A page of HTML; its links are absolute."""

    def __init__(self, html: str, url: str) -> None:
        self.tree: LexborHTMLParser = parse_html(html)
        self.base = base_of(self.tree, url)
        self.facts: dict[str, Any] = facts_of_tree(self.tree, url)
        # The extractor resolves links in its own way, which loses the path of the page for `#here`.
        self._resolve(_ANCHORS, "href")
        self._resolve("img[src]", "src")

    def _resolve(self, selector: str, attribute: str) -> None:
        for node in self.tree.css(selector):
            said = node.attributes.get(attribute)
            address = absolute(said, self.base)
            if address and address != said:
                node.attrs[attribute] = address
            elif not address:
                del node.attrs[attribute]

    @property
    def title(self) -> str:
        """What the page calls itself."""
        heading = self.tree.css_first("h1")
        return str(self.facts.get("title") or (text_of(heading) if heading else ""))

    @property
    def asks_for_login(self) -> bool:
        """Whether there is a field for a password."""
        return self.tree.css_first("input[type=password i]") is not None

    @cached_property
    def is_vast(self) -> bool:
        """Whether it is too large for its main text to be looked for."""
        return len(self.tree.css("*")) > _VAST

    @property
    def metas(self) -> list[tuple[str, str]]:
        """The names and contents of its `meta` elements."""
        said = (node.attributes for node in self.tree.css("meta[name][content]"))
        return [(one.get("name") or "", one.get("content") or "") for one in said]

    def links(self, *, follow_all: bool = False) -> list[str]:
        """Return the addresses of the web it links to, each once, in order, without fragments.

        Unless `follow_all` is set, those are left out that are not to be followed (`rel=nofollow`).
        """
        found: dict[str, None] = {}
        for node in self.tree.css(_ANCHORS):
            url = urldefrag(node.attributes.get("href") or "").url
            is_wanted = follow_all or "nofollow" not in (node.attributes.get("rel") or "").lower().split()
            if is_wanted and is_web(url) and len(url) <= _LONGEST:
                found[url] = None
            if len(found) >= MOST_LINKS:
                break
        return list(found)

    def whole(self) -> Reading:
        """Return all that the page shows."""
        return _read(self.tree, {node.mem_id for node in self.tree.css(_HIDDEN)}, "full")

    def article(self) -> Reading | None:
        """Return its main text, if there is one."""
        tree = None if self.is_vast else article_of(self.tree)
        return _read(tree, set(), "trafilatura") if tree else None


def _read(tree: LexborHTMLParser, hidden: set[int], method: str) -> Reading:
    lines: list[str] = []
    if tree.body is not None:
        _gather(tree.body, lines, hidden)
    return Reading(to_markdown(tree, "", hidden).strip(), _GAP.sub("\n", "".join(lines)).strip().translate(_GIVEN), method)


def _gather(holder: LexborNode, lines: list[str], hidden: set[int]) -> None:
    """Add the text in an element, with a line for each block."""
    for node in children(holder):
        tag = node.tag or ""
        if tag == "-text":
            lines.append(_SPACE.sub(" ", (node.text_content or "").replace("\n", " ")))
        elif tag == "pre":
            lines.append(f"\n{(node.text(deep=True) or '').translate(_KEPT)}\n")
        elif tag not in _SILENT and not tag.startswith("-") and node.mem_id not in hidden:
            edge = "" if tag in _INLINE else "\n"
            lines.append(edge)
            _gather(node, lines, hidden)
            lines.append(edge)
