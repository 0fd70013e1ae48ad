"""ShareGPT's form of conversations, `{"conversations": [{"from": …, "value": …}]}`, turned into the common model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .conversation import as_text
from .plain_blocks import call, first, parsed, parts_of, result, text
from .plain_turns import chat, identity, items_of, message, no_message, role_of, tally, tools_section, unroll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About


_UNIQUE: Final = 20
"""Characters that make an id one of its own."""


class ShareGPTConversations:
    """Turns an item of a list, or a line. One without an id is known by what it says."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that an element holds."""
        is_old = element.__class__ is dict and "conversations" not in element and "items" in element
        items = items_of(element, "items" if is_old else "conversations", "conversation of ShareGPT")
        told = as_text(first(element, "system", "system_prompt"))
        counts = _count(items, told)
        return chat(
            "sharegpt",
            _id_of(as_text(first(element, "id", "hash")), told, items),
            unroll(partial(_messages, told), items, counts["messages"]),
            counts,
            title=as_text(element.get("title")),
            model=as_text(element.get("model")),
            **tools_section(element.get("tools")),
        )


def _id_of(given: str, told: str, items: Iterable[Any]) -> str:
    """Return an id. Data sets count their items: what is short is another one's id too."""
    return given if len(given) >= _UNIQUE else f"{given}~{identity(told, items)}".lstrip("~")


def _messages(told: str, items: Iterable[Any]) -> Iterator[ChatMessage]:
    if told:
        yield message("system", [text(told, "system")])
    asked = ""
    for item in items:
        if item.__class__ is not dict:
            yield no_message(item)
            continue
        kind, value = _speaker(item), _value(item)
        role = role_of(kind)
        blocks = [_block(kind, value, role, asked)] if value not in (None, "") else []
        asked = next((block["name"] for block in blocks if block["kind"] == "tool"), asked)
        yield message(role, blocks, as_text(item.get("id")))


def _speaker(item: dict[str, Any]) -> str:
    return as_text(first(item, "from", "role")).strip().lower()


def _value(item: dict[str, Any]) -> Any:
    return first(item, "value", "content", "text")


def _block(kind: str, value: Any, role: str, asked: str) -> Block:
    source = kind or "value"
    if role == "tool":
        return result(asked, parts_of(parsed(value)), source)
    given: Any = parsed(value) if kind == "function_call" else None
    if given.__class__ is dict:
        return call(given.get("name"), parsed(first(given, "arguments", "parameters")), source)
    return text(value, source)


def _count(items: Iterable[Any], told: str) -> dict[str, Any]:
    messages, kinds = int(bool(told)), ["system"] * bool(told)
    for item in items:
        messages += 1
        if item.__class__ is not dict:
            kinds.append("message")
        elif _value(item) not in (None, ""):
            kinds.append(_speaker(item) or "value")
    return tally(messages, kinds)
