"""Open WebUI's chats, exported or bare, turned into the common model."""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_list, as_text, instant
from .fences import code_blocks
from .message_tree import MessageTree, nodes_of
from .open_webui_sources import add_sources, documents_of
from .plain_blocks import asides, asides_of, call, first, parsed, picture, text, thinking, thoughts_apart, unknown
from .plain_turns import chat, identity, no_message, role_of, sections_of, tally

if TYPE_CHECKING:
    from .conversation import Block, ChatMessage, Conversation
    from .message_tree import Turn
    from .nested_fences import Fenced
    from .shape import About

_DETAILS: Final = re.compile(r"<details\b([^<>]*)>")
_FOLDED: Final = frozenset(("reasoning", "tool_calls", "code_interpreter"))
_CLOSE: Final = "</details>"
_SUMMARY: Final = re.compile(r"\s*<summary>[^<]*</summary>\s*")
_ATTRIBUTE: Final = re.compile(r'(?<![a-z_])([a-z_]+)="([^"]*)"')
_ASIDES: Final = {
    "statusHistory": "Status",
    "code_executions": "Code execution",
    "annotation": "Rating",
    "followUps": "Suggested questions",
}
_QUOTE: Final = re.compile(r"^>[ ]?", re.MULTILINE)


class OpenWebUIConverter:
    """Turns Open WebUI's chats into the common model."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation an element holds.

        Raises:
            RunError: it has neither a history nor messages.

        """
        outer = as_dict(element)
        inner = as_dict(outer.get("chat")) or outer
        tree, leaf, raws = _plant(inner)
        identifier = as_text(first(outer, "id") or first(inner, "id"))
        messages = [_told(turn) for turn in tree.turns()]
        kinds = [kind for raw in raws for kind in _types_of(raw)]
        files = sum(len(as_list(raw.get("files"))) for raw in raws if raw.__class__ is dict)
        conversation = chat(
            "open-webui",
            identifier or identity(inner.get("title"), raws),
            messages,
            tally(len(raws), kinds, files=files),
            title=as_text(first(outer, "title") or first(inner, "title")),
            created=instant(first(outer, "created_at") or inner.get("timestamp")) or tree.first_time,
            updated=instant(first(outer, "updated_at")) or tree.last_time,
            model=as_text(next(iter(as_list(inner.get("models"))), "")),
            leaf=leaf,
            tags=_tags(outer, inner),
        )
        system = first(as_dict(inner.get("params")), "system") or first(inner, "system")
        return conversation | sections_of({"System prompt": system})


def _plant(inner: dict[str, Any]) -> tuple[MessageTree, str, list[Any]]:
    """Return the messages as a tree, the id of the last on the way it went, and all of them as they are."""
    history = as_dict(inner.get("history"))
    items = history.get("messages") or inner.get("messages")
    if not isinstance(items, dict | list):
        if "history" not in inner and "messages" not in inner:
            raise RunError("not an Open WebUI chat: it has neither a history nor messages")
        items = []
    tree = MessageTree()
    raws = []
    last: Any = None
    for key, value in nodes_of(items):
        node = as_dict(value)
        # Messages in a list that do not name what they follow, follow each other.
        parent = node.get("parentId", last if items.__class__ is list else None)
        tree.add(key, parent, node.get("childrenIds"), {} if value is None else value, time=instant(node.get("timestamp")))
        raws.append({} if value is None else value)
        last = key
    tree.arrange()
    return tree, tree.leaf(history.get("currentId", history.get("current_id"))), raws


def _tags(outer: dict[str, Any], inner: dict[str, Any]) -> list[str]:
    given = [*as_list(inner.get("tags")), *as_list(as_dict(outer.get("meta")).get("tags"))]
    words = [as_text(tag.get("name") if tag.__class__ is dict else tag) for tag in given]
    states = [word for word in ("archived", "pinned") if outer.get(word) is True]
    return list(dict.fromkeys(filter(None, words + states)))


def _types_of(raw: Any) -> list[str]:
    """Return the types of what a message holds: its content, the parts of that, and an error."""
    if raw.__class__ is not dict:
        return ["message"]
    kinds = [part.get("type") if part.__class__ is dict else "text" for part in _parts(raw)]
    beside = (
        ["error"] * bool(raw.get("error"))
        + ["merged"] * bool(_merged(raw))
        + ["sources"] * bool(documents_of(raw))
        + asides_of(raw, _ASIDES)
    )
    return [as_text(kind) or "untyped" for kind in kinds] + beside


def _parts(raw: dict[str, Any]) -> list[Any]:
    """Return the parts of a message; Qwen's site, which is made of Open WebUI, tells them by phases: thinking, answering."""
    said = first(raw, "content", "content_list")
    return [part for part in as_list(said) if part not in (None, "")]


def _merged(raw: dict[str, Any]) -> Any:
    """Return the answer that was made of those of several models."""
    return first(as_dict(raw.get("merged")), "content")


def _told(turn: Turn) -> ChatMessage:
    raw = turn.message
    place = {"id": turn.id, "parent": turn.parent}
    if raw.__class__ is not dict:
        return no_message(raw) | place
    role = role_of(raw.get("role")) or "unknown"
    # What the app folds away is in answers; somebody who quotes one means its words.
    folds = role == "assistant"
    blocks = [block for part in _parts(raw) for block in _part(part, folds)]
    blocks = thoughts_apart(blocks) if folds else blocks
    add_sources(blocks, raw)
    if raw.get("error"):
        error = first(as_dict(raw["error"]), "content", "message", "detail") or raw["error"]
        blocks.append({"kind": "event", "title": "Error", "text": as_text(error), "sources": ("error",)})
    if merged := _merged(raw):
        blocks.append({"kind": "event", "title": "Answers merged", "text": as_text(merged), "sources": ("merged",)})
    blocks += asides(raw, _ASIDES)
    message: ChatMessage = {
        "role": role,
        "created": instant(raw.get("timestamp")),
        "blocks": blocks,
        "attachments": [],
        "files": [_file(entry) for entry in as_list(raw.get("files"))],
        **place,
    }
    if model := as_text(raw.get("model")):
        message["model"] = model
    tokens = _tokens(as_dict(raw.get("usage") or raw.get("info")))
    return message | {"tokens": tokens} if tokens else message


def _tokens(usage: dict[str, Any]) -> dict[str, int]:
    given = first(usage, "prompt_tokens", "prompt_eval_count", "input_tokens")
    made = first(usage, "completion_tokens", "eval_count", "output_tokens")
    return {name: number for name, number in (("input", given), ("output", made)) if number.__class__ is int}


def _part(part: Any, folds: bool) -> list[Block]:
    if part.__class__ is not dict:
        return _split(as_text(part), "text", folds)
    kind = as_text(part.get("type")) or "untyped"
    if kind == "untyped" and part.get("content").__class__ is str and "phase" in part:
        said = part["content"]
        return [thinking(said, kind)] if part["phase"] == "think" else _split(said, kind, folds)
    if part.get("text").__class__ is str and kind in ("text", "input_text", "output_text"):
        return _split(part["text"], kind, folds)
    if kind == "image_url":
        address = part.get("image_url")
        return [picture(address.get("url") if address.__class__ is dict else address, kind)]
    return [unknown(kind, part)]


def _split(content: str, source: str, folds: bool) -> list[Block]:
    """Return a text, and what the page folds away in it: reasoning, calls of tools. The first block stands for all."""
    blocks: list[Block] = []
    at = 0
    matches = list(_DETAILS.finditer(content)) if folds and "<details" in content else []
    code = list(code_blocks(f"\n{content}\n")) if matches else []
    for match in matches:
        given = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(match[1])}
        if match.start() < at or given.get("type") not in _FOLDED or _is_code(code, at, match.start()):
            continue
        _add_text(blocks, content[at : match.start()])
        end = content.find(_CLOSE, match.end())
        end = len(content) if end < 0 else end
        blocks.append(_folded(given, content[match.end() : end]))
        at = end + len(_CLOSE)
    _add_text(blocks, content[at:])
    for block in blocks[1:]:
        block["sources"] = ()
    return [blocks[0] | {"sources": (source,)}, *blocks[1:]] if blocks else [text("", source)]


def _is_code(code: list[Fenced], after: int, place: int) -> bool:
    """Whether a place in a text is in a code block that begins behind another place: it is shown, not meant."""
    number = bisect_right(code, place, key=lambda block: block.start) - 1
    return number >= 0 and after <= code[number].start and place < code[number].end


def _add_text(blocks: list[Block], words: str) -> None:
    if not words.isspace() and words:
        blocks.append(text(words.strip("\n"), ""))


def _folded(given: dict[str, str], body: str) -> Block:
    summary = _SUMMARY.match(body)
    body = html.unescape(body[summary.end() if summary else 0 :].strip("\n"))
    if given["type"] == "reasoning":
        return thinking(_QUOTE.sub("", body), "")
    name = given.get("name") or given["type"]
    asked = parsed(given["arguments"]) if "arguments" in given else {"code": body} if body else None
    block = call(name, asked, "", given.get("id"))
    output = _unwrapped(given.get("result") or given.get("output") or "")
    return block | {"result": {"parts": [{"text": output}], "failed": False}} if output else block


def _unwrapped(output: str) -> str:
    """Return the text of a result that is kept as JSON."""
    try:
        return as_text(json.loads(output)) if output.startswith('"') else output
    except ValueError:
        return output


def _file(entry: Any) -> dict[str, Any]:
    if entry.__class__ is not dict:
        return {"name": as_text(entry), "id": ""}
    inner = as_dict(entry.get("file"))
    address = as_text(entry.get("url"))
    name = as_text(first(entry, "name") or first(inner, "filename", "name"))
    identifier = as_text(first(entry, "id") or first(inner, "id"))
    if not address.startswith("data:"):
        text_of = first(as_dict(inner.get("data")), "content")
        content = {"content": text_of.encode("utf-8", "surrogatepass")} if text_of.__class__ is str else {}
        return {"name": name or address.rsplit("/", 1)[-1], "id": identifier, **content}
    found = picture(address, "file", name)
    media = as_text(found.get("type")).partition("/")[2]
    held = {"content": found["content"]} if "content" in found else {}
    return {"name": name or f"image.{media}", "id": identifier, **held}
