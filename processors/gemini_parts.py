"""The parts of messages as Gemini's API and its command line have them, and as Vercel's AI SDK does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .conversation import as_text
from .session_tools import dict_at, encoded_file, linked_file, text_at

if TYPE_CHECKING:
    from .conversation import Block

_KINDS: Final = ("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult")
_OF_SDK: Final = re.compile(r"reasoning\Z|tool-|dynamic-tool\Z")
"""Types of parts that are Vercel's and hold what has a kind of its own."""
_WELL: Final = (None, "OUTCOME_OK", "OUTCOME_UNSPECIFIED")
_CAMEL: Final = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(): name for name in (*_KINDS, "mimeType", "fileUri")}


def in_camel_case(part: Any) -> Any:
    """Return a part with its keys as the API has them: some libraries write `inline_data` and `mime_type`."""
    if part.__class__ is not dict:
        return part
    return {_CAMEL.get(key, key): in_camel_case(value) if key in _CAMEL else value for key, value in part.items()}


def kind_of_part(part: Any) -> str:
    """Return the key that says what a part is."""
    if part.__class__ is str:
        return "text"
    kind: Any = part.get("type") if part.__class__ is dict else None
    if kind.__class__ is str and _OF_SDK.match(kind):
        return str(kind)
    found = (key for key in _KINDS if part.__class__ is dict and key in part)
    return next(found, "untyped")


def block_of_part(part: Any, kind: str) -> Block:
    """Return the block, without sources, that a part of this kind is."""
    text: Any = part["text"] if kind == "text" and part.__class__ is dict else part
    if kind == "text" and text.__class__ is str:
        thought = part.__class__ is dict and part.get("thought") is True
        return (
            {"kind": "thinking", "text": text, "summaries": []} if thought else {"kind": "text", "text": text, "citations": ()}
        )
    if kind == "functionCall" and part[kind].__class__ is dict and not {"name", "args"}.isdisjoint(part[kind]):
        given = part[kind]
        return {"kind": "tool", "name": as_text(given.get("name")), "input": given.get("args"), "result": None}
    if kind == "functionResponse" and part[kind].__class__ is dict and not {"name", "response"}.isdisjoint(part[kind]):
        result = {"parts": [result_part(part)], "failed": "error" in dict_at(part[kind], "response")}
        return {"kind": "tool", "name": as_text(part[kind].get("name")), "input": None, "result": result}
    if kind == "executableCode":
        return {"kind": "tool", "name": "code execution", "input": part[kind], "result": None}
    if kind == "codeExecutionResult" and part[kind].__class__ is dict:
        result = {"parts": [{"text": as_text(part[kind].get("output"))}], "failed": part[kind].get("outcome") not in _WELL}
        return {"kind": "tool", "name": "code execution", "input": None, "result": result}
    return _of_sdk(part, kind) or file_of_part(part, kind) or {"kind": "unknown", "type": kind, "data": part}


def _of_sdk(part: dict[str, Any], kind: str) -> Block | None:
    """Return the thought or the call in a part that Vercel's AI SDK wrote; None if there is none."""
    if kind == "reasoning":
        return {"kind": "thinking", "text": text_at(part, "text"), "summaries": []}
    if not _OF_SDK.match(kind):
        return None
    given = [part[key] for key in ("output", "errorText") if key in part]
    parts = [{"text": item} if item.__class__ is str else item for item in given]
    name = text_at(part, "toolName") or kind.removeprefix("tool-")
    result = {"parts": parts, "failed": "errorText" in part} if given else None
    return {"kind": "tool", "name": name, "input": part.get("input"), "result": result}


def file_of_part(part: Any, kind: str) -> Block | None:
    """Return the file in a part; None if there is none."""
    data = dict_at(part, kind)
    media = text_at(data, "mimeType")
    if kind == "inlineData":
        return encoded_file(
            data.get("data"), media, "image" if media.startswith("image/") else "file", text_at(data, "displayName")
        )
    return linked_file(text_at(data, "fileUri"), media or "file") if kind == "fileData" else None


def result_part(item: Any) -> Any:
    """Return a part of a result: the output alone where there is nothing else."""
    if item.__class__ is str:
        return {"text": item}
    response = dict_at(dict_at(item, "functionResponse"), "response")
    for key in ("output", "error"):
        if set(response) == {key} and response[key].__class__ is str:
            return {"text": response[key]}
    text = item.get("text") if item.__class__ is dict else None
    return {"text": text} if text.__class__ is str else item
