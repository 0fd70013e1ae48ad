"""Blocks of the common model, and how to come by what is in them: for formats that name the usual things in usual ways."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, Final

from .conversation import as_list, as_text
from .prose import fence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .conversation import Block

_QUOTES: Final = ("cited_text", "snippet", "quote")
_THOUGHT: Final = re.compile(r"\s*<(think|thinking|thought|reasoning)>(.*?)</\1>\s*", re.DOTALL)


def text(value: Any, source: str, citations: Iterable[dict[str, Any]] = ()) -> Block:
    """Return a block of text."""
    return {"kind": "text", "text": as_text(value), "citations": list(citations), "sources": (source,)}


def thinking(value: Any, source: str) -> Block:
    """Return a block of what the model thought."""
    return {"kind": "thinking", "text": words_of(value), "summaries": [], "sources": (source,)}


def thoughts_apart(blocks: list[Block]) -> list[Block]:
    """Return the blocks of an answer, with what the model thought in tags in front of it told apart: `<think>…</think>`."""
    return [part for block in blocks for part in (_apart(block) if block["kind"] == "text" else (block,))]


def _apart(block: Block) -> list[Block]:
    found = _THOUGHT.match(block["text"])
    if found is None:
        return [block]
    rest = block["text"][found.end() :]
    citations = [{**cited, "end": max(cited["end"] - found.end(), 0)} for cited in block["citations"]]
    thought = {"kind": "thinking", "text": found[2].strip("\n"), "summaries": [], "sources": block["sources"]}
    return [thought, {**block, "text": rest, "citations": citations, "sources": ()}] if rest or citations else [thought]


def words_of(value: Any) -> str:
    """Return a text that may be cut into parts, each an object with a `text`, as one."""
    parts = value if value.__class__ is list else ()
    texts: list[Any] = [part.get("text") if part.__class__ is dict else None for part in parts]
    return "\n\n".join(texts) if texts and all(text.__class__ is str for text in texts) else as_text(value)


def picture(address: Any, source: str, name: str = "") -> Block:
    """Return a block of a picture: one that stands in its address is unpacked, another is only named."""
    address = as_text(address)
    head, _, data = address.partition(",")
    if not head.startswith("data:"):
        return {"kind": "file", "name": name or address, "id": address, "type": source, "sources": (source,)}
    content = unpacked(data) if head.endswith(";base64") else b""
    media = head[5:].partition(";")[0]
    named = name or media.partition("/")[0]
    block = {"kind": "file", "name": named, "id": "", "type": media, "sources": (source,), "content": content}
    return block if content else unknown(source, address)


def call(name: Any, given: Any, source: str, identifier: Any = None) -> Block:
    """Return a block of a tool call that has no result yet."""
    identifier = None if identifier is None else as_text(identifier)  # Some programs number their calls.
    return {"kind": "tool", "name": as_text(name), "id": identifier, "input": given, "result": None, "sources": (source,)}


def result(name: Any, parts: list[Any], source: str) -> Block:
    """Return a block of a tool's result that stands alone."""
    return call(name, None, source) | {"result": {"parts": parts, "failed": False}}


def parts_of(value: Any) -> list[Any]:
    """Return the parts of a result: texts as texts, whatever else as it is."""
    return [_part(part) for part in as_list(value)]


def _part(part: Any) -> Any:
    if part.__class__ is str:
        return {"text": part}
    if part.__class__ is dict and part.get("text").__class__ is str:
        link = link_of(part)
        if link["url"] or filled(part.get("filename")):
            return {"title": link["title"], "url": link["url"], "text": part["text"]}
        return {"text": part["text"]}
    return part


def unknown(kind: str, data: Any) -> Block:
    """Return a block of a type we do not know."""
    return {"kind": "unknown", "type": kind, "data": data, "sources": (kind,)}


def asides(item: dict[str, Any], titles: Mapping[str, str]) -> list[Block]:
    """Return as events what stands beside the words of a message, under the keys of `titles`."""
    return [
        {"kind": "event", "title": titles[key], "text": _shown(item[key]), "sources": (key,)} for key in asides_of(item, titles)
    ]


def asides_of(item: dict[str, Any], titles: Mapping[str, str]) -> list[str]:
    """Return those of the keys that there is anything under."""
    return [key for key in titles if filled(item.get(key))]


def _shown(value: Any) -> str:
    if value.__class__ is list and all(item.__class__ is str for item in value):
        return "\n".join(f"- {item}" for item in value)
    return value if value.__class__ is str else fence(json.dumps(value, ensure_ascii=False, indent=2), "json")


def link_of(value: Any) -> dict[str, Any]:
    """Return the `title` and `url` of a page that a source names in one of the usual ways."""
    if value.__class__ is not dict:
        found = as_text(value)
        return {"title": "" if "://" in found else found, "url": found if "://" in found else ""}
    title = first(value, "title", "name", "displayName", "filename")
    return {"title": as_text(title), "url": as_text(first(value, "url", "uri", "link", "href"))}


def cite(sources: Any, end: int) -> list[dict[str, Any]]:
    """Return sources as citations at the end of a text of that length; what names no page is left out."""
    links = ((link_of(source), source) for source in as_list(sources))
    return [{"end": end, **link, **quoted(source)} for link, source in links if link["url"] or link["title"]]


def quoted(source: Any) -> dict[str, Any]:
    """Return as `quote` the passage that a source gives of its page; nothing if it gives none."""
    found: Any = first(source, *_QUOTES) if source.__class__ is dict else None
    return {"quote": found} if found.__class__ is str else {}


def first(value: dict[str, Any], *keys: str) -> Any:
    """Return what an object has under the first of these keys that it has anything under; None if under none."""
    return next((value[key] for key in keys if filled(value.get(key))), None)


def filled(value: Any) -> bool:
    """Whether there is anything in a value: numbers and truth values are something, even 0."""
    return value not in (None, "", [], {})


def parsed(value: Any) -> Any:
    """Return what a text that is JSON says, and anything else as it is."""
    if value.__class__ is not str or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def unpacked(data: Any) -> bytes:
    """Return what base64 text stands for; nothing if it is none."""
    if data.__class__ is not str:
        return b""
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return b""
