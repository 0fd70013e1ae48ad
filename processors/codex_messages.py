"""The items of a Codex CLI session, in the common model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .codex_events import note, without_repeats
from .codex_records import label, opened, parsed, repeated_text, spoken
from .conversation import as_list, as_text, type_of
from .session_tools import (
    add_result,
    dict_at,
    encoded_file,
    join_events,
    linked_file,
    number_at,
    text_at,
    time_at,
)

if TYPE_CHECKING:
    from .conversation import Block, ChatMessage

_INJECTED: Final = re.compile(
    r"\s*(?:<(environment_context|user_instructions|permissions instructions|collaboration_mode|skill|INSTRUCTIONS|"
    r"subagent_notification|apps_instructions|model_switch|personality_spec|goal_context|hook_prompt)"
    r"(?:\s[^<>]{0,300})?>|# (AGENTS\.md) instructions)"
)
_EVENTS: Final = re.compile(r"\s*<(turn_aborted|user_shell_command|user_action)>(.*?)(?:</\1>)?\s*", re.DOTALL)
_REQUEST: Final = re.compile(r"^## My request for Codex:[ \t]*\n?", re.MULTILINE)
_FAILED: Final = re.compile(r"(?:Exit code:|Process exited with code|Chunk ID: \w+\n.*\n?Process exited with code) ?[1-9]")
_TITLES: Final = {"turn_aborted": "Interrupted by the user", "user_shell_command": "Shell command", "user_action": "Action"}
_TOKENS: Final = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cached_input_tokens",
    "reasoning": "reasoning_output_tokens",
}


def tokens_at(record: Any, key: str) -> dict[str, int]:
    """Return the tokens that a `token_count` event tells of, of the last answer or of all; empty if it tells of none."""
    usage = dict_at(dict_at(opened(record)[1], "info"), key)
    found = {name: number_at(usage, word) for name, word in _TOKENS.items()}
    return found if any(found.values()) else {}


def convert_message(group: dict[str, Any]) -> ChatMessage:
    """Return a message: `group` has its `id`, the `model` that was set and its `parts`."""
    blocks: list[Block] = []
    message: ChatMessage = {"id": group["id"], "role": "", "created": "", "attachments": [], "files": []}
    for kind, record in group["parts"]:
        message["created"] = message["created"] or time_at(record)
        if kind == "tokens":
            tokens = tokens_at(record, "last_token_usage")
            spent = message.get("tokens", {})
            message["tokens"] = {name: spent.get(name, 0) + number for name, number in tokens.items()} or spent
        else:
            _add(record, blocks, message)
    message["blocks"] = join_events(without_repeats(blocks))
    message["role"] = message["role"] or _role(blocks)
    if message["role"] == "assistant" and group["model"]:
        message["model"] = group["model"]
    return message


def _role(blocks: list[Block]) -> str:
    kinds = {block["kind"] for block in blocks}
    return "human" if kinds & {"text", "file"} else "tool" if "tool" in kinds else "system"


def _add(record: Any, blocks: list[Block], message: ChatMessage) -> None:
    kind, payload = opened(record)
    if kind == "response_item":
        _add_item(payload, blocks, message)
    elif repeated_text(record) is not None:
        blocks += _from_event(record, payload, message)
    else:
        blocks.append(note(record, kind, payload))


def _add_item(payload: dict[str, Any], blocks: list[Block], message: ChatMessage) -> None:
    inner = type_of(payload)
    if inner == "message":
        role = text_at(payload, "role")
        message["role"] = message["role"] or (role if role not in ("user", "developer") else "")
        for item in spoken(payload):
            found = _content(item, role)
            for place, block in enumerate(found):
                block["sources"] = () if place else ("text" if item.__class__ is str else type_of(item),)
            blocks += found
    elif inner.endswith("_output"):
        _answer(payload, blocks)
    else:
        message["role"] = "assistant"
        blocks.append({**_item(payload, inner), "sources": (inner,)})
        drawn = encoded_file(payload.get("result"), "image/png", "image") if inner == "image_generation_call" else None
        blocks += [drawn] if drawn else []


def _item(payload: dict[str, Any], inner: str) -> Block:
    if inner == "reasoning":
        summaries = [
            as_text(item if item.__class__ is str else text_at(item, "text")) for item in as_list(payload.get("summary"))
        ]
        texts = [item if item.__class__ is str else text_at(item, "text") for item in as_list(payload.get("content"))]
        hidden = not any(summaries) and not any(texts)
        return {
            "kind": "thinking",
            "text": "\n\n".join(filter(None, texts)) or "\n\n".join(filter(None, summaries)),
            "summaries": ["Encrypted by the provider"] if hidden else [text for text in summaries if text and any(texts)],
        }
    if inner.endswith("_call"):
        return _call(payload, inner)
    return {"kind": "unknown", "type": inner, "data": payload}


def _call(payload: dict[str, Any], inner: str) -> Block:
    given = payload["input"] if "input" in payload else payload.get("arguments", payload.get("action"))
    prompt = text_at(payload, "revised_prompt")
    given = {"revised_prompt": prompt} if given is None and prompt else parsed(given)
    return {
        "kind": "tool",
        "name": text_at(payload, "name") or inner.removesuffix("_call"),
        "id": text_at(payload, "call_id") or text_at(payload, "id"),
        "input": {"input": given} if given.__class__ is str else given,
        "result": None,
    }


def _answer(payload: dict[str, Any], blocks: list[Block]) -> None:
    identifier = text_at(payload, "call_id")
    calls = [block for block in blocks if block["kind"] == "tool" and identifier and block["id"] == identifier]
    if not calls:
        calls = [{"kind": "tool", "name": "", "id": None, "input": None, "result": None, "sources": ()}]
        blocks += calls
    parts, failed, files = _result(payload.get("output", payload.get("tools")))
    add_result(calls[0], parts, failed, type_of(payload))
    blocks += files


def _result(output: Any) -> tuple[list[Any], bool, list[Block]]:
    """Return the parts of an output, whether it tells of a failure, and the images in it."""
    output = parsed(output)
    failed = False
    if output.__class__ is dict:
        facts = dict_at(output, "metadata")
        failed = output.get("success") is False or number_at(facts, "exit_code") > 0
        output = output.get("output", output.get("content", output))
    parts: list[Any] = []
    files: list[Block] = []
    for item in as_list(output):
        file = linked_file(text_at(item, "image_url"), "image") if type_of(item) == "input_image" else None
        if file:
            files.append(file)
            parts.append({"text": f"[image: {file['name']}]"})
        else:
            text: Any = item if item.__class__ is str else item.get("text") if item.__class__ is dict else None
            parts.append({"text": text} if text.__class__ is str else item)
            failed = failed or (text.__class__ is str and bool(_FAILED.match(text)))
    return parts, failed, files


def _content(item: Any, role: str) -> list[Block]:
    kind = type_of(item)
    text: Any = item if item.__class__ is str else item.get("text") if item.__class__ is dict else None
    if text.__class__ is str:
        if role == "user":
            return user_words(text)
        if role in ("developer", "system"):
            return [{"kind": "injected", "text": text, "source": role}]
        return [{"kind": "text", "text": text, "citations": ()}]
    file = linked_file(text_at(item, "image_url"), "image") if kind == "input_image" else None
    return [file or {"kind": "unknown", "type": kind, "data": item}]


def user_words(text: str) -> list[Block]:
    """Return the blocks of a text in the user's place: what Codex added is told from their words."""
    injected = _INJECTED.match(text)
    if injected:
        return [{"kind": "injected", "text": text, "source": injected[1] or injected[2]}]
    event = _EVENTS.fullmatch(text)
    if event:
        return [{"kind": "event", "title": _TITLES[event[1]], "text": event[2].strip()}]
    request = _REQUEST.search(text) if text.startswith("# Context from my IDE setup:") else None
    if request:
        return [
            {"kind": "injected", "text": text[: request.start()], "source": "editor"},
            {"kind": "text", "text": text[request.end() :], "citations": ()},
        ]
    return [{"kind": "text", "text": text, "citations": ()}]


def _from_event(record: Any, payload: dict[str, Any], message: ChatMessage) -> list[Block]:
    """Return what an event says that no item does."""
    inner, text = payload["type"], repeated_text(record) or ""
    if inner == "user_message":
        blocks = user_words(text)
        urls = [url for url in as_list(payload.get("images")) if url.__class__ is str]
        blocks += [file for url in urls if (file := linked_file(url, "image"))]
    else:
        message["role"] = "assistant"
        thought = inner != "agent_message"
        blocks = [
            {"kind": "thinking", "text": text, "summaries": []} if thought else {"kind": "text", "text": text, "citations": ()}
        ]
    for place, block in enumerate(blocks):
        block["sources"] = () if place else (label(record),)
    return blocks
