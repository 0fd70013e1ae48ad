"""Links of documents as a list: MarkdownToLinks and LinkFinder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from transmissions import Processor, Range, Unit, get_field, set_field

from .link_finding import format_of, links_of_html, links_of_markdown, links_of_text, resolved
from .link_targets import is_web
from .markdown_html import LARGEST, within_limit
from .markdown_parser import commonmark
from .markup_text import need_markup, off_loop

if TYPE_CHECKING:
    from transmissions import Message


class MarkdownToLinks(Processor):
    """List the links of Markdown: inline, by reference, and in angle brackets; none that stand in code.

    Reads `sourceField` and writes a list of `{"url", "text"}` to `linksField`, in the order of the text, with `title` where
    there is one. Images have `"image": true`. For one message each, put a ForEach behind it.

    ```turtle
    :links a :MarkdownToLinks ; :linksField "links" ; :images true .
    :each a :ForEach ; :forEach "links" .
    ```
    """

    extra = "html"

    source_field: str = "content"
    "Dotted path of the Markdown."
    links_field: str = "links"
    "Dotted path the list is written to."
    images: bool = False
    "Whether images are listed too."
    limit: Annotated[int, Range(ge=1), Unit("characters")] = LARGEST
    "The longest text that is taken; the parser may need 200 bytes for each character."

    def __post_init__(self) -> None:
        """Make the parser."""
        self._parser = commonmark()

    async def process(self, message: Message) -> Message:
        """Write the list."""
        text = within_limit(need_markup(message, self.source_field), self.limit, self.source_field)
        set_field(message, self.links_field, await off_loop(self._find, text))
        return message

    def _find(self, text: str) -> list[dict[str, Any]]:
        return resolved(links_of_markdown(text, self.images, self._parser), "", once=False)


class LinkFinder(Processor):
    """List the links of HTML, Markdown or plain text, absolute, each address once.

    Reads `inputField` and writes a list of `{"url", "text"}` to `linksField`, in the order of the text, with `title`, `rel` and
    `image` where they say something. Relative addresses are resolved with the page's `<base>` and with the address at
    `baseUrlField`; without either they stay relative. Links that no reader could follow, such as scripts, are left out. For
    one message each, put a ForEach behind it.

    ```turtle
    :links a :LinkFinder ; :inputField "http.data" ; :baseUrlField "http.url" ; :within "https://example.org/" .
    :each a :ForEach ; :forEach "links" .
    ```
    """

    extra = "html"

    input_field: str = "content"
    "Dotted path of the document."
    links_field: str = "links"
    "Dotted path the list is written to."
    format: Literal["auto", "html", "markdown", "text"] = "auto"
    "What the document is; `auto` looks at its beginning."
    base_url_field: str = "url"
    "Dotted path of the document's address."
    images: bool = False
    "Whether images are listed too."
    unique: bool = True
    "Whether an address is listed the first time only."
    within: tuple[str, ...] = ()
    "Beginnings of addresses that are listed; all are if there is none."
    limit: Annotated[int, Range(ge=1), Unit("characters")] = LARGEST
    "The longest Markdown that is taken; HTML and plain text may be of any length."

    async def process(self, message: Message) -> Message:
        """Write the list."""
        text = need_markup(message, self.input_field)
        kind = format_of(text) if self.format == "auto" else self.format
        if kind == "markdown":
            within_limit(text, self.limit, self.input_field)
        base = get_field(message, self.base_url_field)
        found = await off_loop(self._find, text, kind, base if isinstance(base, str) and is_web(base) else "")
        set_field(message, self.links_field, found)
        return message

    def _find(self, text: str, kind: str, base: str) -> list[dict[str, Any]]:
        find = {"html": links_of_html, "markdown": links_of_markdown}.get(kind)
        links = resolved(find(text, self.images) if find else links_of_text(text), base, self.unique)
        return [link for link in links if not self.within or link["url"].startswith(self.within)]
