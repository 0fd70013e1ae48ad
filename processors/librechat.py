"""LibreChat's exported conversations, as a tree of children or flat, turned into the common model."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_list, as_text, instant, type_of
from .directives import has_directives, split_directives
from .message_tree import MessageTree
from .plain_blocks import (
    asides,
    asides_of,
    call,
    filled,
    first,
    parsed,
    parts_of,
    result,
    text,
    thinking,
    thoughts_apart,
    unknown,
    words_of,
)
from .plain_turns import boxed, chat, role_of, sections_of, tell
from .spool import SpooledList

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_ASIDES: Final = {"feedback": "Feedback"}
_BEFORE: Final = ("promptPrefix", "system", "instructions", "additional_instructions")
_NO_PARENT: Final = "00000000-0000-0000-0000-000000000000"
_FIELDS: Final = ("text", "content", "children", "attachments", "files", "feedback", "sender", "isCreatedByUser")
_THINKING: Final = re.compile(r"\s*:::thinking\n(.*?)\n:::[ \t]*\n?", re.DOTALL)


class LibreChatConverter:
    """Turns LibreChat's conversations into the common model."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation an element holds.

        Raises:
            RunError: it has no messages.

        """
        items = as_dict(element).get("messages", as_dict(element).get("messagesTree"))
        if not isinstance(items, list | SpooledList):
            raise RunError("not a LibreChat conversation: it has no messages")
        tree = MessageTree(isinstance(items, SpooledList))
        blocks: dict[str, int] = {}
        files = 0
        for key, parent, raw in _flattened(items):
            tree.add(key, parent, None, raw, time=instant(as_dict(raw).get("createdAt")))
            for kind in _types_of(raw):
                blocks[kind] = blocks.get(kind, 0) + 1
            files += len(_listed(raw))
        tree.arrange()
        options = as_dict(element.get("options"))
        model = first(options, "model") or first(as_dict(options.get("presetOverride")), "model") or element.get("model")
        messages: Any = tree.told(partial(tell, _message))
        conversation = chat(
            "librechat",
            as_text(element.get("conversationId")),
            messages,
            {"messages": len(tree), "blocks": blocks, "attachments": 0, "files": files},
            title=as_text(element.get("title")),
            created=instant(element.get("createdAt")) or tree.first_time,
            updated=instant(element.get("updatedAt")) or tree.last_time,
            model=as_text(model),
            tags=[as_text(tag) for tag in as_list(element.get("tags")) if tag],
        )
        return conversation | sections_of({"System prompt": _told_before(element, options)})


def _told_before(element: dict[str, Any], options: dict[str, Any]) -> str:
    """Return what the model was told before the first message, each text once."""
    places = (options, as_dict(options.get("presetOverride")), element)
    texts = [as_text(place[key]) for place in places for key in _BEFORE if filled(place.get(key))]
    return "\n\n".join(dict.fromkeys(texts))


def _flattened(items: Iterable[Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield key and parent of each message, and the message without its children. What holds a message is its parent."""
    number = 0
    for root in items:
        waiting = [(root, "")]
        while waiting:
            item, holder = waiting.pop()
            number += 1
            raw = dict(as_dict(item))
            children = raw.pop("children", None)
            key = as_text(raw.get("messageId")) or f"message-{number}"
            parent = as_text(raw.get("parentMessageId")) or holder
            told = "" if item is None else boxed(raw, _FIELDS) if item.__class__ is dict else item
            yield key, holder or ("" if parent == _NO_PARENT else parent), told
            waiting += [(child, key) for child in reversed(as_list(children))]


def _types_of(raw: Any) -> list[str]:
    if raw.__class__ is not dict:
        return ["message"]
    parts = [type_of(part) for part in as_list(raw.get("content")) if part is not None]
    parts = parts or (["flat text"] if raw.get("text") else [])
    return parts + [type_of(entry) for entry in _attached(raw) if _finding(entry)] + asides_of(raw, _ASIDES)


def _attached(raw: Any) -> list[Any]:
    return as_list(as_dict(raw).get("attachments"))


def _listed(raw: Any) -> list[Any]:
    return [*as_list(as_dict(raw).get("files")), *(entry for entry in _attached(raw) if not _finding(entry))]


def _finding(entry: Any) -> Any:
    """Return what a tool attached to an answer that is no file: `{"type": "web_search", "web_search": {…}}`."""
    return as_dict(entry).get(type_of(entry))


def _message(raw: dict[str, Any]) -> ChatMessage:
    role = _role(raw)
    found = [entry for entry in _attached(raw) if _finding(entry)]
    beside = [result(kind, parts_of(entry[kind]), kind) for entry in found for kind in (type_of(entry),)]
    message: ChatMessage = {
        "role": role,
        "created": instant(raw.get("createdAt")),
        "blocks": [*(_told_apart(_blocks(raw)) if role == "assistant" else _blocks(raw)), *beside, *asides(raw, _ASIDES)],
        "attachments": [],
        "files": [_file(entry) for entry in _listed(raw)],
    }
    sender, model = as_text(raw.get("sender")), as_text(raw.get("model"))
    if sender and sender.lower() not in ("user", "assistant"):
        message["name"] = sender
    return message | {"model": model} if model else message


def _told_apart(blocks: list[Block]) -> list[Block]:
    """Return the blocks of an answer, its thoughts and artifacts told apart from its words."""
    return [
        part for block in thoughts_apart(blocks) for part in (_artifacts_apart(block) if block["kind"] == "text" else (block,))
    ]


def _artifacts_apart(block: Block) -> list[Block]:
    """Return a text with its artifacts told apart."""
    parts = list(split_directives(block["text"])) if has_directives(block["text"]) else []
    if not any(part["kind"] == "artifact" for part in parts):
        return [block]
    return [parts[0] | {"sources": block["sources"]}, *parts[1:]]


def _role(raw: dict[str, Any]) -> str:
    by_person = raw.get("isCreatedByUser")
    if by_person.__class__ is bool:
        return "human" if by_person else "assistant"
    return role_of(raw.get("role") or raw.get("sender")) or "assistant"


def _blocks(raw: dict[str, Any]) -> list[Block]:
    parts = [part for part in as_list(raw.get("content")) if part is not None]
    if parts:
        return [_part(part) for part in parts]
    words = as_text(raw.get("text")) if raw.get("text") else ""
    if raw.get("error") is True and words:
        return [{"kind": "event", "title": "Error", "text": words, "sources": ("flat text",)}]
    thought = _THINKING.match(words) if ":::thinking" in words else None
    if thought:
        rest = [text(words[thought.end() :], "flat text") | {"sources": ()}] if words[thought.end() :] else []
        return [thinking(thought[1], "flat text"), *rest]
    return [text(words, "flat text")] if words else []


def _part(part: Any) -> Block:
    kind = type_of(part)
    if part.__class__ is not dict:
        return text(part, kind) if part.__class__ is str else unknown(kind, part)
    if kind == "text" and "text" in part:
        return text(_value(part["text"]), kind)
    if kind in ("think", "thinking", "reasoning"):
        return thinking(_value(first(part, "think", "thinking", "reasoning", "text")), kind)
    if kind == "tool_call" and part.get("tool_call").__class__ is dict:
        return _call(part["tool_call"])
    if kind == "error":
        return {"kind": "event", "title": "Error", "text": as_text(_value(first(part, "error", "text"))), "sources": (kind,)}
    if kind in ("image_file", "image_url") and part.get(kind).__class__ is dict:
        file = _file(part[kind])
        return {"kind": "file", **file, "type": kind, "sources": (kind,)}
    return unknown(kind, part)


def _value(given: Any) -> Any:
    """Return a text that may lie in an object, under `value`."""
    return given["value"] if given.__class__ is dict and "value" in given else words_of(given)


def _call(told: dict[str, Any]) -> Block:
    inner = as_dict(told.get("function")) or told
    block = call(inner.get("name"), parsed(first(inner, "args", "arguments")), "tool_call", told.get("id"))
    output = first(inner, "output") or first(told, "output")
    return block if output is None else block | {"result": {"parts": [{"text": as_text(output)}], "failed": False}}


def _file(entry: Any) -> dict[str, Any]:
    if entry.__class__ is not dict:
        return {"name": as_text(entry), "id": ""}
    name = as_text(first(entry, "filename", "name", "filepath", "url"))
    words = entry.get("text")
    content = {"content": words.encode("utf-8", "surrogatepass")} if words.__class__ is str and words else {}
    return {"name": name.rsplit("/", 1)[-1], "id": as_text(first(entry, "file_id", "id")), **content}
