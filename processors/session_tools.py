"""What the logs of all coding agents hold: files inside their JSON, results of tools, records that are no messages."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from .conversation import as_list, instant, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .conversation import Block

_DATA_URL: Final = re.compile(r"data:([\w.+/-]{0,80})((?:;[\w=-]{1,40}){0,4}),", re.ASCII)
_DEEP: Final = 12
"""Levels of JSON within which is looked for what it repeats."""
_EXTENSIONS: Final = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/jpg": ".jpg", "image/gif": ".gif", "image/webp": ".webp",
    "image/svg+xml": ".svg", "application/pdf": ".pdf", "text/plain": ".txt", "text/markdown": ".md",
}  # fmt: skip


def text_at(value: Any, key: str) -> str:
    """Return the text an object has under a key; empty if it has none, or is no object."""
    found: Any = value.get(key) if value.__class__ is dict else None
    return found if found.__class__ is str else ""


def dict_at(value: Any, key: str) -> dict[str, Any]:
    """Return the object an object has under a key; an empty one if it has none."""
    found: Any = value.get(key) if value.__class__ is dict else None
    return found if found.__class__ is dict else {}


def time_at(value: Any) -> str:
    """Return the `timestamp` of an object as ISO 8601 text, however it is written; empty if it has none."""
    return instant(value.get("timestamp")) if value.__class__ is dict else ""


def number_at(value: Any, key: str) -> int:
    """Return the whole number, not negative, that an object has under a key; 0 if there is none."""
    found: Any = value.get(key) if value.__class__ is dict else None
    return found if found.__class__ is int and found > 0 else 0


def base_name(path: str) -> str:
    """Return the last part of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def encoded_file(data: Any, media: str, kind: str, name: str = "") -> Block | None:
    """Return the file block of what stands in the log as base64; None if it is none."""
    if data.__class__ is not str or not data:
        return None
    try:
        content = base64.b64decode(data.encode("ascii"))
    except ValueError:
        return None
    name = name or f"{kind}-{hashlib.sha1(content, usedforsecurity=False).hexdigest()[:8]}{_EXTENSIONS.get(media, '.bin')}"
    return {"kind": "file", "name": name, "id": "", "type": media or kind, "content": content, "sources": ()}


def linked_file(url: str, kind: str) -> Block | None:
    """Return the file block of a URL: its content where the URL itself holds it."""
    found = _DATA_URL.match(url)
    if found and "base64" in found[2]:
        return encoded_file(url[found.end() :], found[1], kind)
    return {"kind": "file", "name": url, "id": "", "type": kind, "sources": ()} if url else None


def source_file(entry: Any, kind: str) -> Block | None:
    """Return the file block of an image or document of Anthropic's API; None if there is no file in it."""
    file = _source_file(entry, kind)
    return file and file | told_of(entry)


def told_of(entry: Any) -> dict[str, Any]:
    """Return as `description` what a document of Anthropic's API says of itself beside its text; nothing if it says nothing."""
    context = text_at(entry, "context")
    return {"description": context} if context.strip() else {}


def _source_file(entry: Any, kind: str) -> Block | None:
    source = dict_at(entry, "source")
    name = text_at(entry, "title") or text_at(entry, "name")
    media = text_at(source, "media_type")
    if text_at(source, "type") == "text":
        content = text_at(source, "data").encode("utf-8", "surrogatepass")
        return {"kind": "file", "name": name or f"{kind}.txt", "id": "", "type": media, "content": content, "sources": ()}
    if text_at(source, "url"):
        return linked_file(text_at(source, "url"), kind)
    if text_at(source, "file_id"):
        return {"kind": "file", "name": name, "id": text_at(source, "file_id"), "type": kind, "sources": ()}
    return encoded_file(source.get("data"), media, kind, name)


def result_parts(content: Any) -> tuple[list[Any], list[Block]]:
    """Return the parts of a tool's result, and as files the images in it."""
    parts: list[Any] = []
    files: list[Block] = []
    for item in as_list(content):
        kind = type_of(item)
        file = source_file(item, kind) if kind in ("image", "document") else None
        if file:
            files.append(file)
            parts.append({"text": f"[{kind}: {file['name']}]"})
        elif item.__class__ is str:
            parts.append({"text": item})
        else:
            text = item.get("text") if item.__class__ is dict else None
            parts.append({"text": text} if text.__class__ is str else found_page(item))
    return parts, files


def found_page(item: Any) -> Any:
    """Return the page that a search of Anthropic's API found as a part of its result, without its encrypted content."""
    if type_of(item) != "web_search_result":
        return item
    return {"title": text_at(item, "title"), "url": text_at(item, "url"), "text": text_at(item, "page_age")}


def add_result(call: Block, parts: list[Any], failed: bool, source: str) -> None:
    """Give a call its result, or one more."""
    result = call["result"] or {"parts": [], "failed": False}
    call["result"] = {"parts": result["parts"] + parts, "failed": result["failed"] or failed}
    call["sources"] = (*call["sources"], source)


def texts_in(value: Any) -> list[str]:
    """Return all texts in a JSON value."""
    found: list[str] = []
    rest = [value]
    while rest:
        item = rest.pop()
        if item.__class__ is str:
            found.append(item)
        elif item.__class__ in (dict, list):
            rest.extend(item.values() if item.__class__ is dict else item)
    return found


def what_it_adds(value: Any, said: str, depth: int = 0) -> Any:
    """Return what a JSON value holds beyond the text `said`; None if that is nothing."""
    if value.__class__ is str:
        return None if value.strip() in said else value
    if value.__class__ is list and depth < _DEEP:
        return [found for item in value if (found := what_it_adds(item, said, depth + 1)) is not None] or None
    if value.__class__ is not dict or depth >= _DEEP:
        return None if value is False else value
    pairs = ((key, what_it_adds(item, said, depth + 1)) for key, item in value.items())
    found = {key: item for key, item in pairs if item is not None}
    return found if found.keys() - {"type"} else None


def bare(record: dict[str, Any], envelope: frozenset[str]) -> str:
    """Return as text what a record says beside its envelope: as it is if it is one text, otherwise as JSON."""
    rest = {key: value for key, value in record.items() if key not in envelope and value not in (None, "", False)}
    texts = [value for value in rest.values() if value.__class__ is str]
    if len(rest) == len(texts) == 1:
        return str(texts[0])
    return json.dumps(rest, ensure_ascii=False) if rest else ""


def join_events(blocks: Iterable[Block]) -> list[Block]:
    """Join events of one title that follow each other: a log has them by the hundred."""
    joined: list[Block] = []
    runs: list[int] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if last and block["kind"] == last["kind"] == "event" and block["title"] == last["title"]:
            last["sources"] = (*last["sources"], *block["sources"])
            last["text"] += ("\n" if last["text"] and block["text"] else "") + block["text"]
            runs[-1] += 1
        else:
            joined.append(block)
            runs.append(1)
    for block, run in zip(joined, runs, strict=True):
        if run > 1:
            block["title"] += f" ({run} times)"
    return joined
