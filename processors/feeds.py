"""Feeds as data: FeedParser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transmissions import Processor, get_field, set_field

from .feed_reading import read_feed
from .json_feed import read_json_feed
from .link_targets import is_web
from .markup_text import need_document, off_loop

if TYPE_CHECKING:
    from transmissions import Message


class FeedParser(Processor):
    """Read a feed: RSS 0.90 to 2.0, RDF, CDF, Atom, JSON Feed.

    Reads text or bytes at `inputField` and writes `{"format", "version", "meta", "entries"}` to `outputField`. `format` is
    `rss`, `rdf`, `atom`, `cdf` or `json`. `meta` and entries have `id`, `title`, `link`, `links` (`url`, `rel`, `type`,
    `title`), `author`, `authors` (`name`, `email`, `url`), `published`, `updated` (ISO 8601, UTC) and `categories`; `meta`
    also `subtitle`, `language`, `generator`, `rights`, `image` and `feedUrl`; entries also `summary` and `content` (HTML
    that can do nothing, its links absolute) and `enclosures` (`url`, `type`, `length` in bytes). What is not told is
    absent. Of a broken feed the entries that can be read are given, with the reason as `warning`, which is logged; a feed of
    which nothing can be read is an error. Nothing is fetched.

    ```turtle
    :feed a :FeedParser ; :inputField "http.data" ; :outputField "feed" .
    :each a :ForEach ; :forEach "feed.entries" .
    ```
    """

    extra = "feeds"

    input_field: str = "content"
    "Dotted path of the feed."
    output_field: str = "feed"
    "Dotted path the data is written to."
    base_url_field: str = "url"
    "Dotted path of the feed's address, for links that are relative to it."
    include_raw_content: bool = False
    "Whether entries have their summary and content as they stand in the feed, too, as `raw`: such HTML may act."

    async def process(self, message: Message) -> Message:
        """Write the data."""
        data = need_document(message, self.input_field)
        base = get_field(message, self.base_url_field)
        feed = await off_loop(self._read, data, base if isinstance(base, str) and is_web(base) else "")
        if "warning" in feed:
            self.context.log.warning("%s", feed["warning"])
        set_field(message, self.output_field, feed)
        return message

    def _read(self, data: bytes, base: str) -> dict[str, Any]:
        is_json = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
        read = read_json_feed if is_json else read_feed
        return read(data, base, self.include_raw_content, f"field '{self.input_field}'")
