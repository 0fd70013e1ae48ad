"""The content blocks of Claude's messages, in the common model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .ant_tags import has_tags, split_tags
from .conversation import as_dict, as_list, as_text, type_of
from .plain_blocks import first, quoted, unpacked
from .session_tools import found_page, result_parts, told_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conversation import Block

_HELD: Final = ("image", "document")
_FILE_TOOLS: Final = {"create_file": "create", "str_replace": "update"}


def convert_blocks(content: list[Any], from_assistant: bool) -> list[Block]:
    """Return the blocks of one message. A result goes to the call it names, or else to the first that still waits for one."""
    blocks: list[Block] = []
    waiting: list[Block] = []
    for entry in content:
        given: Any = entry.get("type") if entry.__class__ is dict else ""
        kind = given if given.__class__ is str else ""
        if kind == "text":
            blocks.extend(_text(entry, from_assistant))
        elif kind.endswith("tool_use"):
            call = _call(entry, kind)
            blocks.append(call)
            waiting.append(call)
        elif kind.endswith("tool_result"):
            _answer(entry, kind, blocks, waiting)
        else:
            blocks.append(_OTHERS.get(kind, _unknown)(entry))
    return blocks


def _text(entry: dict[str, Any], from_assistant: bool) -> list[Block]:
    text = as_text(entry.get("text"))
    if from_assistant and has_tags(text):
        parts = list(split_tags(text))
        parts[0]["sources"] = ("text",)
        return parts
    given = entry.get("citations")
    citations = [_citation(item, len(text)) for item in as_list(given)] if given else []
    return [{"kind": "text", "text": text, "citations": citations, "sources": ("text",)}]


def _citation(item: Any, ends: int = 0) -> dict[str, Any]:
    if item.__class__ is not dict:
        return {"end": ends, "url": "", "title": as_text(item)}
    details = item.get("details")
    told = {**item, **{key: value for key, value in details.items() if value}} if details.__class__ is dict else item
    end = item.get("end_index")
    title = as_text(first(told, "title", "document_title"))
    return {"end": end if end.__class__ is int else ends, "url": as_text(told.get("url")), "title": title, **quoted(told)}


def _call(entry: dict[str, Any], kind: str) -> Block:
    name = as_text(entry.get("name"))
    given: Any = entry.get("input")
    call = {
        "kind": "tool",
        "name": name,
        "id": as_text(entry.get("id")) or None,
        "input": given,
        "result": None,
        "sources": (kind,),
    }
    told = entry.get("message")
    if told and told != name and told.__class__ is str and not (given.__class__ is dict and told in given.values()):
        call["description"] = told
    artifact = _artifact(name, given) if given.__class__ is dict else None
    if artifact:
        call["artifact"] = artifact
    return call


def _artifact(name: str, given: dict[str, Any]) -> dict[str, Any] | None:
    if name == "artifacts":
        return _chat_artifact(given)
    path = given.get("path")
    if name not in _FILE_TOOLS or path.__class__ is not str:
        return None
    return {
        "command": _FILE_TOOLS[name],
        "key": path,
        "path": path,
        "title": str(path).rsplit("/", 1)[-1],
        "type": "",
        "language": "",
        "content": as_text(given.get("file_text")),
        "old": as_text(given.get("old_str")),
        "new": as_text(given.get("new_str")),
    }


def _chat_artifact(given: dict[str, Any]) -> dict[str, Any]:
    content = given.get("content")
    command = as_text(given.get("command")) or ("create" if content is not None else "view")
    return {
        "command": command if command in ("create", "rewrite", "update") else "view",
        "key": as_text(given.get("id")),
        "title": as_text(given.get("title")),
        "type": as_text(given.get("type")),
        "language": as_text(given.get("language")),
        "content": as_text(content),
        "old": as_text(given.get("old_str")),
        "new": as_text(given.get("new_str")),
    } | ({"citations": [_citation(item) for item in as_list(given["md_citations"])]} if given.get("md_citations") else {})


def _answer(entry: dict[str, Any], kind: str, blocks: list[Block], waiting: list[Block]) -> None:
    call = _asked(entry, waiting)
    parts: list[Any] = []
    files: list[Block] = []
    for part in as_list(entry.get("content") or entry.get("structured_content") or None):
        told, found = result_parts([part]) if type_of(part) in _HELD else ([_part(part)], [])
        parts += told
        files += found
    result = {"parts": parts, "failed": entry.get("is_error") is True}
    if call is None:
        name = as_text(entry.get("name"))
        blocks.append({"kind": "tool", "name": name, "input": None, "result": result, "sources": (kind,)})
    else:
        waiting.remove(call)
        call["result"] = result
        call["sources"] += (kind,)
    blocks += files


def _asked(entry: dict[str, Any], waiting: list[Block]) -> Block | None:
    """Return the call that a result answers."""
    identifier, name = as_text(entry.get("tool_use_id")), entry.get("name")
    for call in waiting:
        if call["id"] == identifier if identifier else call["name"] == name:
            return call
    return waiting[0] if waiting and not identifier else None


def _part(part: Any) -> Any:
    if part.__class__ is str:
        return {"text": part}
    if part.__class__ is dict and part.get("text").__class__ is str:
        if part.get("url") or part.get("title"):
            return {"title": as_text(part.get("title")), "url": as_text(part.get("url")), "text": part["text"]}
        return {"text": part["text"]}
    return found_page(part)


def _thinking(entry: dict[str, Any]) -> Block:
    given = as_list(entry.get("summaries") or None)
    summaries = [as_text(item.get("summary") if item.__class__ is dict else item) for item in given]
    return {"kind": "thinking", "text": as_text(entry.get("thinking")), "summaries": summaries, "sources": ("thinking",)}


def _injected(entry: dict[str, Any]) -> Block:
    source = as_text(entry.get("injection_source"))
    return {"kind": "injected", "text": as_text(entry.get("prompt")), "source": source, "sources": ("injected_prompt_block",)}


def _voice(entry: dict[str, Any]) -> Block:
    said = [as_text(entry[key]) for key in ("title", "text", "transcript") if entry.get(key)]
    if not said:
        return _unknown(entry)
    return {"kind": "text", "text": "\n\n".join(dict.fromkeys(said)), "citations": [], "sources": ("voice_note",)}


def _budget(entry: dict[str, Any]) -> Block:
    text = f"{as_text(entry.get('remaining'))} remaining" if "remaining" in entry else ""
    return {"kind": "event", "title": "Token budget", "text": text, "sources": ("token_budget",)}


def _file(entry: dict[str, Any]) -> Block:
    """Return a file that is only named, or one that stands in the archive."""
    kind, source = as_text(entry.get("type")), as_dict(entry.get("source"))
    data, address = source.get("data"), as_text(first(source, "file_id", "url"))
    content = unpacked(data) if source.get("type") == "base64" else as_text(data).encode(errors="replace")
    if bool(data) != bool(content):
        return _unknown(entry)
    media = as_text(source.get("media_type")) or kind
    name = as_text(entry.get("title") or entry.get("file_name")) or address or (media.partition("/")[0] if content else "")
    file = {"kind": "file", "name": name, "id": as_text(entry.get("file_uuid")) or address, "type": media, "sources": (kind,)}
    return file | ({"content": content} if content else {}) | told_of(entry)


def _unknown(entry: Any) -> Block:
    if entry.__class__ is str:
        return {"kind": "text", "text": entry, "citations": [], "sources": ("untyped",)}
    kind = type_of(entry)
    return {"kind": "unknown", "type": kind, "data": entry, "sources": (kind,)}


_OTHERS: Final[dict[Any, Callable[[Any], Block]]] = {
    "thinking": _thinking,
    "injected_prompt_block": _injected,
    "voice_note": _voice,
    "token_budget": _budget,
    "image": _file,
    "document": _file,
}
