"""What was said in a conversation, as plain text: for every search, and for those who train or retrieve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .branches import look
from .prose import fence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation


def on_path(conversation: Conversation) -> Iterator[ChatMessage]:
    """Yield the messages of the way a conversation went, without those of ways it left."""
    path = look(conversation).path
    for position, message in enumerate(conversation["messages"]):
        if path is None or position in path:
            yield message


def said(message: ChatMessage) -> str:
    """Return what a message says to a reader: texts, what was made, what was attached."""
    return "\n\n".join((*filter(None, map(said_in, message["blocks"])), *attached(message)))


def attached(message: ChatMessage) -> Iterator[str]:
    """Yield what was attached to a message, as far as it is text."""
    yield from (f"{item['name']}:\n{fence(item['text'])}" for item in message["attachments"] if item["text"])


def said_in(block: Block) -> str:
    """Return what a block says to a reader; empty for nothing."""
    kind = block["kind"]
    if kind == "text":
        return str(block["text"])
    made = block.get("artifact")
    if made and made.get("content"):
        return fence(made["content"], made["language"] if made["language"].isalnum() else "")
    return ""


def searched_beside(conversation: Conversation) -> Iterator[str]:
    """Yield what can be searched for in a conversation beside its messages and its title."""
    yield from (conversation["summary"], *(conversation.get("tags") or ()))
    for section in conversation.get("sections") or ():
        yield from (section["title"], section["text"])
    yield from _of_attachments(conversation.get("attachments") or ())


def searched(message: ChatMessage, *, thoughts: bool, calls: bool) -> Iterator[str]:
    """Yield what can be searched for in a message; thoughts, and what tools were given and gave, on request only."""
    for block in message["blocks"]:
        kind = block["kind"]
        if kind in ("text", "event") or (kind == "thinking" and thoughts):
            yield from (block.get("title") or "", block["text"])
        elif calls and kind == "tool":
            yield from _of_call(block)
        if made := block.get("artifact"):
            yield from (made["title"], made.get("content") or "", made.get("new") or "")
        if kind == "file":
            yield from (block["name"], block.get("description") or "")
    yield from _of_attachments(message["attachments"])
    yield from (item["name"] for item in message["files"])


def _of_attachments(items: Iterable[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        yield from (item["name"], item.get("text") or "")


def _of_call(block: Block) -> Iterator[str]:
    yield block["name"]
    if "artifact" not in block:
        yield _searchable(block["input"])
    for part in (block["result"] or {}).get("parts", ()):
        yield _searchable(part)


def _searchable(value: Any) -> str:
    if value.__class__ is dict and value.get("text").__class__ is str:
        return " ".join(str(value[name]) for name in ("title", "url", "text") if value.get(name))
    return "" if value is None else json.dumps(value, ensure_ascii=False)
