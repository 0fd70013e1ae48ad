"""ShareGPT's form of conversations, `{"conversations": [{"from": …, "value": …}]}`, turned into the common model.

Data sets vary it: the list is called otherwise, its turns have `role` and `content`, a turn holds a question and its answer
under the names of those who speak, or the turns are bare texts.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .conversation import as_text
from .plain_blocks import call, first, parsed, parts_of, result, text
from .plain_turns import chat, data_sections, identity, items_of, message, no_message, rest_of, role_of, tally, unroll
from .speaker_marks import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_LISTS: Final = ("conversations", "conversation", "items", "data")
"""What the list of turns is called."""
_SPOKEN: Final = frozenset(["system", "human", "user", "assistant", "gpt", "bot", "model"])
"""Names of those who speak, where a turn holds a question and its answer."""
_UNIQUE: Final = 20
"""Characters that make an id one of its own."""
_IDS: Final = ("id", "hash", "conversation_id")
_TOLD: Final = ("system", "system_prompt")
_PLACED: Final = frozenset([*_IDS, *_TOLD, "title", "model", "tools"])
"""Fields that have a place of their own."""


class _Mark(NamedTuple):
    start: str
    end: str


_CALL: Final = _Mark("<tool_call>", "</tool_call>")
_RESPONSE: Final = _Mark("<tool_response>", "</tool_response>")
"""How models that were trained by Hermes' template call tools in their words, and are answered."""


class ShareGPTConversations:
    """Turns an item of a list, or a line. One without an id is known by what it says."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that an element holds."""
        key = next((key for key in _LISTS if key in element), _LISTS[0]) if element.__class__ is dict else _LISTS[0]
        items = items_of(element, key, "conversation of ShareGPT")
        told = as_text(first(element, *_TOLD))
        counts = _count(items, told)
        return chat(
            "sharegpt",
            id_of(as_text(first(element, *_IDS)), told, items),
            unroll(partial(_messages, told), items, counts["messages"]),
            counts,
            title=as_text(element.get("title")),
            model=as_text(element.get("model")),
            **data_sections({"Tools": element.get("tools"), "Details": rest_of(element, {*_PLACED, key})}),
        )


def id_of(given: str, *values: Any) -> str:
    """Return an id. Data sets count their items: what is short is another one's id too."""
    return given if len(given) >= _UNIQUE else f"{given}~{identity(*values)}".lstrip("~")


def _turns(items: Iterable[Any]) -> Iterator[Any]:
    """Yield turns of one speaker each."""
    packed = _packed(items)
    if packed:
        yield from packed
        return
    are_words = next(iter(items), None).__class__ is str
    for number, item in enumerate(items):
        if item.__class__ is str and are_words:
            yield {"from": ("human", "gpt")[number % 2], "value": item}
        elif item.__class__ is dict and not _speaker(item) and not _SPOKEN.isdisjoint(item):
            yield from ({"from": name, "value": item[name]} for name in item if name in _SPOKEN)
        else:
            yield item


def _packed(items: Iterable[Any]) -> list[dict[str, str]]:
    """Return the turns that stand in the only one there is, each with a mark of who speaks; nothing if none do."""
    first_two = list(islice(items, 2))
    only: Any = first_two[0] if len(first_two) == 1 else None
    value: Any = _value(only) if only.__class__ is dict else only
    told = spoken(value) if value.__class__ is str else []
    return [{"from": turn["role"], "value": turn["content"]} for turn in told] if len(told) > 1 else []


def _messages(told: str, items: Iterable[Any]) -> Iterator[ChatMessage]:
    if told:
        yield message("system", [text(told, "system")])
    asked = ""
    for item in _turns(items):
        if item.__class__ is not dict:
            yield no_message(item)
            continue
        kind, value = _speaker(item), _value(item)
        role = role_of(kind)
        blocks = _blocks(kind, value, role, asked) if value not in (None, "") else []
        asked = next((block["name"] for block in blocks if block["kind"] == "tool"), asked)
        yield message(role, blocks, as_text(item.get("id")))


def _speaker(item: dict[str, Any]) -> str:
    return as_text(first(item, "from", "role")).strip().lower()


def _value(item: dict[str, Any]) -> Any:
    return first(item, "value", "content", "text")


def _blocks(kind: str, value: Any, role: str, asked: str) -> list[Block]:
    if role != "assistant" or value.__class__ is not str or _CALL.end not in value:
        return [_block(kind, value, role, asked)]
    blocks = [block for words, is_call in _marked(value, _CALL) for block in _spoken(words, is_call)]
    return [block | {"sources": (kind or "value",) if block is blocks[0] else ()} for block in blocks]


def _spoken(words: str, is_call: bool) -> list[Block]:
    """Return the call that marked words are, or the text of others, if it is any."""
    given: Any = parsed(words.strip()) if is_call else None
    if given.__class__ is dict and "name" in given:
        return [call(given["name"], parsed(first(given, "arguments", "parameters")), "")]
    words = f"{_CALL.start}{words}{_CALL.end}" if is_call else words.strip("\n")
    return [text(words, "")] if words.strip() else []


def _marked(value: str, mark: _Mark) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a text, and whether each stands between two marks."""
    before, *others = value.split(mark.start)
    yield before, False
    for other in others:
        words, end, rest = other.partition(mark.end)
        yield (words, True) if end else (mark.start + words, False)
        yield rest, False


def _block(kind: str, value: Any, role: str, asked: str) -> Block:
    source = kind or "value"
    if role == "tool":
        marked = [words.strip() for words, is_one in _marked(value, _RESPONSE) if is_one] if value.__class__ is str else []
        return result(asked, [part for words in marked or [value] for part in parts_of(parsed(words))], source)
    given: Any = parsed(value) if kind == "function_call" else None
    if given.__class__ is dict:
        return call(given.get("name"), parsed(first(given, "arguments", "parameters")), source)
    return text(value, source)


def _count(items: Iterable[Any], told: str) -> dict[str, Any]:
    messages, kinds = int(bool(told)), ["system"] * bool(told)
    for item in _turns(items):
        messages += 1
        if item.__class__ is not dict:
            kinds.append("message")
        elif _value(item) not in (None, ""):
            kinds.append(_speaker(item) or "value")
    return tally(messages, kinds)
