"""Mistral's Le Chat, `chat-<id>.json`: a list of messages, turned into the common model."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .conversation import as_list, as_text, instant, type_of
from .number_table import NumberTable
from .plain_blocks import asides, asides_of, call, cite, filled, first, parsed, parts_of, picture, text, thinking, unknown
from .plain_turns import chat, held_file, identity, items_of, message, no_message, role_of, tally, unroll
from .spool import Spool, SpooledList

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_FILE_NAME: Final = re.compile(r"(?:^|/)chat-([0-9a-fA-F-]{8,64})\.json$")
_ASIDES: Final = {"reactionDetail": "Reaction", "reactionComment": "Comment on the answer", "context": "Context"}
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_GIVEN: Final = ("arguments", "publicArguments", "privateArguments", "input")
_GOT: Final = ("result", "publicResult", "privateResult", "output")


class LeChatConversations:
    """Turns the file of a chat. It has no title: its first words are taken for one."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that all the messages of a file are."""
        items = items_of(element, "items", "chat of Le Chat")
        head = [item for item, _ in zip(items, range(50), strict=False) if item.__class__ is dict]
        identifier = next((as_text(item["chatId"]) for item in head if item.get("chatId")), "")
        named = _FILE_NAME.search(about.file)
        identifier = identifier or (named[1] if named else "")
        items = _in_order(items)
        counts = _count(items)
        created, updated = _span(items)
        return chat(
            "le-chat",
            identifier or identity(items),
            unroll(partial(_messages, about, f"chat-{identifier}-files"), items, counts["messages"]),
            counts,
            created=created,
            updated=updated,
            url=f"https://chat.mistral.ai/chat/{identifier}" if _ID.fullmatch(identifier) else "",
        )


def _in_order(items: list[Any] | SpooledList) -> list[Any] | SpooledList:
    """Return messages in the order of their times, if all have one: an export may begin with any of them."""
    moments = list(map(_moment, items))
    if not all(moments) or moments == sorted(moments):
        return items
    if not isinstance(items, SpooledList):
        return sorted(items, key=_moment)
    spool, ordered = Spool(), SpooledList()
    places = [spool.put(json.dumps(item).encode("ascii")) for item in items]
    for place in sorted(range(len(places)), key=moments.__getitem__):
        text = places[place].read().decode("ascii")
        ordered.append_json(text, 0, len(text))
    return ordered


def _moment(item: Any) -> str:
    return instant(item.get("createdAt")) if item.__class__ is dict else ""


def _span(items: Iterable[Any]) -> tuple[str, str]:
    """Return the first and the last moment of a chat."""
    earliest = latest = ""
    for moment in filter(None, map(_moment, items)):
        earliest, latest = min(earliest or moment, moment), max(latest, moment)
    return earliest, latest


def _messages(about: About, folder: str, items: Iterable[Any]) -> Iterator[ChatMessage]:
    """Yield the messages. One that was edited keeps its id, and what follows names its version: each gets its own id."""
    seen, versions, opening = NumberTable(), set[str](), ""
    for place, item in enumerate(items):
        if item.__class__ is not dict:
            yield no_message(item)
            continue
        found = _message(item, about, folder)
        identifier = found["id"]
        if identifier and identifier in seen:
            name = f"{identifier}.{as_text(item.get('version'))}"
            found["id"] = f"{identifier}~{place}" if name in versions else name
            versions.add(name)
            if identifier == opening and "parent" not in found:
                found["parent"] = ""
        above = f"{found.get('parent')}.{as_text(item.get('parentVersion'))}"
        found |= {"parent": above} if above in versions else {}
        seen[identifier] = place
        opening = opening or identifier
        yield found


def _message(item: dict[str, Any], about: About, folder: str) -> ChatMessage:
    role, model, parent = role_of(item.get("role")), as_text(item.get("model")), item.get("parentId")
    blocks: list[Block] = []
    for source, entry in _contents(item):
        _add(blocks, source, entry)
    blocks += asides(item, _ASIDES)
    found = message(role, blocks, as_text(item.get("id")), _moment(item))
    found["files"] = [_file(entry, about, folder) for entry in as_list(item.get("files"))]
    if model and role == "assistant":
        found["model"] = model
    return found | ({"parent": parent} if parent.__class__ is str else {})


def _file(entry: Any, about: About, folder: str) -> dict[str, Any]:
    if entry.__class__ is not dict:
        return held_file(about, as_text(entry), folder=folder)
    name = as_text(first(entry, "name", "fileName", "id"))
    return held_file(about, name, as_text(entry.get("id")), folder)


def _contents(item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a message holds, by type: its chunks or, without any, its text; then what stands beside both."""
    chunks = as_list(item.get("contentChunks"))
    if filled(item.get("content")) and not any(chunk.__class__ is dict for chunk in chunks):
        yield "content", item["content"]
    for chunk in chunks:
        yield type_of(chunk), chunk
    for key in ("quotes", "canvas"):
        for entry in as_list(item.get(key)):
            yield key, entry


def _add(blocks: list[Block], source: str, entry: Any) -> None:
    """Add one content as a block; pages it refers to go to the text before."""
    before = blocks[-1] if blocks else None
    if source == "reference" and before and before["kind"] == "text" and entry.__class__ is dict:
        links = cite(first(entry, "references", "sources") or entry, len(before["text"]))
        if links:
            before["citations"] += links
            before["sources"] += (source,)
            return
    if source == "text" and before and before["sources"][-1] in ("text", "reference") and before["kind"] == "text":
        # Pieces of a text, and references between them, stand in the middle of sentences.
        before["text"] += as_text(entry.get("text"))
        before["sources"] += (source,)
        return
    blocks.append(_block(source, entry))


def _block(source: str, entry: Any) -> Block:
    if source == "content" or entry.__class__ is str:
        return text(entry, source)
    if entry.__class__ is not dict:
        return unknown(source, entry)
    if source in ("text", "quotes"):
        return text(first(entry, "text", "content"), source)
    if source in ("thinking", "reasoning"):
        return thinking(first(entry, "thinking", "reasoning", "text", "content"), source)
    if source == "tool_call":
        return _tool(source, entry)
    if source == "image_url":
        address = first(entry, "imageUrl", "image_url", "url")
        return picture(first(address, "url") if address.__class__ is dict else address, source, as_text(entry.get("name")))
    return unknown(source, entry)


def _tool(source: str, entry: dict[str, Any]) -> Block:
    given, got = parsed(first(entry, *_GIVEN)), first(entry, *_GOT)
    found = call(entry.get("name"), given, source, entry.get("id"))
    if got is not None:
        found["result"] = {"parts": parts_of(parsed(got)), "failed": entry.get("isError") is True}
    return found


def _count(items: Iterable[Any]) -> dict[str, Any]:
    kinds: list[str] = []
    messages = files = 0
    for item in items:
        messages += 1
        kinds += [*(kind for kind, _ in _contents(item)), *asides_of(item, _ASIDES)] if item.__class__ is dict else ["message"]
        files += len(as_list(item.get("files"))) if item.__class__ is dict else 0
    return tally(messages, kinds, files=files)
