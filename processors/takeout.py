"""Gemini's activities in a Google Takeout, `MyActivity.json` and `MyActivity.html`, turned into the common model.

Takeout names no conversation, so none can be put together again: each activity, a prompt and its answer, is one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_list, as_text, instant
from .html_text import html_to_markdown
from .plain_blocks import asides, asides_of, filled, first, text, unknown
from .plain_turns import chat, held_file, identity, message, tally
from .takeout_page import activities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_VERB: Final = re.compile(
    r"(?:(?:Prompted|Asked|Said)|(?:[^\W\d_]+\s){0,2}[^\W\d_]*"
    r"(?:prompt|petici|comando|requête|demande|richiesta|pedido|anfrage|eingabe|polecenie|[i\u0130]stem|perintah|запрос|промпт"
    r"|プロンプト|メッセージ|提示|提問|提问|프롬프트|질문)"
    r"[^\W\d_]*(?:\s[^\W\d_]+){0,2}\s?[:\uff1a])[\s\xa0]+",
    re.IGNORECASE,
)
"""What Takeout puts in front of a prompt: in other languages a few words, one of them for a prompt, and a colon."""
_DEED: Final = re.compile(r"(?:Used an Assistant feature|Gave feedback|Created Gemini Canvas|Selected preferred draft)\b")
"""How activities begin in which nobody asked anything."""
_ASIDES: Final = {"description": "Description", "details": "Details", "locationInfos": "Location"}
_FILES: Final = ("attachedFiles", "imageFile", "audioFiles")


class TakeoutActivities:
    """Turns activities into conversations of a prompt and an answer."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that one activity of `MyActivity.json` is."""
        if element.__class__ is not dict or not ("title" in element or "safeHtmlItem" in element):
            raise RunError("not an activity of a Takeout: it has neither 'title' nor 'safeHtmlItem'")
        created, said = instant(element.get("time")), as_text(element.get("title"))
        address = as_text(element.get("titleUrl"))
        return chat(
            "gemini",
            identity(created, said) if created else identity(element),
            list(_messages(element, created, about)),
            _count(element),
            title=said if _is_deed(element, said) else "",
            created=created,
            updated=created,
            url=address if address.startswith("https://") else "",
        )


class TakeoutPages:
    """Turns the cells of a page, each an activity, into conversations."""

    def __init__(self) -> None:
        """Begin."""
        self._one = TakeoutActivities()

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that the activity in one cell of `MyActivity.html` is."""
        found = list(activities(as_text(element)))
        if len(found) != 1:
            raise RunError(f"not an activity of a Takeout: {len(found) or 'no'} cells with a prompt")
        return self._one.convert(found[0], about)


def _messages(element: dict[str, Any], created: str, about: About) -> Iterator[ChatMessage]:
    said = as_text(element.get("title")) if filled(element.get("title")) else ""
    blocks = [_title(element, said)] if said else []
    if filled(element.get("subtitles")):
        blocks.append(_subtitles(element["subtitles"]))
    blocks += asides(element, _ASIDES)
    files = [held_file(about, name) for name in _file_names(element)]
    yield message("human", blocks, created=created) | {"files": files}
    answers = as_list(element.get("safeHtmlItem"))
    if answers:
        yield message("assistant", [_answer(item) for item in answers], created=created)


def _is_deed(element: dict[str, Any], said: str) -> bool:
    return _DEED.match(said) is not None and not filled(element.get("safeHtmlItem"))


def _title(element: dict[str, Any], said: str) -> Block:
    if _is_deed(element, said):
        return {"kind": "event", "title": "Activity", "text": said, "sources": ("title",)}
    return text(_VERB.sub("", said, count=1) if _VERB.match(said) else said, "title")


def _answer(item: Any) -> Block:
    if item.__class__ is dict and item.get("markdown").__class__ is str:
        return text(item["markdown"], "safeHtmlItem")
    if item.__class__ is dict and item.get("html").__class__ is str:
        return text(html_to_markdown(item["html"]), "safeHtmlItem")
    return unknown("safeHtmlItem", item)


def _subtitles(subtitles: Any) -> Block:
    lines = [as_text(first(item, "name", "url") if item.__class__ is dict else item) for item in as_list(subtitles)]
    return {"kind": "event", "title": "Activity", "text": "\n".join(lines), "sources": ("subtitles",)}


def _file_names(element: dict[str, Any]) -> list[str]:
    """Return the files an activity names, each once."""
    named = [entry for key in _FILES for entry in as_list(element.get(key))]
    texts = (as_text(first(entry, "name", "url") if entry.__class__ is dict else entry) for entry in named)
    return list(dict.fromkeys(filter(None, texts)))


def _count(element: dict[str, Any]) -> dict[str, Any]:
    answers = as_list(element.get("safeHtmlItem"))
    kinds = [key for key in ("title", "subtitles") if filled(element.get(key))] + ["safeHtmlItem"] * len(answers)
    kinds += asides_of(element, _ASIDES)
    return tally(1 + bool(answers), kinds, files=len(_file_names(element)))
