"""The messages of the OpenAI, Anthropic and Gemini APIs, as requests and responses hold them, in the common model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .api_parts import ATTACHED, attached, is_gemini
from .claude_blocks import convert_blocks
from .conversation import as_dict, as_list, as_text, instant, type_of
from .gemini_parts import block_of_part, in_camel_case, kind_of_part
from .plain_blocks import (
    asides,
    call,
    cite,
    filled,
    first,
    parsed,
    parts_of,
    picture,
    result,
    text,
    thinking,
    unknown,
    unpacked,
    words_of,
)
from .plain_turns import is_message, message, no_message, role_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .conversation import Block, ChatMessage

_THOUGHTS: Final = ("reasoning_content", "reasoning", "thinking")
SAYING: Final = (*_THOUGHTS, "content", "parts", "images", "refusal", "audio", "function_call", "annotations", "tool_calls")
"""Fields of a message that say something."""
_BARE: Final = frozenset(["role", "name", "id", "tool_call_id", "weight", "groundingMetadata"])
"""Fields of a message that says nothing."""
_ANTHROPIC: Final = frozenset(["thinking", "redacted_thinking", "tool_use", "tool_result", "server_tool_use", "document"])
"""Types of content that only Anthropic's API has."""
_WORDS: Final = frozenset(["text", "input_text", "output_text", "summary_text"])
_TOLD: Final = frozenset(
    ["type", "id", "call_id", "status", "name", "action", "arguments", "input", "results", "outputs", "output", "server_label"]
)
"""Fields of a call in OpenAI's Responses API that are not its input, or have a place of their own."""


def api_messages(items: Iterable[Any]) -> Iterator[ChatMessage]:
    """Yield messages in the common model. A result stays a message of its own, and gets the name of its call by id."""
    names: dict[str, str] = {}
    for item in items:
        if not _is_message(item):
            yield no_message(item)
            continue
        role = _role(item)
        blocks = _blocks(item, role, names)
        for block in blocks:
            if block["kind"] == "tool" and block.get("id").__class__ is str:
                names[block["id"]] = block["name"]
        name = as_text(item.get("name")) if role not in ("tool", "assistant") else ""
        created = instant(first(item, "created_at", "timestamp"))
        yield message(role, blocks, created=created, **({"name": name} if name else {}))


def kinds_of(item: Any) -> list[str]:
    """Return the types of what a message holds, each as often as it holds it."""
    return [kind for kind, _ in _contents(item)] if _is_message(item) else ["message"]


def _is_message(item: Any) -> bool:
    """Whether an item can be read: a message, or what stands among them in the Responses API."""
    return is_message(item, SAYING) or (item.__class__ is dict and (_is_item(item) or item.keys() <= _BARE))


def _is_item(item: dict[str, Any]) -> bool:
    """Whether this is an item of OpenAI's Responses API that is no message: a thought, a call, a result."""
    return "role" not in item and item.get("type").__class__ is str and item["type"] != "message"


def _role(item: dict[str, Any]) -> str:
    if _is_item(item):
        return "tool" if type_of(item).endswith("_output") else "assistant"
    role = role_of(item.get("role"))
    if role == "human" and is_gemini(item):
        return "tool" if {kind for kind, _ in _contents(item)} == {"functionResponse"} else role
    content: Any = item.get("content")
    if role != "human" or content.__class__ is not list or not content:
        return role
    return "tool" if all(type_of(part) == "tool_result" for part in content) else role


def _contents(item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a message holds, by type: the parts of its content, and what stands beside that."""
    if is_gemini(item):
        return ((kind_of_part(part), part) for part in map(in_camel_case, item["parts"]))
    if _is_item(item):
        return iter([(type_of(item), item)])
    return _said(item)


def _said(item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in _THOUGHTS:
        if filled(item.get(key)):
            yield key, item[key]
            break
    content: Any = item.get("content")
    if content.__class__ is list:
        for part in content:
            yield type_of(part), part
    elif content not in (None, "", {}):
        yield "content", content
    for given in as_list(item.get("images")):
        part = {"type": "image_url", "image_url": f"data:image/png;base64,{given}"} if given.__class__ is str else given
        yield type_of(part), part
    for key in ("refusal", "audio", "function_call", "annotations"):
        if filled(item.get(key)):
            yield key, item[key]
    for entry in as_list(item.get("tool_calls")):
        yield "tool_calls", entry


def _blocks(item: dict[str, Any], role: str, names: dict[str, str]) -> list[Block]:
    contents = list(_contents(item))
    if is_gemini(item):
        blocks = [{**block_of_part(part, kind), "sources": (kind,)} for kind, part in contents]
        return _grounded(blocks, as_dict(item.get("groundingMetadata")))
    if role == "tool" and not _is_item(item) and not _is_anthropic(item):
        return _tool_answer(item, contents, names)
    if _is_anthropic(item):
        blocks = convert_blocks([_named(part, names) for part in item["content"]], role == "assistant")
        contents = [(kind, value) for kind, value in contents if not any(value is part for part in item["content"])]
    else:
        blocks = []
    for kind, value in contents:
        _add(blocks, kind, value, names)
    return blocks


def _grounded(blocks: list[Block], told: dict[str, Any]) -> list[Block]:
    """Put the pages that an answer of Gemini's rests on to its last text, and what it searched for behind it."""
    said = next((block for block in reversed(blocks) if block["kind"] == "text"), None)
    pages = [as_dict(chunk).get("web") for chunk in as_list(told.get("groundingChunks"))]
    if said and pages:
        said["citations"] = cite(pages, len(said["text"]))
    elif pages:
        blocks = [*blocks, {**result("web search", pages, ""), "sources": ()}]
    return blocks + [{**block, "sources": ()} for block in asides(told, {"webSearchQueries": "Searched for"})]


def _is_anthropic(item: dict[str, Any]) -> bool:
    """Whether content is as Anthropic's API has it: of types of its own, or cited."""
    content: Any = item.get("content")
    return content.__class__ is list and any(map(_is_theirs, content))


def _is_theirs(part: Any) -> bool:
    kind = type_of(part)
    if kind == "text":
        return bool(part.get("citations"))
    return kind in _ANTHROPIC or (kind == "image" and part.get("source").__class__ is dict)


def _named(part: Any, names: dict[str, str]) -> Any:
    """Return a result with the name of the call it answers."""
    asked: Any = part.get("tool_use_id") if type_of(part) == "tool_result" else None
    return {**part, "name": names[asked]} if asked.__class__ is str and asked in names else part


def _tool_answer(item: dict[str, Any], contents: list[tuple[str, Any]], names: dict[str, str]) -> list[Block]:
    """Return the one block that the answer of a tool is."""
    if not contents:
        return []
    asked: Any = item.get("tool_call_id")
    name = names.get(asked, "") if asked.__class__ is str else ""
    block = result(name or item.get("name"), [], contents[0][0])
    parts = [part for kind, value in contents for part in parts_of(value if kind == "content" else [value])]
    return [block | {"result": {"parts": parts, "failed": False}, "sources": tuple(kind for kind, _ in contents)}]


def _add(blocks: list[Block], kind: str, value: Any, names: dict[str, str]) -> None:
    before = blocks[-1] if blocks else None
    if kind == "annotations" and before and before["kind"] == "text":
        links = [first(entry, "url_citation") or entry if entry.__class__ is dict else entry for entry in as_list(value)]
        before["citations"] = [*before["citations"], *cite(links, len(before["text"]))]
        before["sources"] += (kind,)
        return
    revised = value.get("revised_prompt") if kind == "image_generation_call" and value.__class__ is dict else None
    if filled(revised):
        blocks.append(call("image_generation", {"revised_prompt": revised}, kind) | {"sources": ()})
    blocks.append(_block(kind, value, names))


def _block(kind: str, value: Any, names: dict[str, str]) -> Block:
    if kind == "content" or value.__class__ is str:
        return thinking(value, kind) if kind in _THOUGHTS else text(value, kind)
    if value.__class__ is not dict:
        return unknown(kind, value)
    if kind == "error":
        said = first(value, "error") or value
        return {"kind": "event", "title": "Error", "text": as_text(said), "sources": (kind,)}
    if kind in _WORDS or kind == "refusal":
        said = as_text(first(value, "text", "refusal"))
        return text(said, kind, cite(value.get("annotations"), len(said)))
    if kind in ("tool_calls", "function_call"):
        return _call(kind, value)
    if kind.endswith("_call_output"):
        asked: Any = value.get("call_id")
        name = names.get(asked, "") if asked.__class__ is str else ""
        return result(name, parts_of(value.get("output")), kind)
    if kind == "reasoning":
        summary, words = words_of(first(value, "summary")), words_of(first(value, "content", "text"))
        return thinking(words or summary, kind) | {"summaries": [summary] if words and summary else []}
    if kind in ("image_url", "input_image"):
        address = value.get("image_url")
        return picture(first(address, "url") if address.__class__ is dict else address, kind)
    if kind in ATTACHED:
        return attached(kind, as_dict(value.get(kind)) or value)
    return _hosted(kind, value) if kind.endswith("_call") else unknown(kind, value)


def _hosted(kind: str, value: dict[str, Any]) -> Block:
    """Return the call of a tool that the provider runs itself, with its result."""
    if kind == "image_generation_call" and unpacked(value.get("result")):
        return picture(f"data:image/png;base64,{value['result']}", kind)
    rest = {key: part for key, part in value.items() if key not in _TOLD and filled(part)}
    given = parsed(first(value, "action", "arguments", "input") or rest)
    named = ".".join(as_text(value[key]) for key in ("server_label", "name") if filled(value.get(key)))
    block = call(named or kind.removesuffix("_call"), given, kind, first(value, "call_id", "id"))
    got = first(value, "results", "outputs", "output")
    return block if got is None else block | {"result": {"parts": parts_of(got), "failed": False}}


def _call(kind: str, value: dict[str, Any]) -> Block:
    function = value.get("function") if value.get("function").__class__ is dict else value
    assert function is not None
    if "name" not in function and "arguments" not in function:
        return unknown(kind, value)
    block = call(function.get("name"), parsed(function.get("arguments")), kind, first(value, "call_id", "id"))
    error = first(value, "error")  # LangChain's, of a call that it could not read.
    return block if error is None else block | {"result": {"parts": parts_of(error), "failed": True}}
