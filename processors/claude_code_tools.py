"""Claude Code's tool calls: their results, and the files they write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .claude_code_records import original_file
from .conversation import as_list, as_text, type_of
from .session_tools import add_result, base_name, number_at, result_parts, text_at, texts_in, what_it_adds

if TYPE_CHECKING:
    from .conversation import Block


def answer(blocks: list[Block], item: dict[str, Any], more: Any) -> None:
    """Give a result to its call among the blocks of its message; without one it becomes a call of its own."""
    identifier = as_text(item.get("tool_use_id"))
    calls = [block for block in blocks if block["kind"] == "tool" and identifier and block["id"] == identifier]
    call = calls[0] if calls else _unasked(item, blocks)
    parts, files = result_parts(item.get("content"))
    failed = item.get("is_error") is True
    call["more"] = more
    add_result(call, parts + _more(call, more, parts, bool(files)), failed, type_of(item))
    blocks.extend(files)


def _unasked(item: dict[str, Any], blocks: list[Block]) -> Block:
    call = {"kind": "tool", "name": text_at(item, "name"), "id": None, "input": None, "result": None, "sources": ()}
    blocks.append(call)
    return call


def _more(call: Block, more: Any, parts: list[Any], has_files: bool) -> list[Any]:
    """Return what the structured form of a result says beyond its text."""
    if more.__class__ is str:
        more = more.removeprefix("Error: ")
    elif more.__class__ is dict:
        given = as_list(more.get("structuredPatch"))
        more = {key: value for key, value in more.items() if key not in ("originalFile", "structuredPatch")}
        if call["name"] == "Read" or has_files:
            # It repeats, without the line numbers, what was read; or the image, which is a file by now.
            more.pop("file", None)
            more.pop("type", None)
        patch = _as_patch(given)
        return [*([{"text": patch}] if patch else []), *_more_of(call, more, parts)]
    return _more_of(call, more, parts)


def _more_of(call: Block, more: Any, parts: list[Any]) -> list[Any]:
    found = what_it_adds(more, "\n".join([*texts_in(parts), *texts_in(call["input"])])) if more else None
    return [] if found is None else [{"text": found} if found.__class__ is str else found]


def _as_patch(hunks: list[Any]) -> str:
    lines: list[str] = []
    for hunk in hunks:
        old, new = (f"{number_at(hunk, f'{side}Start')},{number_at(hunk, f'{side}Lines')}" for side in ("old", "new"))
        body = as_list(hunk.get("lines")) if hunk.__class__ is dict else [hunk]
        lines += [f"@@ -{old} +{new} @@", *(as_text(line) for line in body)]
    return "\n".join(lines)


def add_artifacts(blocks: list[Block], written: frozenset[str]) -> None:
    """Make artifacts of the files that calls wrote, and of edits to files that the session wrote before."""
    for block in blocks:
        if block["kind"] != "tool":
            continue
        more, result = block.pop("more", None), block["result"]
        path = text_at(block["input"], "file_path")
        artifact = _artifact(block["name"], block["input"], more, path in written) if path else None
        if artifact and result and not result["failed"]:
            name = base_name(path)
            block["artifact"] = {"key": path, "path": name, "title": name, "type": "", "language": "", **artifact}


def _artifact(name: str, given: dict[str, Any], more: Any, known: bool) -> dict[str, Any] | None:
    if name == "Write" and given.get("content").__class__ is str:
        return {"command": "create", "content": given["content"], "old": "", "new": ""}
    if not known or name not in ("Edit", "MultiEdit"):
        return None
    edits = as_list(given.get("edits")) if name == "MultiEdit" else [given]
    if name == "Edit" and given.get("replace_all") is not True:
        old, new = text_at(given, "old_string"), text_at(given, "new_string")
        return {"command": "update", "content": "", "old": old, "new": new}
    before = original_file(more)
    return {"command": "rewrite", "content": _edited(before, edits), "old": "", "new": ""} if before else None


def _edited(text: str, edits: list[Any]) -> str:
    """Return a text with edits applied, in order."""
    for edit in edits:
        old, new = text_at(edit, "old_string"), text_at(edit, "new_string")
        if old:
            text = text.replace(old, new, -1 if edit.get("replace_all") is True else 1)
    return text
