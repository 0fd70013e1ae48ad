"""Conversations that stand in one text, with a mark in front of what each one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_text
from .plain_blocks import text
from .plain_turns import chat, data_sections, message, rest_of, tally
from .shapes_datasets import TEXTS
from .sharegpt import id_of
from .speaker_marks import spoken

if TYPE_CHECKING:
    from .conversation import Conversation
    from .shape import About

_PLACED: Final = ("id", "title", "model")


class Transcripts:
    """Turns an item of a data set whose conversation is one text."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that the text is.

        Raises:
            RunError: there is no text.

        """
        given = as_dict(element)
        key = next((key for key in TEXTS if given.get(key).__class__ is str), "")
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
