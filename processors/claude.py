"""Claude's data export, turned into the common model. Blocks win over the flat `text`, which is lossy and polluted."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .ant_tags import has_tags, split_tags
from .claude_blocks import convert_blocks
from .conversation import as_list, as_text, instant, type_of
from .spool import Mapped, SpooledList
from .unread import UnreadDict, UnreadList

if TYPE_CHECKING:
    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_NO_PARENT: Final = "00000000-0000-4000-8000-000000000000"
_PLACEHOLDER: Final = re.compile(
    r"\n?```\n(?:This block is not supported on your current device yet\.|Viewing artifacts created via the Analysis Tool"
    r"[^\n]*)\n```\n?"
)
_BESIDE: Final = frozenset({"is_starred", "project", "project_uuid"})
_SAID: Final = frozenset({"content", "text", "sender", "uuid", "attachments", "files"})
"""Keys of a message; an object without any of them is none."""
_UUID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


class Claude:
    """Converts the chats of Claude's export, and single ones as its web page loads them."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation an element holds."""
        if element.__class__ is not dict or "chat_messages" not in element:
            raise RunError(f"no Claude conversation in '{about.file}': it has no chat_messages")
        return convert(element)


def convert(element: dict[str, Any]) -> Conversation:
    """Return the conversation that one element of `conversations.json` holds."""
    identifier, title, messages = as_text(element.get("uuid")), as_text(element.get("name")), element["chat_messages"]
    if messages.__class__ is UnreadList and not title.strip():
        messages = messages.read()  # What has no title is called by its first words.
    conversation = {
        "provider": "claude",
        "id": identifier,
        "title": title,
        "created": instant(element.get("created_at")),
        "updated": instant(element.get("updated_at")),
        "url": f"https://claude.ai/chat/{identifier}" if _UUID.fullmatch(identifier) else "",
        "summary": as_text(element.get("summary")),
        "model": as_text(element.get("model")),
        "leaf": as_text(element.get("current_leaf_message_uuid")),
        **_of_messages(messages),
    }
    return {**conversation, **_beside(element)} if element.keys() & _BESIDE else conversation


def _of_messages(items: Any) -> dict[str, Any]:
    """Return the parts of a conversation that are made of its messages: at once, or when somebody looks at them."""
    if items.__class__ is UnreadList:
        unread = items.unread.made_by(_of_messages)
        return {"messages": UnreadList(unread, "messages"), "counts": UnreadDict(unread, "counts")}
    if isinstance(items, SpooledList | Mapped):
        return {"messages": Mapped(convert_message, items), "counts": count(items)}
    items = as_list(items)
    return {"messages": [convert_message(item) for item in items], "counts": count(items)}


def _beside(element: dict[str, Any]) -> dict[str, Any]:
    """Return what only the web page's own form of a conversation says: a star, the project it is in."""
    project: Any = element.get("project")
    get = project.get if project.__class__ is dict else {}.get
    identifier = as_text(element.get("project_uuid") or get("uuid"))
    link = {"relation": "in project", "id": identifier, "title": as_text(get("name"))}
    return {"tags": ["starred"] if element.get("is_starred") is True else [], "links": [link] if identifier else []}


def convert_message(item: Any) -> ChatMessage:
    """Return one message in the common model."""
    if not _is_message(item):
        unknown = {"kind": "unknown", "type": "message", "data": item, "sources": ("message",)}
        return {"id": "", "role": "unknown", "created": "", "blocks": [unknown], "attachments": [], "files": []}
    get = item.get
    blocks, role = _blocks_of(item), as_text(get("sender"))
    if role == "human" and _all_results(blocks):
        role = "tool"  # Results that come in a message of their own are not the user's words.
    message = {
        "id": as_text(get("uuid")),
        "role": role,
        "created": instant(get("created_at")),
        "blocks": blocks,
        "attachments": [*map(_attachment, as_list(given))] if (given := get("attachments")) else [],
        "files": [*map(_file, _files_of(item))] if get("files") or get("files_v2") else [],
    }
    parent = get("parent_message_uuid")
    if parent.__class__ is str:
        message["parent"] = "" if parent == _NO_PARENT else parent
    return message


def _all_results(blocks: list[Block]) -> bool:
    # The first settles it for nearly every message, at a quarter of what to go through them costs.
    return bool(blocks) and blocks[0]["kind"] == "tool" and all(block["kind"] == "tool" for block in blocks)


def _is_message(item: Any) -> bool:
    return item.__class__ is dict and not _SAID.isdisjoint(item)


def _items(value: Any) -> list[Any]:
    return as_list(value) if value else []


def _files_of(item: dict[str, Any]) -> list[Any]:
    """Return the files a message lists, first those of the older list; the newer one may name others."""
    newer = _items(item.get("files_v2"))
    files = _items(item.get("files"))
    if not newer:
        return files
    known = [_file(entry) for entry in files]
    return files + [entry for entry in newer if _file(entry) not in known]


def _blocks_of(item: dict[str, Any]) -> list[Block]:
    content: Any = item.get("content")
    if content.__class__ is not list:
        content = as_list(content or None)
    if len(content) == 1 and (text := _plain_text(content[0])):
        return [{"kind": "text", "text": text, "citations": (), "sources": ("text",)}]
    if content and not all(map(_is_hollow, content)):
        return convert_blocks(content, item.get("sender") == "assistant")
    sources = ("text",) * len(content)
    text = as_text(item.get("text"))
    if "```" in text:
        text = _PLACEHOLDER.sub("\n", text)
    if not text and not sources:
        return []
    blocks = list(split_tags(text)) if has_tags(text) else [{"kind": "text", "text": text, "citations": []}]
    blocks[0]["sources"] = sources or ("flat text",)
    return blocks


def _plain_text(block: Any) -> str:
    """Return the text of a block that is what most messages consist of: one text, without citations or tags; empty if not."""
    if block.__class__ is not dict or block.get("type") != "text" or block.get("citations"):
        return ""
    text = block.get("text")
    return text if text.__class__ is str and not has_tags(text) else ""


def _is_hollow(block: Any) -> bool:
    """Whether a block is an empty text; where all are, the flat text is all there is."""
    return block.__class__ is dict and block.get("type") == "text" and not block.get("text")


def _attachment(entry: Any) -> dict[str, Any]:
    if entry.__class__ is not dict:
        return {"name": "", "type": "", "text": as_text(entry)}
    get = entry.get
    return {"name": as_text(get("file_name")), "type": as_text(get("file_type")), "text": as_text(get("extracted_content"))}


def _file(entry: Any) -> dict[str, Any]:
    if entry.__class__ is not dict:
        return {"name": as_text(entry), "id": ""}
    return {"name": as_text(entry.get("file_name")), "id": as_text(entry.get("file_uuid"))}


def count(items: Any) -> dict[str, Any]:
    """Count what the messages of an element hold, from the export itself: the report compares it with what was written."""
    blocks: dict[str, int] = defaultdict(int)
    attachments = files = total = 0
    for item in items:
        total += 1
        get: Any = item.get if item.__class__ is dict else {}.get
        content: Any = get("content")
        for block in content if content and content.__class__ is list else _content_of(item):
            kind: Any = block.get("type") if block.__class__ is dict else None
            blocks[kind if kind.__class__ is str else type_of(block)] += 1
        if given := get("attachments"):
            attachments += len(as_list(given))
        if get("files") or get("files_v2"):
            files += len(_files_of(item))
    return {"messages": total, "blocks": dict(blocks), "attachments": attachments, "files": files}


def _content_of(item: Any) -> list[Any]:
    """Return what counts as the blocks of a message whose content is no list, or is empty."""
    content: Any = item.get("content") if item.__class__ is dict else None
    if content:
        return [content]
    if not _is_message(item):
        return [{"type": "message"}]
    return [{"type": "flat text"}] if as_text(item.get("text")) else []
