"""The blocks of a message as Markdown. Each function adds what a reader sees, and accounts for what the archive held."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from .artifacts import fence_language
from .prose import fence, guard, inline

if TYPE_CHECKING:
    from collections.abc import Callable

    from .artifacts import Made
    from .conversation import Block, ChatMessage
    from .page import Page

_OUTCOMES: Final = {"keep": "rendered", "fold": "folded", "link": "folded"}
_SAFE_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:[^\s<>\x00-\x20]+", re.IGNORECASE)


def render_block(page: Page, block: Block) -> None:
    """Add one block to a page."""
    _RENDERERS.get(block["kind"], _unknown)(page, block)


def _text(page: Page, block: Block) -> None:
    text = block["text"]
    if not text:
        page.count(block["sources"], "skipped: empty")
        return
    page.count(block["sources"], "rendered")
    citations = block["citations"]
    if not citations:
        page.parts.append(guard(text, page.shift))
    elif page.style.citations == "drop":
        page.note("citation", "skipped: dropped by setting", len(citations))
        page.parts.append(guard(text, page.shift))
    else:
        _cited(page, text, citations)


def _cited(page: Page, text: str, citations: list[dict[str, Any]]) -> None:
    """Add a text with footnotes: at the end of the line they speak of, or below a text with code or tables in it."""
    notes = []
    at_end = "```" in text or "|" in text
    marks: list[tuple[int, str]] = []
    for citation in citations:
        page.notes += 1
        line_end = -1 if at_end else text.find("\n", max(citation["end"], 0))
        marks.append((len(text) if line_end < 0 else line_end, f"[^{page.notes}]"))
        notes.append(f"[^{page.notes}]: {_link_to(citation)}")
    page.note("citation", "rendered", len(notes))
    if at_end:
        page.parts += (guard(text, page.shift), " ".join(mark for _, mark in marks))
    else:
        for place, mark in sorted(marks, reverse=True):
            text = text[:place] + mark + text[place:]
        page.parts.append(guard(text, page.shift))
    page.parts.append("\n".join(notes))


def _link_to(citation: dict[str, Any]) -> str:
    url, title = citation["url"], inline(citation["title"])
    shown = f"<{url}>" if _SAFE_URL.fullmatch(url) else inline(url)
    return f"{title} {shown}".strip() or "(no address)"


def _thinking(page: Page, block: Block) -> None:
    if _dropped(page, block, page.style.thinking):
        return
    lines = [f"- {inline(summary)}" for summary in block["summaries"] if summary]
    body = "\n\n".join(filter(None, ["\n".join(lines), guard(block["text"], page.shift)]))
    page.show(page.style.thinking, "Thinking", body)


def _injected(page: Page, block: Block) -> None:
    if not _dropped(page, block, page.style.injected):
        page.show(
            page.style.injected, f"Added by the app ({block['source']}), not by the user", guard(block["text"], page.shift)
        )


def _file(page: Page, block: Block) -> None:
    page.count(block["sources"], "rendered")
    page.parts.append(f"**File:** {inline(block['name'] or block['type'])} (not in the archive)")


def _unknown(page: Page, block: Block) -> None:
    page.count(block["sources"], "rendered")
    kind = block.get("type") or block["kind"]
    page.note(f"unknown block '{kind}'", "kept as JSON")
    page.parts.append(f"**Unknown block:** {inline(kind)}\n\n{fence(as_json(block.get('data', block)), 'json')}")


def _tool(page: Page, block: Block) -> None:
    result = block["result"]
    if "artifact" in block:
        _made(page, block, result)
    elif not _dropped(page, block, page.style.tools):
        parts = _input_parts(block["input"]) + _result_parts(result)
        failed = " (failed)" if result and result["failed"] else ""
        page.show(page.style.tools, f"Tool: {block['name']}{failed}", "\n\n".join(parts) or "(nothing)")


def _made(page: Page, block: Block, result: dict[str, Any] | None = None) -> None:
    """Add an artifact: a link to its file and, folded, what this message did to it."""
    artifact = block["artifact"]
    made = page.bench.apply(artifact, bool(result and result["failed"]))
    mode = page.style.artifacts
    if _dropped(page, block, mode):
        return
    page.parts.append(_artifact_line(artifact, made))
    if mode != "link":
        parts = _artifact_parts(artifact, made) + _result_parts(result)
        page.show(
            mode,
            f"{artifact['command'].capitalize()} {artifact['title'] or artifact['key']}",
            "\n\n".join(parts) or "(nothing)",
        )


def _artifact_line(artifact: dict[str, Any], made: Made | None) -> str:
    title = inline(artifact["title"] or artifact["key"] or (made.name if made else "artifact"))
    if made is None:
        return f"**Artifact:** {title} (not in the archive)"
    return f"**Artifact:** [{title}]({made.link})"


def _artifact_parts(artifact: dict[str, Any], made: Made | None) -> list[str]:
    language = fence_language(made) if made else ""
    if artifact["command"] == "update":
        return ["Replaced", fence(artifact["old"], language), "by", fence(artifact["new"], language)]
    return [fence(artifact["content"], language)] if artifact["content"] else []


def _dropped(page: Page, block: Block, mode: str) -> bool:
    """Account for a block that a setting decides about, and say whether it is left out."""
    page.count(block["sources"], _OUTCOMES.get(mode, "skipped: dropped by setting"))
    return mode == "drop"


def _input_parts(given: Any) -> list[str]:
    if given is None:
        return []
    if given.__class__ is not dict:
        return [fence(as_json(given), "json")]
    long = {key: value for key, value in given.items() if value.__class__ is str and "\n" in value}
    short = {key: value for key, value in given.items() if key not in long}
    lines = ",\n".join(f"  {as_json(key)}: {as_json(value)}" for key, value in short.items())
    parts = [fence(f"{{\n{lines}\n}}", "json")] if short else []
    return parts + [f"{inline(key)}:\n\n{fence(value)}" for key, value in long.items()]


def _result_parts(result: dict[str, Any] | None) -> list[str]:
    if result is None:
        return []
    parts = [_result_part(part) for part in result["parts"]]
    return ["Error:" if result["failed"] else "Result:", *parts] if parts else []


def _result_part(part: Any) -> str:
    if part.__class__ is not dict or part.get("text").__class__ is not str:
        return fence(as_json(part), "json")
    if "url" not in part:
        return fence(part["text"])
    heading = _link_to({"url": part["url"], "title": part["title"]})
    return f"{heading}\n\n{fence(part['text'])}" if part["text"] else heading


def as_json(value: Any) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


_RENDERERS: Final[dict[str, Callable[[Page, Block], None]]] = {
    "text": _text,
    "thinking": _thinking,
    "tool": _tool,
    "artifact": _made,
    "injected": _injected,
    "file": _file,
    "unknown": _unknown,
}


def name_files(message: ChatMessage) -> set[str]:
    """Give file blocks the names that the message's list of files knows; return the ids that have a block."""
    names = {file["id"]: file["name"] for file in message["files"]}
    shown = [block for block in message["blocks"] if block["kind"] == "file"]
    for block in shown:
        block["name"] = block["name"] or names.get(block["id"], "")
    return {block["id"] for block in shown}
