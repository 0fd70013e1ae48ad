"""The parts of one message of Claude Code's log, in the common model. See `claude_code_records.py` for what parts there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .claude_code_chain import model_of, tokens_of
from .claude_code_notes import boundary, note, queued
from .claude_code_records import content_of, is_boundary, is_queued_prompt, mentioned_file
from .claude_code_tools import add_artifacts, answer
from .claude_code_words import split_words
from .conversation import as_text, type_of
from .plain_blocks import quoted
from .session_tools import base_name, join_events, source_file, text_at, time_at

if TYPE_CHECKING:
    from .conversation import Block, ChatMessage


def convert_message(group: dict[str, Any]) -> ChatMessage:
    """Return a message: `group` has its `id`, `parent` and `parts`, and what is known of it from elsewhere."""
    blocks: list[Block] = []
    if group["copied"]:
        number, session = group["copied"]
        title = f"{number} records as in session {session}"
        blocks.append({"kind": "event", "title": title, "text": "", "sources": ()})
    message: ChatMessage = {"id": group["id"], "role": "", "created": "", "parent": group["parent"]}
    message |= {"attachments": [], "files": []}
    for kind, payload in group["parts"]:
        message["created"] = message["created"] or time_at(payload)
        if kind == "message":
            _add_spoken(payload, blocks, message)
        elif kind == "result":
            answer(blocks, payload["result"], payload["more"])
        else:
            _add_note(payload, blocks, message)
    add_artifacts(blocks, frozenset(group["written"]))
    message["blocks"] = join_events(blocks)
    message["role"] = message["role"] or _role(message["blocks"])
    if group["agent"] and message["role"] == "human":
        message["name"] = "Main agent"
    return message


def _role(blocks: list[Block]) -> str:
    kinds = {block["kind"] for block in blocks}
    if kinds & {"text", "file"}:
        return "human"
    return "tool" if "tool" in kinds else "system"


def _add_spoken(record: dict[str, Any], blocks: list[Block], message: ChatMessage) -> None:
    if is_queued_prompt(record):
        blocks += queued(record)
        return
    assistant = record["type"] == "assistant"
    if assistant:
        message["role"] = "assistant"
        message |= {"model": model} if (model := model_of(record)) else {}
        message |= {"tokens": tokens} if (tokens := tokens_of(record)) else {}
    content = content_of(record)
    if record.get("isCompactSummary") is True:
        _compacted(content, blocks)
        return
    for item in content:
        found = _assistant_block(item, blocks) if assistant else _user_blocks(item, record)
        if record.get("isApiErrorMessage") is True:
            found = [_as_error(block) for block in found]
        for place, block in enumerate(found):
            block["sources"] = () if place else ("text" if item.__class__ is str else type_of(item),)
        blocks += found


def _as_error(block: Block) -> Block:
    """Return what the program says in the model's place when the API fails as what it is."""
    return {"kind": "event", "title": "Error", "text": block["text"]} if block["kind"] == "text" else block


def _compacted(content: list[Any], blocks: list[Block]) -> None:
    """Fold the summary that a compaction left into the mark of it."""
    texts = [item if item.__class__ is str else text_at(item, "text") or as_text(item) for item in content]
    kinds = ["text" if item.__class__ is str else type_of(item) for item in content]
    marked = next((block for block in blocks if block.get("title", "").startswith("Compacted")), None)
    if marked is None:
        marked = {"kind": "event", "title": "Compacted", "text": "", "sources": ()}
        blocks.append(marked)
    marked["text"] = "\n\n".join(filter(None, [marked["text"], *texts]))
    marked["sources"] = (*marked["sources"], *kinds)


def _user_blocks(item: Any, record: dict[str, Any]) -> list[Block]:
    text: Any = item if item.__class__ is str else item.get("text") if type_of(item) == "text" else None
    if text.__class__ is not str:
        return [_other(item)]
    blocks = split_words(text)
    if record.get("isMeta") is True or record.get("isVisibleInTranscriptOnly") is True:
        for block in blocks:
            if block["kind"] == "text":
                block |= {"kind": "injected", "source": "Claude Code"}
    return blocks


def _assistant_block(item: Any, blocks: list[Block]) -> list[Block]:
    kind = type_of(item)
    if item.__class__ is str or (kind == "text" and item.get("text").__class__ is str):
        return [{"kind": "text", "text": item if item.__class__ is str else item["text"], "citations": _citations(item)}]
    if kind == "thinking":
        return [{"kind": "thinking", "text": as_text(item.get("thinking")), "summaries": []}]
    if kind == "redacted_thinking":
        return [{"kind": "thinking", "text": "", "summaries": ["Redacted by the provider"]}]
    if kind.endswith("tool_use") and item.__class__ is dict:
        return [_call(item)]
    if kind.endswith("tool_result") and item.__class__ is dict:
        answer(blocks, item, None)
        return []
    return [_other(item)]


def _call(item: dict[str, Any]) -> Block:
    return {
        "kind": "tool",
        "name": as_text(item.get("name")),
        "id": None if item.get("id") is None else as_text(item["id"]),
        "input": item.get("input"),
        "result": None,
    }


def _citations(item: Any) -> list[dict[str, Any]]:
    given: Any = item.get("citations") if item.__class__ is dict else None
    found = [entry for entry in given if entry.__class__ is dict] if given.__class__ is list else []
    return [
        {"end": len(text_at(item, "text")), "url": text_at(entry, "url"), "title": as_text(entry.get("title")), **quoted(entry)}
        for entry in found
    ]


def _other(item: Any) -> Block:
    kind = type_of(item)
    file = source_file(item, kind) if kind in ("image", "document") else None
    return file or {"kind": "unknown", "type": kind, "data": item}


def _add_note(record: Any, blocks: list[Block], message: ChatMessage) -> None:
    file = mentioned_file(record)
    if file:
        message["attachments"].append({"name": base_name(file[0]), "type": "", "text": file[1]})
        return
    blocks.append(boundary(record) if is_boundary(record) else note(record))
