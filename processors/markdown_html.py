"""Markdown as HTML: MarkdownToHTML and MarkdownBindingsToHTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from transmissions import Processor, Range, RunError, Term, Unit, get_field, set_field

from .access import need
from .markdown_parser import with_footnotes
from .markup_text import need_markup, off_loop, whole_characters

if TYPE_CHECKING:
    from transmissions import Message

LARGEST: Final = 1 << 21
"""Characters that are parsed: each may take the parser two hundred bytes."""


class _ToHTML(Processor):
    """Turns Markdown into HTML."""

    extra = "html"

    source_field: str = "content"
    "Dotted path of the Markdown."
    output_field: str = "content"
    "Dotted path the HTML is written to."
    raw_html: Annotated[bool, Term("rawHTML")] = False
    "Whether HTML in the Markdown stays HTML; only for Markdown of writers you trust."
    limit: Annotated[int, Range(ge=1), Unit("characters")] = LARGEST
    "The longest text that is taken; the parser may need 200 bytes for each character."

    def __post_init__(self) -> None:
        """Make the parser."""
        self._parser = with_footnotes(raw_html=self.raw_html)

    async def _html(self, text: str, field: str) -> str:
        return await off_loop(self._parser.render, within_limit(text, self.limit, field))


class MarkdownToHTML(_ToHTML):
    """Turn Markdown into HTML: CommonMark with tables, strikethrough and footnotes.

    Reads `sourceField` and writes HTML without a page around it to `outputField`. HTML in the Markdown is shown as the text it
    is, and links to scripts are not made, unless `rawHTML` says that the writer is trusted.

    ```turtle
    :html a :MarkdownToHTML ; :sourceField "content" ; :outputField "html" .
    ```
    """

    async def process(self, message: Message) -> Message:
        """Write the HTML."""
        text = need_markup(message, self.source_field)
        set_field(message, self.output_field, await self._html(text, self.source_field))
        return message


class MarkdownBindingsToHTML(_ToHTML):
    """Turn the Markdown in each result of a query into HTML, as MarkdownToHTML does.

    Reads the list at `listField`. In each of its objects it reads `sourceField`, a text or a binding as SPARQL gives it
    (`{"type": "literal", "value": …}`), and writes the HTML to `outputField` in the same form. An object without the source
    field stays as it is: a query may leave a variable unbound.

    ```turtle
    :html a :MarkdownBindingsToHTML ; :listField "queryResults" ; :sourceField "content" ; :outputField "html" .
    ```
    """

    list_field: str = "queryResults"
    "Dotted path of the list."
    source_field: str = "content"
    "Dotted path of the Markdown in each object of the list."
    output_field: str = "content"
    "Dotted path in each object that the HTML is written to."

    async def process(self, message: Message) -> Message:
        """Write the HTML of each."""
        results = need(message, self.list_field)
        if not isinstance(results, list | tuple):
            raise RunError(f"the field '{self.list_field}' is not a list but a {type(results).__name__}")
        set_field(message, self.list_field, [await self._converted(one, place) for place, one in enumerate(results)])
        return message

    async def _converted(self, result: Any, place: int) -> Any:
        where = f"{self.list_field}[{place}]"
        if not isinstance(result, dict):
            raise RunError(f"'{where}' is not an object but a {type(result).__name__}")
        found = get_field(result, self.source_field)
        if found is None:
            return result
        text = found.get("value") if isinstance(found, dict) else found
        if not isinstance(text, str):
            raise RunError(f"the field '{where}.{self.source_field}' is neither text nor a binding with a text as its `value`")
        html = await self._html(whole_characters(text), f"{where}.{self.source_field}")
        changed = dict(result)
        set_field(changed, self.output_field, {"type": "literal", "value": html} if isinstance(found, dict) else html)
        return changed


def within_limit(text: str, limit: int, field: str) -> str:
    """Return a text that is not too long.

    Raises:
        RunError: it is.

    """
    if len(text) > limit:
        raise RunError(f"the field '{field}' has {len(text)} characters, more than :limit {limit}")
    return text
