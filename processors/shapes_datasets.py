"""How to tell data sets that are neither turns nor messages: trees of OpenAssistant, and conversations in one text each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .shape import TOPS, Layout, Shape, with_keys, with_tops

if TYPE_CHECKING:
    from .shape import Outline

TEXTS: Final = ("text", "conversations", "conversation", "chat")
"""What data sets call a conversation that is one text."""
_SPOKEN: Final = re.compile(
    rb'"(' + "|".join(TEXTS).encode() + rb')"\s*:\s*"(?:\\[nrt])*'
    rb"(?:### ?(?:Human|Assistant|User|System):|(?<=\\n\\n)Human:|(?:<|\\u003c)\|im_start\|"
    rb"|(?:Below is an instruction [^\\\"]*(?:\\n)+)?### ?Instruction:|(?:(?:<|\\u003c)s(?:>|\\u003e)(?: |\\[nrt])*)?\[INST\])"
)
"""A text that begins with the mark of who speaks in it."""
_LISTED: Final = re.compile(rb'"data"\s*:\s*\[\s*"')
"""A list of texts, as UltraChat's conversations are."""


def told_by_texts(head: bytes, seen: Outline) -> Shape | None:
    """Return the shape of a data set whose texts tell it: they begin with who speaks, or there is a list of them and an id."""
    found = _SPOKEN.search(head)
    if found and seen.has_top(found[1].decode("ascii")):
        return _TRANSCRIPTS
    is_list = any(seen.paths - {"[]"} == {f"{top}.id", f"{top}.data", f"{top}.data[]"} for top in TOPS)
    return _ULTRACHAT if is_list and _LISTED.search(head) else None


_TRANSCRIPTS: Final = Shape(
    "transcripts",
    "sharegpt",
    "conversations in one text each",
    lambda outline: False,  # noqa: ARG005 - how the text begins tells it
    "transcripts:Transcripts",
    Layout(is_element=lambda value: value.__class__ is dict and not value.keys().isdisjoint(TEXTS)),
)
_ULTRACHAT: Final = Shape(
    "ultrachat",
    "sharegpt",
    "conversations of UltraChat",
    lambda outline: False,  # noqa: ARG005 - the texts in its list tell it
    "sharegpt:ShareGPTConversations",
    Layout("", "data", is_element=with_keys("data")),
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
    _ULTRACHAT,
)
