"""Feeds from data: AtomBuilder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from transmissions import Processor, Range, RunError, set_field

from .access import need
from .atom_xml import atom_document

if TYPE_CHECKING:
    from transmissions import Message


class AtomBuilder(Processor):
    """Write an Atom feed (RFC 4287).

    Reads at `inputField` a list of entries, or a whole feed as FeedParser gives it, whose `meta` then fills in what the
    settings do not say. Entries have the fields of FeedParser's: `id`, `title`, `link`, `links`, `author`, `authors`,
    `published`, `updated`, `summary`, `content`, `categories`, `enclosures`; all may be absent. Writes the XML, a text, to
    `outputField`.

    The same data give the same text: an entry without a time has that of the feed, which is the latest of its entries' (without
    any, 1970); an id that is no IRI, or none, becomes a UUID made from what the entry says. A feed must name an author unless
    all entries do: without one it is the feed's title.

    ```turtle
    :atom a :AtomBuilder ; :inputField "feed.entries" ; :feedTitle "News" ; :feedId "https://example.org/news" ;
        :baseUrl "https://example.org/" ; :feedUrl "https://example.org/news.atom" ; :feedAuthorName "Ann" .
    ```
    """

    input_field: str = "entries"
    "Dotted path of the entries, or of a feed."
    output_field: str = "content"
    "Dotted path the XML is written to."
    feed_title: str = ""
    "The feed's title; `Feed` if nothing says it."
    feed_subtitle: str = ""
    "The feed's subtitle."
    feed_author_name: str = ""
    "Who writes it."
    feed_author_email: str = ""
    "The writer's address."
    base_url: str = ""
    "The address of the site; relative links are resolved with it."
    feed_url: str = ""
    "The address of the feed itself."
    feed_id: str = ""
    "The feed's id, an IRI that never changes; `feedUrl`, else `baseUrl`, if empty."
    max_entries: Annotated[int, Range(ge=0)] = 0
    "How many entries are written at most, from the first on; 0 writes all."
    content_type: Literal["html", "text"] = "html"
    "What `summary` and `content` of the entries are."

    def process(self, message: Message) -> Message:
        """Write the feed."""
        entries, meta = self._given(need(message, self.input_field))
        set_field(message, self.output_field, atom_document(meta, entries, self.base_url, self.content_type))
        return message

    def _given(self, value: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        feed = value if isinstance(value, dict) else {"entries": value}
        entries, meta = feed.get("entries"), feed.get("meta")
        if not isinstance(entries, list | tuple):
            what = "an object without `entries`" if isinstance(value, dict) else f"a {type(value).__name__}"
            raise RunError(f"the field '{self.input_field}' is not a list of entries or a feed but {what}")
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict):
                raise RunError(f"'{self.input_field}[{place}]' is not an object but a {type(entry).__name__}")
        chosen = list(entries)[: self.max_entries or None]
        return chosen, self._about(meta if isinstance(meta, dict) else {})

    def _about(self, meta: dict[str, Any]) -> dict[str, Any]:
        said = {
            "title": self.feed_title,
            "subtitle": self.feed_subtitle,
            "link": self.base_url,
            "feedUrl": self.feed_url,
            "id": self.feed_id,
        }
        author = {"name": self.feed_author_name, "email": self.feed_author_email}
        own = {"authors": [author], "author": author["name"]} if self.feed_author_name else {}
        return {"title": "Feed", **meta, **{name: value for name, value in said.items() if value}, **own}
