"""Small things done with text: Concat, Reverse, StringFilter."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from transmissions import Processor, as_text, set_field

from .access import need, need_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transmissions import Message


class Concat(Processor):
    """Join two fields into one text.

    Reads `sourceFieldA` and `sourceFieldB`; what is not text is written as JSON. For more than two, or for paths, use PathOps.

    ```turtle
    :name a :Concat ; :sourceFieldA "first" ; :sourceFieldB "last" ; :separator " " ; :targetField "name" .
    ```
    """

    source_field_a: str = "content"
    "Dotted path of the first part."
    source_field_b: str = "content"
    "Dotted path of the second part."
    separator: str = ""
    "What stands between them."
    target_field: str = "content"
    "Dotted path the text is written to."

    def process(self, message: Message) -> Message:
        """Join the fields."""
        parts = (as_text(need(message, field)) for field in (self.source_field_a, self.source_field_b))
        set_field(message, self.target_field, self.separator.join(parts))
        return message


class Reverse(Processor):
    """Turn a text round, one code point after the other.

    ```turtle
    :back a :Reverse ; :sourceField "word" ; :targetField "drow" .
    ```
    """

    source_field: str = "content"
    "Dotted path of the text."
    target_field: str = ""
    "Dotted path the result is written to; where the text was if empty."

    def process(self, message: Message) -> Message:
        """Turn the text round."""
        text = need_text(message, self.source_field)
        set_field(message, self.target_field or self.source_field, text[::-1])
        return message


class StringFilter(Processor):
    """Let those messages through that have a text of the right form, and drop the others.

    Reads the text at `inputField`. A pattern is about the whole text: `*` stands for any text and `?` for any letter, slashes
    and line ends included; `[ab]` is one of those letters. Large letters are told from small. For paths use FileFilter.

    ```turtle
    :wanted a :StringFilter ; :inputField "url" ; :includePattern "https://*" ; :excludePattern "*/private/*" .
    ```
    """

    include_pattern: tuple[str, ...] = ()
    "Patterns of which the text must fit one; any text will do if there are none."
    exclude_pattern: tuple[str, ...] = ()
    "Patterns of which the text must fit none."
    input_field: str = "filepath"
    "Dotted path of the text."

    def __post_init__(self) -> None:
        """Compile the patterns."""
        self._include = _compile(self.include_pattern or ("*",))
        self._exclude = _compile(self.exclude_pattern)

    def process(self, message: Message) -> Message | None:
        """Pass the message on if its text fits."""
        text = need_text(message, self.input_field)
        if any(pattern.match(text) for pattern in self._exclude):
            return None
        return message if any(pattern.match(text) for pattern in self._include) else None


def _compile(patterns: Iterable[str]) -> list[re.Pattern[str]]:
    # What the standard library makes of a pattern has no way to match in more than linear time for each star.
    return [re.compile(fnmatch.translate(pattern)) for pattern in patterns]
