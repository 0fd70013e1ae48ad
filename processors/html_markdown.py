"""Pages as Markdown: HTMLToMarkdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transmissions import Processor, UsageError, get_field, set_field

from .html_render import to_markdown
from .html_tree import parse_html
from .link_targets import is_web
from .markup_text import need_markup, off_loop

if TYPE_CHECKING:
    from transmissions import Message


class HTMLToMarkdown(Processor):
    """Turn HTML into Markdown: headings, paragraphs, lists, quotations, code with its language, tables, links and images.

    Reads text or bytes at `inputField` (bytes by their declared charset) and writes Markdown to `outputField`. What
    `cleanSelectors` match is left out first. Links become absolute with the address at `baseUrlField`, if the message has one,
    and with the page's own `<base>`; those that no reader could follow, such as scripts, become their text. Scripts, styles and
    frames are dropped. Whatever the HTML, it never fails; elements nested more than 200 deep are unwrapped.

    ```turtle
    :markdown a :HTMLToMarkdown ; :inputField "http.data" ; :cleanSelectors "nav", ".advert" ; :baseUrlField "http.url" .
    ```
    """

    extra = "html"

    input_field: str = "http.data"
    "Dotted path of the HTML."
    output_field: str = "content"
    "Dotted path the Markdown is written to."
    clean_selectors: tuple[str, ...] = ()
    "CSS selectors of what is left out."
    base_url_field: str = "url"
    "Dotted path of the page's address."

    def __post_init__(self) -> None:
        """Refuse a selector that is none before anything runs."""
        tree = parse_html("")
        for selector in self.clean_selectors:
            _check(tree, selector)

    async def process(self, message: Message) -> Message:
        """Write the Markdown."""
        base = get_field(message, self.base_url_field)
        html = need_markup(message, self.input_field)
        text = await off_loop(self._convert, html, base if isinstance(base, str) and is_web(base) else "")
        set_field(message, self.output_field, text)
        return message

    def _convert(self, html: str, base: str) -> str:
        tree = parse_html(html)
        left_out = {node.mem_id for selector in self.clean_selectors for node in tree.css(selector)}
        return to_markdown(tree, base, left_out)


def _check(tree: object, selector: str) -> None:
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    assert isinstance(tree, LexborHTMLParser)
    try:
        tree.css(selector)
    except SelectolaxError as error:
        raise UsageError(f"'{selector}' is not a CSS selector") from error
