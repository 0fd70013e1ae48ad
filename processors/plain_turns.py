"""What the converters of linear chats share: turns of two, in formats with few fields and often without ids."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_list, as_text
from .prose import fence
from .spool import SpooledList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_ROLES: Final = {
    "user": "human",
    "human": "human",
    "assistant": "assistant",
    "model": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "developer": "system",
    "observation": "tool",
    "function": "tool",
    "function_response": "tool",
    "function_call": "assistant",
}


class Unrolled:
    """Messages that are made anew each time one goes through them, from items that lie in a file: nothing is held."""

    __slots__ = ("_count", "_items", "_make")

    def __init__(self, make: Callable[[Iterable[Any]], Iterator[ChatMessage]], items: SpooledList, count: int) -> None:
        self._make = make
        self._items = items
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ChatMessage]:
        return self._make(self._items)


def unroll(
    make: Callable[[Iterable[Any]], Iterator[ChatMessage]], items: list[Any] | SpooledList, count: int
) -> list[ChatMessage] | Unrolled:
    """Return the messages that `make` makes of items: a list, or for items in a file something as good.

    `count` is how many there will be.
    """
    return Unrolled(make, items, count) if isinstance(items, SpooledList) else list(make(items))


def items_of(element: Any, key: str, what: str) -> list[Any] | SpooledList:
    """Return the list that an element holds under a key.

    Raises:
        RunError: there is none; `what` says what it is then not.

    """
    items = element.get(key) if element.__class__ is dict else None
    if not isinstance(items, list | SpooledList):
        raise RunError(f"no {what}: it has no list '{key}'")
    return items


def chat(
    provider: str, identifier: str, messages: list[ChatMessage] | Unrolled, counts: dict[str, Any], **more: Any
) -> Conversation:
    """Return a conversation of which little is known; `more` wins over the empty fields."""
    known = {"title": "", "created": "", "updated": "", "url": "", "summary": "", "model": "", "leaf": ""}
    return {"provider": provider, "id": identifier, **known, "messages": messages, "counts": counts, **more}


def message(role: str, blocks: list[Block], identifier: str = "", created: str = "", **more: Any) -> ChatMessage:
    """Return a message, without attachments and files unless `more` gives them."""
    return {"id": identifier, "role": role, "created": created, "blocks": blocks, "attachments": [], "files": [], **more}


def no_message(item: Any) -> ChatMessage:
    """Return what stands for an item that is no message: it is kept as data."""
    return message("unknown", [unknown("message", item)])


def role_of(value: Any) -> str:
    """Return our word for a provider's role; its own, in lower case, where we have none."""
    role = as_text(value).strip().lower()
    return _ROLES.get(role, role)


def text(value: Any, source: str, citations: Iterable[dict[str, Any]] = ()) -> Block:
    """Return a block of text."""
    return {"kind": "text", "text": as_text(value), "citations": list(citations), "sources": (source,)}


def thinking(value: Any, source: str) -> Block:
    """Return a block of what the model thought."""
    return {"kind": "thinking", "text": words_of(value), "summaries": [], "sources": (source,)}


def words_of(value: Any) -> str:
    """Return a text that may be cut into parts, each an object with a `text`, as one."""
    if (
        value.__class__ is list
        and value
        and all(part.__class__ is dict and part.get("text").__class__ is str for part in value)
    ):
        return "\n\n".join(part["text"] for part in value)
    return as_text(value)


def picture(address: Any, source: str, name: str = "") -> Block:
    """Return a block of a picture: one that stands in its address is unpacked, another is only named."""
    address = as_text(address)
    head, _, data = address.partition(",")
    if not head.startswith("data:"):
        return {"kind": "file", "name": name or address, "id": address, "type": source, "sources": (source,)}
    content = unpacked(data) if head.endswith(";base64") else b""
    media = head[5:].partition(";")[0]
    block = {"kind": "file", "name": name, "id": "", "type": media, "sources": (source,), "content": content}
    return block if content else unknown(source, address)


def call(name: Any, given: Any, source: str, identifier: Any = None) -> Block:
    """Return a block of a tool call that has no result yet."""
    return {"kind": "tool", "name": as_text(name), "id": identifier, "input": given, "result": None, "sources": (source,)}


def result(name: Any, parts: list[Any], source: str, failed: bool = False) -> Block:
    """Return a block of a tool's result that stands alone."""
    return call(name, None, source) | {"result": {"parts": parts, "failed": failed}}


def parts_of(value: Any) -> list[Any]:
    """Return the parts of a result: texts as texts, whatever else as it is."""
    return [_part(part) for part in as_list(value)]


def _part(part: Any) -> Any:
    if part.__class__ is str:
        return {"text": part}
    if part.__class__ is dict and part.get("text").__class__ is str:
        link = link_of(part)
        return {"title": link["title"], "url": link["url"], "text": part["text"]} if link["url"] else {"text": part["text"]}
    return part


def unknown(kind: str, data: Any) -> Block:
    """Return a block of a type we do not know."""
    return {"kind": "unknown", "type": kind, "data": data, "sources": (kind,)}


def link_of(value: Any) -> dict[str, Any]:
    """Return the `title` and `url` of a page that a source names in one of the usual ways."""
    if value.__class__ is not dict:
        found = as_text(value)
        return {"title": "" if "://" in found else found, "url": found if "://" in found else ""}
    title = first(value, "title", "name", "displayName")
    return {"title": as_text(title), "url": as_text(first(value, "url", "uri", "link", "href"))}


def cite(sources: Any, end: int) -> list[dict[str, Any]]:
    """Return sources as citations at the end of a text of that length; what names no page is left out."""
    links = (link_of(source) for source in as_list(sources))
    return [{"end": end, **link} for link in links if link["url"] or link["title"]]


def first(value: dict[str, Any], *keys: str) -> Any:
    """Return what an object has under the first of these keys that it has anything under; None if under none."""
    return next((value[key] for key in keys if value.get(key) not in (None, "", [], {})), None)


def parsed(value: Any) -> Any:
    """Return what a text that is JSON says, and anything else as it is."""
    if value.__class__ is not str or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def identity(*values: Any) -> str:
    """Return an id for a conversation that has none: equal for equal values, wherever their lists are kept."""
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        for item in value if isinstance(value, list | SpooledList) else (value,):
            digest.update(json.dumps(item).encode("ascii") + b"\n")
        digest.update(b"\n")
    return digest.hexdigest()


def tally(messages: int, kinds: Iterable[str], attachments: int = 0, files: int = 0) -> dict[str, Any]:
    """Return the counts of an element: how many messages, and how many blocks of each type."""
    blocks: dict[str, int] = {}
    for kind in kinds:
        blocks[kind] = blocks.get(kind, 0) + 1
    return {"messages": messages, "blocks": blocks, "attachments": attachments, "files": files}


def type_of(entry: Any, missing: str = "untyped") -> str:
    """Return the `type` an entry has; `missing` if it has none."""
    kind = entry.get("type") if entry.__class__ is dict else None
    return as_text(kind) if kind not in (None, "") else missing


def held_file(about: About, name: str, identifier: str = "", folder: str = "") -> dict[str, Any]:
    """Return a file that a message names, with its content where the archive holds it.

    It is looked for in a folder beside the file that names it, then anywhere by its name.
    """
    here = about.file.rpartition("/")[0]
    base = name.rpartition("/")[2]
    for wanted in ("/".join(filter(None, (here, folder, name))), base):
        found = about.members.find(wanted)
        if found and base and found.name.rpartition("/")[2].casefold() == base.casefold():
            return {"name": name, "id": identifier, "content": found}
    return {"name": name, "id": identifier}


def unpacked(data: Any) -> bytes:
    """Return what base64 text stands for; nothing if it is none."""
    if data.__class__ is not str:
        return b""
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return b""


def tools_section(tools: Any) -> dict[str, Any]:
    """Return a conversation's `sections` that show which tools the model was given; nothing if none."""
    if tools in (None, "", [], {}):
        return {}
    shown = json.dumps(parsed(tools), ensure_ascii=False, indent=2)
    return {"sections": [{"title": "Tools", "text": fence(shown, "json")}]}
