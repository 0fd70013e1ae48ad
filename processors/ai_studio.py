"""Google AI Studio's prompts, turned into the common model: chunks, of which those of one speaker make a message."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from transmissions import RunError

from .conversation import as_dict, as_list, as_text, instant
from .plain_blocks import call, cite, filled, first, result, text, thinking, unknown, unpacked
from .plain_turns import boxed, chat, identity, message, no_message, role_of, sections_of, tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Block, ChatMessage, Conversation
    from .shape import About

_EXTENSION: Final = re.compile(r"(?:\.json|\.txt)?$", re.IGNORECASE)
_INLINE: Final = frozenset(["inlineData", "inlineFile", "inlineImage", "inlineAudio", "inlineVideo"])
_DRIVE: Final = frozenset(["driveDocument", "driveImage", "driveVideo", "driveAudio", "driveFile", "youtubeVideo", "fileData"])
_FIELDS: Final = ("role", "text", "parts", "executableCode", "codeExecutionResult", "errorMessage", *_INLINE, *_DRIVE)
_KNOWN: Final = frozenset(["branchParent", "branchChildren", "safetyRatings", "parts", "text", "createTime"])
"""What a chunk has that is no content, or is looked at by itself."""


class AIStudioPrompts:
    """Turns a prompt file of AI Studio into a conversation. It has no id and no title: its file is called as it is."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation that a prompt file holds."""
        prompt: Any = element.get("chunkedPrompt") if element.__class__ is dict else None
        if prompt.__class__ is not dict:
            raise RunError("not a prompt of AI Studio: it has no 'chunkedPrompt'")
        chunks = [boxed(chunk, _FIELDS) for chunk in as_list(prompt.get("chunks"))]
        told = _system_text(element.get("systemInstruction"))
        settings: Any = element.get("runSettings")
        runs = _runs(chunks)
        model = as_text(settings.get("model")).removeprefix("models/") if settings.__class__ is dict else ""
        name = _EXTENSION.sub("", about.file.rpartition("/")[2])
        messages = [message("system", [text(told, "systemInstruction")])] if told else []
        messages += [_message(run, model) for run in runs]
        times = [said["created"] for said in messages if said["created"]]
        counts = tally(
            len(runs) + bool(told), ["systemInstruction"] * bool(told) + [kind for run in runs for kind in _kinds(run)]
        )
        return chat(
            "ai-studio",
            identity(name, told, chunks[:2]),
            messages,
            counts,
            title=name,
            created=min(times, default=""),
            updated=max(times, default=""),
            model=model,
            **_tokens(chunks),
            **_links(chunks),
            **_drafts(prompt.get("pendingInputs")),
        )


def _system_text(instruction: Any) -> str:
    if instruction.__class__ is not dict:
        return as_text(instruction)
    parts = [part.get("text") for part in as_list(instruction.get("parts")) if part.__class__ is dict]
    return as_text(instruction.get("text")) or "\n\n".join(as_text(part) for part in parts)


def _runs(chunks: list[Any]) -> list[list[Any]]:
    """Return the chunks, those of one speaker together, up to where the model says that it has finished."""
    runs = [chunks[:1]] if chunks else []
    for before, chunk in pairwise(chunks):
        if _speaker(chunk) is None or _speaker(chunk) != _speaker(before) or before.get("finishReason"):
            runs.append([])
        runs[-1].append(chunk)
    return runs


def _speaker(chunk: Any) -> str | None:
    return as_text(chunk.get("role")) if chunk.__class__ is dict else None


def _message(run: list[Any], model: str) -> ChatMessage:
    opening = run[0]
    if opening.__class__ is not dict:
        return no_message(opening)
    role = role_of(opening.get("role"))
    blocks: list[Block] = []
    for chunk in run:
        for kind, value in _contents(chunk):
            _add(blocks, kind, value)
    more: dict[str, Any] = {"model": model} if model and role == "assistant" else {}
    moments = [moment for chunk in run if (moment := instant(chunk.get("createTime")))]
    return message(role, blocks, created=min(moments, default=""), **more)


def _kinds(run: list[Any]) -> list[str]:
    return [kind for chunk in run for kind, _ in _contents(chunk)] if run[0].__class__ is dict else ["message"]


def _contents(chunk: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a chunk holds, by type. Its `parts` say the same as its `text` again, and sometimes more."""
    words = chunk.get("text")
    if filled(words):
        yield "thought" if chunk.get("isThought") is True else "text", words
    has_data = not _INLINE.isdisjoint(chunk)
    for part in as_list(chunk.get("parts")):
        yield from _part(part, filled(words), has_data)
    for key, value in chunk.items():
        if key not in _KNOWN and (value.__class__ is dict or key == "errorMessage"):
            yield key, value


def _part(part: Any, has_text: bool, has_data: bool) -> Iterator[tuple[str, Any]]:
    if part.__class__ is not dict:
        yield "part", part
        return
    words = part.get("text")
    if filled(words) and not has_text:
        yield "thought" if part.get("thought") is True else "text", words
    for key, value in part.items():
        if value.__class__ is dict and not (has_data and key in _INLINE):
            yield key, value


def _add(blocks: list[Block], kind: str, value: Any) -> None:
    """Add one content as a block, or to the block before where it belongs to that."""
    before = blocks[-1] if blocks else None
    if kind == "codeExecutionResult" and before and before["sources"] == ("executableCode",):
        before["result"] = _execution(value)
        before["sources"] = ("executableCode", kind)
    elif kind == "grounding" and before and before["kind"] == "text":
        sources = first(value, "groundingSources", "corroborationSegments")
        before["citations"] += cite(sources, len(before["text"]))
        before["sources"] += (kind,)
        searched = as_dict(value).get("webSearchQueries")
        if filled(searched):
            blocks.append(call("web search", {"queries": searched}, kind) | {"sources": ()})
    else:
        blocks.append(_block(kind, value))


def _block(kind: str, value: Any) -> Block:
    if kind in ("text", "thought"):
        return text(value, kind) if kind == "text" else thinking(value, kind)
    if kind == "errorMessage":
        return {"kind": "event", "title": "Error", "text": as_text(value), "sources": (kind,)}
    if value.__class__ is not dict:
        return unknown(kind, value)
    if kind == "executableCode":
        return call("code execution", value, kind)
    if kind == "codeExecutionResult":
        return result("code execution", [], kind) | {"result": _execution(value)}
    if kind in _INLINE:
        return _inline(kind, value)
    if kind in _DRIVE:
        identifier = as_text(first(value, "id", "fileUri"))
        return {"kind": "file", "name": as_text(value.get("name")), "id": identifier, "type": kind, "sources": (kind,)}
    return unknown(kind, value)


def _execution(value: Any) -> dict[str, Any]:
    found = value if value.__class__ is dict else {"output": value}
    outcome = as_text(found.get("outcome"))
    return {"parts": [{"text": as_text(found.get("output"))}], "failed": outcome not in ("", "OUTCOME_OK")}


def _inline(kind: str, value: dict[str, Any]) -> Block:
    """Return data that stands in the text itself, unpacked."""
    data, media = value.get("data"), as_text(first(value, "mimeType", "mime_type"))
    block = {
        "kind": "file",
        "name": as_text(value.get("displayName")) or media.partition("/")[0],
        "id": "",
        "type": media,
        "sources": (kind,),
    }
    content = unpacked(data)
    return block | {"content": content} if content else unknown(kind, value)


def _tokens(chunks: list[Any]) -> dict[str, Any]:
    figures = {"input": 0, "output": 0}
    for chunk in chunks:
        number: Any = chunk.get("tokenCount") if chunk.__class__ is dict else None
        if number.__class__ is int:
            figures["input" if chunk.get("role") == "user" else "output"] += number
    return {"tokens": figures} if any(figures.values()) else {}


def _drafts(pending: Any) -> dict[str, Any]:
    """Return as a section what was typed and never sent."""
    words = [as_text(draft.get("text")) for draft in as_list(pending) if draft.__class__ is dict]
    return sections_of({"Not sent": "\n\n".join(filter(str.strip, words))})


def _links(chunks: list[Any]) -> dict[str, Any]:
    parents = [
        chunk["branchParent"] for chunk in chunks if chunk.__class__ is dict and chunk.get("branchParent").__class__ is dict
    ]
    children = [child for chunk in chunks if chunk.__class__ is dict for child in as_list(chunk.get("branchChildren"))]
    others = [("continues", parent) for parent in parents[:1]]
    others += [("continued in", child) for child in children if child.__class__ is dict]
    links = [
        {"relation": relation, "id": as_text(other.get("promptId")), "title": as_text(other.get("displayName"))}
        for relation, other in others
    ]
    return {"links": links} if links else {}
