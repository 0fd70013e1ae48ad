"""How to tell data sets that are neither turns nor messages: trees of OpenAssistant, and conversations in one text each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .shape import Layout, Shape, with_keys, with_tops

if TYPE_CHECKING:
    from .shape import Outline

_TEXTS: Final = ("text", "conversations", "conversation", "chat")
_SPOKEN: Final = re.compile(
    rb'"(text|conversations?|chat)"\s*:\s*"(?:\\[nrt])*'
    rb"(?:### ?(?:Human|Assistant|User|System):|(?<=\\n\\n)Human:|(?:<|\\u003c)\|im_start\|)"
)
"""A text that begins with the mark of who speaks in it."""


def transcripts(head: bytes, seen: Outline) -> Shape | None:
    """Return the shape of conversations that are one text each, where the text at the top of a file begins like one."""
    found = _SPOKEN.search(head)
    return _TRANSCRIPTS if found and seen.has_top(found[1].decode("ascii")) else None


_TRANSCRIPTS: Final = Shape(
    "transcripts",
    "sharegpt",
    "conversations in one text each",
    lambda outline: False,  # noqa: ARG005 - how the text begins tells it
    "transcripts:Transcripts",
    Layout(is_element=lambda value: value.__class__ is dict and not value.keys().isdisjoint(_TEXTS)),
)
SHAPES: Final = (
    Shape(
        "oasst",
        "sharegpt",
        "trees of OpenAssistant",
        with_tops("message_tree_id", "prompt.message_id"),
        "oasst:OpenAssistantTrees",
        Layout(is_element=with_keys("prompt")),
    ),
    Shape(
        "oasst-messages",
        "sharegpt",
        "messages of OpenAssistant",
        with_tops("message_tree_id", "message_id", "role", "text"),
        "oasst:OpenAssistantMessages",
        Layout(gathers=True),
    ),
    _TRANSCRIPTS,
)
