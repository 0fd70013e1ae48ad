"""Where feeds are to be found: HTMLFeedExtractor and OpmlFeedExtractor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from transmissions import Processor, get_field, set_field

from .html_tree import parse_html, text_of
from .link_targets import absolute, base_of, is_web
from .markup_text import need_document, need_markup, off_loop
from .opml import read_opml
from .page_facts import feeds_of

if TYPE_CHECKING:
    from transmissions import Message

_LIKE_A_FEED: Final = re.compile(
    r"/(?:feed|rss|atom|index)\.(?:xml|rss|atom|rdf|json)$|/(?:feed|rss|atom)/?$|\.(?:rss|atom)$", re.IGNORECASE
)
_BY_NAME: Final = {"atom": "atom", "json": "json", "rdf": "rdf"}


class HTMLFeedExtractor(Processor):
    """Find the feed of a page.

    Reads HTML at `inputField`. Writes the address of its best feed to `outputField`, its type (`atom`, `rss`, `rdf`, `json`) to
    `feedType`, and all candidates (`url`, `type`, `title`) to `candidatesField`: first those that the page declares in its
    head, those of `preferredType` before others, then links whose address looks like that of a feed. Addresses are absolute
    with the one at `baseUrlField`. Of a page without a feed only the candidates are written, an empty list.

    ```turtle
    :feed a :HTMLFeedExtractor ; :inputField "http.data" ; :preferredType "atom" ; :baseUrlField "http.url" .
    ```
    """

    extra = "feeds"

    input_field: str = "content"
    "Dotted path of the page."
    output_field: str = "feedUrl"
    "Dotted path the address of the feed is written to."
    type_field: str = "feedType"
    "Dotted path its type is written to."
    candidates_field: str = "feedCandidates"
    "Dotted path all candidates are written to."
    base_url_field: str = "url"
    "Dotted path of the page's address."
    preferred_type: Literal["any", "atom", "rss", "rdf", "json"] = "any"
    "The type that comes first if a page offers several; otherwise the page's own order counts."

    async def process(self, message: Message) -> Message:
        """Write the addresses."""
        html = need_markup(message, self.input_field)
        base = get_field(message, self.base_url_field)
        found = await off_loop(self._find, html, base if isinstance(base, str) and is_web(base) else "")
        set_field(message, self.candidates_field, found)
        if found:
            set_field(message, self.output_field, found[0]["url"])
            set_field(message, self.type_field, found[0]["type"])
        return message

    def _find(self, html: str, base: str) -> list[dict[str, str]]:
        tree = parse_html(html)
        base = base_of(tree, base)
        declared = sorted(feeds_of(tree, base), key=lambda feed: feed["type"] != self.preferred_type)
        linked: list[dict[str, str]] = []
        for node in tree.css("a[href]"):
            url = absolute(node.attributes.get("href"), base)
            if _LIKE_A_FEED.search(url.split("?")[0].split("#")[0]):
                kind = next((kind for name, kind in _BY_NAME.items() if name in url.lower()), "rss")
                linked.append({"url": url, "type": kind, "title": text_of(node)})
        return list({feed["url"]: feed for feed in reversed([*declared, *linked])}.values())[::-1]


class OpmlFeedExtractor(Processor):
    """List the feeds in an OPML document.

    Reads text or bytes at `inputField`. Writes their addresses, a list of texts, to `outputField`, and to `feedsField` a
    list of what the document says of each: `url`, `title`, `htmlUrl`, `type`, `description`, and `folders`, the titles of
    the outlines it lies in. A document that declares a document type is refused: it could define entities that grow, or
    read files.

    ```turtle
    :feeds a :OpmlFeedExtractor ; :inputField "content" .
    :each a :ForEach ; :forEach "feedUrls" .
    ```
    """

    input_field: str = "content"
    "Dotted path of the OPML document."
    output_field: str = "feedUrls"
    "Dotted path the addresses are written to."
    feeds_field: str = "feeds"
    "Dotted path that all about the feeds is written to."
    unique: bool = True
    "Whether an address is listed the first time only."

    async def process(self, message: Message) -> Message:
        """Write the lists."""
        data = need_document(message, self.input_field)
        feeds: list[dict[str, Any]] = await off_loop(read_opml, data, f"field '{self.input_field}'")
        if self.unique:
            feeds = list({feed["url"]: feed for feed in reversed(feeds)}.values())[::-1]
        set_field(message, self.output_field, [feed["url"] for feed in feeds])
        set_field(message, self.feeds_field, feeds)
        return message
