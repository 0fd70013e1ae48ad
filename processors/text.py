"""Processors that make and change text: SetText, StringReplace, MarkdownFormatter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from transmissions import Processor, as_text, get_field, set_field

from .access import need_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message


class SetText(Processor):
    """Set a field of every message to a text.

    ```turtle
    :greet a :SetText ; :text "Hello" ; :targetField "page.title" .
    ```
    """

    text: str = "text"
    "The text."
    target_field: str = "content"
    "Dotted path it is written to; the way to it is made where it is missing."

    def process(self, message: Message) -> Message:
        """Set the field."""
        set_field(message, self.target_field, self.text)
        return message


class StringReplace(Processor):
    """Replace every occurrence of a text by another, letter by letter (no pattern).

    ```turtle
    :mask a :StringReplace ; :match "Alice" ; :replace "A." .
    ```
    """

    match: str
    "The text that is looked for."
    replace: str = ""
    "What takes its place."
    input_field: str = "content"
    "Dotted path of the text."
    output_field: str = ""
    "Dotted path the result is written to; where the text was if empty."

    def process(self, message: Message) -> Message:
        """Replace."""
        text = need_text(message, self.input_field)
        set_field(message, self.output_field or self.input_field, text.replace(self.match, self.replace))
        return message


class MarkdownFormatter(Processor):
    """Write a message as a Markdown page: its title, its text, and what else is known about it as a list.

    Reads `titleField` and `urlField` for the heading (a link where there is a URL), `bodyField` for the text, and the footer's
    fields; what is absent is left out. Writes the page to `targetField`. For any other layout use Templater.

    Where the text is one message of a chat (an object with `uuid` and `text`; `conv_uuid` and `conv_name` in `meta`), the page
    is headed by a link to the conversation, and `filepath` is set to a place of its own: `CONVERSATION/DAY_UUID.md`.

    ```turtle
    :page a :MarkdownFormatter ; :titleField "meta.title" ; :footerFields "author", "created" .
    ```
    """

    title_field: str = "title"
    "Dotted path of the title."
    url_field: str = "url"
    "Dotted path of the address the title leads to."
    body_field: str = "content"
    "Dotted path of the text."
    footer: bool = True
    "Whether a list of fields follows the text."
    footer_fields: tuple[str, ...] = ()
    "Dotted paths of the fields listed; all that are not used otherwise if empty."
    target_field: str = "content"
    "Dotted path the page is written to."

    def process(self, message: Message) -> Message:
        """Write the page."""
        footer = "\n".join(self._footer(message)) if self.footer else ""
        body, conversation = get_field(message, self.body_field, ""), get_field(message, "meta.conv_uuid")
        if isinstance(body, dict) and conversation and body.keys() >= {"uuid", "text"}:
            message["filepath"] = _place_of_chat(body, str(conversation))
            url = f"https://claude.ai/chat/{conversation}"
            parts = [_heading(get_field(message, "meta.conv_name", ""), url), f"{body['uuid']}\n\n{body['text']}".strip("\n")]
        else:
            title, url = get_field(message, self.title_field, ""), get_field(message, self.url_field)
            parts = [_heading(title, url), as_text(body).strip("\n")]
        set_field(message, self.target_field, "\n\n".join([*filter(None, parts), *(["---", footer] if footer else [])]) + "\n")
        return message

    def _footer(self, message: Message) -> Iterator[str]:
        used = {re.split(r"[.\[]", path)[0] for path in (self.title_field, self.url_field, self.body_field, self.target_field)}
        for name in self.footer_fields or [name for name in message if name not in used]:
            value = get_field(message, name)
            if value is not None:
                yield f"* **{name}** : {_inline(value)}"


def _heading(title: Any, url: Any) -> str:
    title = " ".join(as_text(title).split())
    if not url:
        return f"# {title}" if title else ""
    address = re.sub(r"[\s<>()]", lambda found: f"%{ord(found[0]):02X}", str(url))
    name = re.sub(r"([\\\[\]])", r"\\\1", title)
    return f"# [{name or address}]({address})"


def _place_of_chat(body: Message, conversation: str) -> str:
    day = as_text(body.get("created_at") or "undated")[:10]
    folder, file = (re.sub(r"[^\w-]", "-", part) for part in (conversation[:4], f"{day}_{body['uuid']}"))
    return f"{folder}/{file}.md"


def _inline(value: Any) -> str:
    text = as_text(value)
    if isinstance(value, dict | list):
        fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
        return f"{fence}{text}{fence}"
    return text.replace("\n", "\n  ")
