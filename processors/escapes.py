"""Text made safe to stand inside other text: Escaper."""

from __future__ import annotations

import html
import json
import re
import shlex
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from transmissions import Processor, RunError, set_field

from .access import need_text
from .records import replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions import Message

_IN_TURTLE: Final = {
    **{code: f"\\u{code:04X}" for code in [*range(0x20), 0x7F]},
    **str.maketrans({"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}),
}
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Escaper(Processor):
    """Escape a text, so that it can stand inside a query, a page or a command as what it is.

    Reads `inputField`, writes `outputField`. `SPARQL` and `Turtle` give the inside of a quoted string, `JSON` too; `XML` and
    `HTML` give the text of an element or an attribute; `URL` gives a part of a path or a query; `shell` gives one whole word,
    with quotes where it needs some. What a format cannot hold at all (half a character pair; in XML control characters) is
    replaced by U+FFFD.

    ```turtle
    :safe a :Escaper ; :format "SPARQL" ; :inputField "title" ; :outputField "escaped.title" .
    ```
    """

    format: Literal["SPARQL", "Turtle", "JSON", "XML", "HTML", "URL", "shell"] = "SPARQL"
    "What the text is to stand in."
    input_field: str = "content"
    "Dotted path of the text."
    output_field: str = ""
    "Dotted path the result is written to; where the text was if empty."

    def process(self, message: Message) -> Message:
        """Escape the text."""
        text, _ = replace_surrogates(need_text(message, self.input_field))
        set_field(message, self.output_field or self.input_field, _ESCAPES[self.format](text))
        return message


def _for_turtle(text: str) -> str:
    return text.translate(_IN_TURTLE)


def _for_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _for_xml(text: str) -> str:
    return html.escape(_NOT_IN_XML.sub("\ufffd", text))


def _for_url(text: str) -> str:
    return quote(text, safe="")


def _for_shell(text: str) -> str:
    if "\0" in text:
        raise RunError("a text with a NUL character cannot be a word of a shell command")
    return shlex.quote(text)


_ESCAPES: Final[dict[str, Callable[[str], str]]] = {
    "SPARQL": _for_turtle,
    "Turtle": _for_turtle,
    "JSON": _for_json,
    "XML": _for_xml,
    "HTML": html.escape,
    "URL": _for_url,
    "shell": _for_shell,
}
