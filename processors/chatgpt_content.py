"""The content of ChatGPT's messages as blocks of the common model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .chatgpt_calls import given_to
from .chatgpt_citations import clean, has_marks
from .chatgpt_files import file_blocks
from .chatgpt_parts import PLAIN, REPORT, kind_of, parts_of, report_of, type_of, types_of
from .chatgpt_results import RESULTS, images_of, result_of, searched
from .conversation import as_dict, as_list, as_text
from .plain_blocks import unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from .chatgpt_files import Assets
    from .conversation import Block
    from .message_tree import Turn

_HIDDEN: Final = ("is_visually_hidden_from_conversation", "is_user_system_message")


def call_block(turn: Turn, name: str, given: Any, artifact: dict[str, Any] | None) -> Block:
    """Return the call of a tool, with the result in the message that answers it."""
    sources = tuple(types_of(turn.message))
    block = {"kind": "tool", "name": name, "input": given, "result": None, "sources": sources}
    if turn.answer is not None:
        block["result"] = result_of(turn.answer)._asdict()
        block["sources"] = (*sources, *types_of(turn.answer))
    if artifact:
        block["artifact"] = artifact
    return block


def result_blocks(turn: Turn, name: str, assets: Assets) -> list[Block]:
    """Return what a message of a tool holds; only the images it drew, where a call took its result."""
    message = turn.message
    drawn = [block for part in images_of(as_dict(message.get("metadata"))) for block in file_blocks(part, assets)]
    if turn.answers:
        return drawn
    content = message.get("content")
    kind = kind_of(content)
    if kind not in RESULTS:
        return [*_tool_parts(message, kind, name, assets), *drawn]
    block = {"kind": "tool", "name": name, "input": None, "result": result_of(message)._asdict(), "sources": (kind,)}
    return [block, *file_blocks(as_dict(content).get("screenshot"), assets), *drawn]


def _tool_parts(message: dict[str, Any], kind: str, name: str, assets: Assets) -> list[Block]:
    content = message.get("content")
    if kind and kind not in PLAIN:
        return other_blocks(content, kind)
    parts = parts_of(content)
    texts = [part for part in parts if part.__class__ is str]
    blocks = [block for part in parts if part.__class__ is not str for block in _part(part, assets)]
    result = result_of(message)._asdict()
    if not result["parts"]:
        return blocks
    return [{"kind": "tool", "name": name, "input": None, "result": result, "sources": ("text",) * len(texts)}, *blocks]


def content_blocks(message: dict[str, Any], role: str, assets: Assets) -> list[Block]:
    """Return what a message says."""
    content = message.get("content")
    kind = kind_of(content)
    if kind not in PLAIN:
        return other_blocks(content, kind)
    metadata = as_dict(message.get("metadata"))
    parts = parts_of(content)
    if any(metadata.get(key) is True for key in _HIDDEN):
        return [block for part in parts for block in _hidden(part, role, assets)]
    quoted = as_text(metadata.get("targeted_reply"))
    blocks: list[Block] = [{"kind": "event", "title": "In reply to", "text": quoted, "sources": ()}] if quoted else []
    for part in parts:
        if part.__class__ is str and role == "assistant":
            said = _cited(part, metadata)
            blocks += [*searched(metadata, {citation["url"] for citation in said["citations"]}), said]
            metadata = {}  # The places it tells are those in the first text.
        else:
            blocks += _part(part, assets)
    return blocks


def _cited(text: str, metadata: dict[str, Any]) -> Block:
    text, citations, _ = clean(text, metadata)
    return {"kind": "text", "text": text, "citations": citations, "sources": ("text",)}


def reports(message: dict[str, Any]) -> list[Block]:
    """Return the report of a research that a message holds beside its content."""
    text, metadata = report_of(message)
    return [{**_cited(text, metadata), "sources": (REPORT,)}] if text else []


def lost_marks(message: dict[str, Any]) -> int:
    """Return how many marks of sources a text of the assistant has that the archive does not tell the source of."""
    parts = parts_of(message.get("content")) if kind_of(message.get("content")) in PLAIN else []
    texts = [part for part in parts if part.__class__ is str]
    if not any(map(has_marks, texts)):
        return 0
    known = [as_dict(message.get("metadata")), *({} for _ in texts[1:])]
    return sum(clean(text, metadata).unmatched for text, metadata in zip(texts, known, strict=True))


def _hidden(part: Any, role: str, assets: Assets) -> list[Block]:
    if part.__class__ is not str:
        return _part(part, assets)
    return [{"kind": "injected", "text": part, "source": f"hidden {role} message", "sources": ("text",)}]


def _part(part: Any, assets: Assets) -> list[Block]:
    kind = type_of(part)
    if part.__class__ is str:
        return [_said(part, kind)]
    if part.__class__ is dict and part.get("text").__class__ is str and kind in ("audio_transcription", "text"):
        return [_said(part["text"], kind)]
    files = file_blocks(part, assets, (kind,))
    prompt = as_dict(as_dict(as_dict(part).get("metadata")).get("dalle")).get("prompt")
    if files and prompt.__class__ is str and prompt:
        files.append({"kind": "event", "title": "Image made from a prompt", "text": prompt, "sources": ()})
    return files or [unknown(kind, part)]


def _said(text: str, kind: str) -> Block:
    return {"kind": "text", "text": text, "citations": [], "sources": (kind,)}


def other_blocks(content: Any, kind: str) -> list[Block]:
    """Return the one block of a content that does not consist of parts; none where there is no content."""
    if not kind:
        return []
    make = _OTHERS.get(kind)
    return [make(content) if make and content.__class__ is dict else unknown(kind, content)]


def _thoughts(content: dict[str, Any]) -> Block:
    thoughts = [item if item.__class__ is dict else {"content": item} for item in as_list(content.get("thoughts"))]
    texts = [as_text(item.get("content")) or "\n\n".join(map(as_text, as_list(item.get("chunks")))) for item in thoughts]
    summaries = [" ".join(as_text(item.get("summary")).split()) for item in thoughts]
    if any(texts):  # Each thought stands below what it is called.
        told = [part for pair in zip(summaries, texts, strict=True) for part in (pair[0] and f"**{pair[0]}**", pair[1])]
        texts, summaries = told, []
    text = "\n\n".join(filter(None, texts))
    return {"kind": "thinking", "text": text, "summaries": list(filter(None, summaries)), "sources": ("thoughts",)}


def _recap(content: dict[str, Any]) -> Block:
    return {"kind": "event", "title": as_text(content.get("content")), "text": "", "sources": ("reasoning_recap",)}


def _context(content: dict[str, Any]) -> Block:
    texts = [as_text(value) for key, value in content.items() if key != "content_type" and value]
    kind = content["content_type"]
    return {"kind": "injected", "text": "\n\n".join(texts), "source": kind, "sources": (kind,)}


def _code(content: dict[str, Any]) -> Block:
    language = as_text(content.get("language"))
    return {"kind": "tool", "name": language or "code", "input": given_to(content), "result": None, "sources": ("code",)}


def _result(content: dict[str, Any]) -> Block:
    kind = content["content_type"]
    result = RESULTS[kind](content)._asdict()
    return {"kind": "tool", "name": kind, "input": None, "result": result, "sources": (kind,)}


_OTHERS: Final[dict[str, Callable[[dict[str, Any]], Block]]] = {
    "thoughts": _thoughts,
    "reasoning_recap": _recap,
    "user_editable_context": _context,
    "model_editable_context": _context,
    "code": _code,
    **dict.fromkeys(RESULTS, _result),
}
