"""What a document says about itself: MetadataExtractor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from transmissions import Processor, get_field, set_field

from .front_matter import split_front_matter, title_of
from .link_finding import format_of
from .link_targets import is_web
from .markup_text import need_markup, off_loop
from .page_facts import facts_of_page

if TYPE_CHECKING:
    from transmissions import Message


class MetadataExtractor(Processor):
    """Read what a page or a Markdown text says about itself.

    Reads HTML or Markdown at `inputField` and writes an object to `outputField`; what is not said is absent. Of HTML: `title`,
    `description`, `language`, `url` (the canonical address), `author`, `published`, `modified` (times as they are written),
    `image`, `siteName`, `keywords` (a list), `openGraph`, `twitter`, `jsonLd` (a list), `microdata` (a list of items),
    `feeds` (`url`, `type`, `title`), and `warnings` about JSON-LD that is none. Of Markdown: the fields of its YAML front
    matter, times as text, and `title` from its first heading where that has none. Front matter that is no YAML is an error.

    ```turtle
    :about a :MetadataExtractor ; :inputField "http.data" ; :outputField "meta" ; :baseUrlField "http.url" .
    ```
    """

    extra = "html"

    input_field: str = "content"
    "Dotted path of the document."
    output_field: str = "metadata"
    "Dotted path the object is written to."
    body_field: str = ""
    "Dotted path that Markdown without its front matter is written to; nowhere if empty."
    format: Literal["auto", "html", "markdown"] = "auto"
    "What the document is; `auto` looks at its beginning."
    base_url_field: str = "url"
    "Dotted path of the page's address, for what is relative to it."

    async def process(self, message: Message) -> Message:
        """Write the object."""
        text = need_markup(message, self.input_field)
        is_html = self.format == "html" or (self.format == "auto" and format_of(text) == "html")
        if is_html:
            base = get_field(message, self.base_url_field)
            facts = await off_loop(facts_of_page, text, base if isinstance(base, str) and is_web(base) else "")
        else:
            facts, body = self._of_markdown(text)
            if self.body_field:
                set_field(message, self.body_field, body)
        set_field(message, self.output_field, facts)
        return message

    def _of_markdown(self, text: str) -> tuple[dict[str, Any], str]:
        facts, body = split_front_matter(text, f"field '{self.input_field}'")
        title = "" if facts.get("title") else title_of(body)
        return ({**facts, "title": title} if title else facts), body
