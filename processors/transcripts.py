"""Conversations that stand in one text, with a mark in front of what each one says: `### Human:`, or ChatML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_text
from .plain_blocks import text
from .plain_turns import chat, data_sections, message, rest_of, role_of, tally
from .sharegpt import id_of

if TYPE_CHECKING:
    from .conversation import Conversation
    from .shape import About

KEYS: Final = ("text", "conversations", "conversation", "chat")
"""What data sets call the text."""
_MARKS: Final = (
    re.compile(r"(?:\A|\n\n?)(Human|Assistant): ?"),
    re.compile(r"### ?(Human|Assistant|User|System):\s*"),
    re.compile(r"<\|im_start\|> ?(\w+)[^\n]*\n?"),
)
_PLACED: Final = ("id", "title", "model")


class Transcripts:
    """Turns an item of a data set whose conversation is one text."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that the text is.

        Raises:
            RunError: there is no text.

        """
        given = as_dict(element)
        key = next((key for key in KEYS if given.get(key).__class__ is str), "")
        if not key:
            raise RunError("no conversation in one text: there is no text")
        words: str = given[key]
        turns = spoken(words) or [{"role": "unknown", "content": words}]
        messages = [message(turn["role"], [text(turn["content"], key)] if turn["content"] else []) for turn in turns]
        return chat(
            "sharegpt",
            id_of(as_text(given.get("id")), words),
            messages,
            tally(len(turns), [key for turn in turns if turn["content"]]),
            title=as_text(given.get("title")),
            model=as_text(given.get("model")),
            **data_sections({"Details": rest_of(given, (key, *_PLACED))}),
        )


def spoken(words: str) -> list[dict[str, str]]:
    """Return what each one says in a transcript, as messages of an API; nothing if a text does not begin with a mark."""
    words = words.lstrip()
    mark = next((mark for mark in _MARKS if mark.match(words)), None)
    told = mark.split(words)[1:] if mark else []
    return [{"role": role_of(who), "content": _ended(what)} for who, what in zip(told[::2], told[1::2], strict=True)]


def _ended(what: str) -> str:
    """Return what one says without the mark that ends it in ChatML, and without empty lines before the next."""
    return what.rstrip("\n").removesuffix("<|im_end|>").rstrip("\n")
