"""What the converters of linear chats share: turns of two, in formats with few fields and often without ids."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_list, as_text
from .plain_blocks import filled, first, parsed, thoughts_apart, unknown
from .prose import fence
from .spool import SpooledList

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .message_tree import Turn
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


_WRITTEN: Final = (
    *("description", "instructions", "custom_instructions", "custom_personality", "content", "prompt", "text", "link"),
)
"""Where apps keep what people wrote in their prompts, projects and tasks."""


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
        raise RunError(f"not a {what}: it has no list '{key}'")
    return items


def chat(
    provider: str, identifier: str, messages: list[ChatMessage] | Unrolled, counts: dict[str, Any], **more: Any
) -> Conversation:
    """Return a conversation of which little is known; `more` wins over the empty fields."""
    known = {"title": "", "created": "", "updated": "", "url": "", "summary": "", "model": "", "leaf": ""}
    return {"provider": provider, "id": identifier, **known, "messages": messages, "counts": counts, **more}


def message(role: str, blocks: list[Block], identifier: str = "", created: str = "", **more: Any) -> ChatMessage:
    """Return a message, without attachments and files unless `more` gives them."""
    if role == "assistant":
        blocks = thoughts_apart(blocks)
    return {"id": identifier, "role": role, "created": created, "blocks": blocks, "attachments": [], "files": [], **more}


def is_message(item: Any, keys: Collection[str]) -> bool:
    """Whether an item is an object with one of the fields that messages have, or an empty one; else it is kept as data."""
    return item.__class__ is dict and (not item or any(key in item for key in keys))


def boxed(item: Any, keys: Collection[str]) -> Any:
    """Return an item as it is; an object with none of the fields of messages in a list, so that it is taken for no message."""
    return item if item.__class__ is not dict or is_message(item, keys) else [item]


def no_message(item: Any) -> ChatMessage:
    """Return what stands for an item that is no message: it is kept as data."""
    return message("unknown", [unknown("message", item)])


def tell(make: Callable[[dict[str, Any]], ChatMessage], turns: Iterable[Turn]) -> Iterator[ChatMessage]:
    """Yield the messages that `make` makes of a tree's turns, each at its place in the tree."""
    for turn in turns:
        made = make(turn.message) if turn.message.__class__ is dict else no_message(turn.message)
        yield made | {"id": turn.id, "parent": turn.parent}


def role_of(value: Any) -> str:
    """Return our word for a provider's role; its own, in lower case, where we have none."""
    role = as_text(value).strip().lower()
    return _ROLES.get(role, role)


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


def sections_of(texts: dict[str, Any]) -> dict[str, Any]:
    """Return a conversation's `sections` by their titles, without those that hold nothing; no field if none holds anything."""
    told = {title: as_text(words) for title, words in texts.items() if filled(words)}
    sections = [{"title": title, "text": words} for title, words in told.items() if words.strip()]
    return {"sections": sections} if sections else {}


def shelves(provider: str, export: Any, titles: dict[str, str]) -> list[Conversation]:
    """Return what an export holds beside its chats, under the keys of `titles`: each list as one, an entry as a section."""
    lists = ((title, [as_dict(entry) for entry in as_list(as_dict(export).get(key))]) for key, title in titles.items())
    return [_shelf(provider, title, entries) for title, entries in lists if any(entries)]


def _shelf(provider: str, title: str, entries: list[dict[str, Any]]) -> Conversation:
    sections = [
        {
            "title": as_text(first(entry, "name", "title")) or title,
            "text": "\n\n".join(as_text(entry[key]) for key in _WRITTEN if filled(entry.get(key))),
        }
        for entry in entries
        if entry
    ]
    return chat(provider, identity(title, entries), [], tally(0, ()), title=title, sections=sections, kind="account")


def data_sections(values: dict[str, Any]) -> dict[str, Any]:
    """Return a conversation's `sections` that show data, such as the tools a model was given, as JSON by their titles."""
    shown = {title: json.dumps(parsed(value), ensure_ascii=False, indent=2) for title, value in values.items() if filled(value)}
    return sections_of({title: fence(text, "json") for title, text in shown.items()})


def rest_of(element: dict[str, Any], placed: Collection[str]) -> dict[str, Any]:
    """Return the fields of an element that hold anything and have no place of their own."""
    return {key: value for key, value in element.items() if key not in placed and filled(value)}
