"""The blocks of a message as Markdown. Each function adds what a reader sees, and accounts for what the archive held."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from .artifacts import fence_language
from .beside import add_file
from .code_apart import outside_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from .artifacts import Made
    from .conversation import Block
    from .flavour import Flavour
    from .page import Page

_FRAGILE: Final = ("```", "~~~", "|", "$$", "\\[", "]:")
"""Signs of code, tables, formulas and definitions: in their lines a mark would be part of them, as in indented code."""
_INDENTED: Final = re.compile(r"\n(?: {4}|\t)(?!\s*(?:[-*+>]|\d{1,9}[.)])\s)")
_COMPUTER: Final = re.compile(r"(?<=\]\()<?computer://([^()<>\n]+)>?(?=\))")
"""A link to a file that was made for the user, as Claude writes it."""
_OUTCOMES: Final = {"keep": "rendered", "fold": "folded", "link": "folded", "end": "rendered"}


def render_block(page: Page, block: Block) -> None:
    """Add one block to a page."""
    _RENDERERS.get(block["kind"], _unknown)(page, block)


def _text(page: Page, block: Block) -> None:
    text, citations = block["text"], block["citations"]
    if not text and not citations:
        page.count(block["sources"], "skipped: empty")
        return
    page.count(block["sources"], "rendered")
    if not citations:
        page.parts.append(_said(page, text))
    elif page.style.citations == "drop":
        page.note("citation", "skipped: dropped by setting", len(citations))
        page.parts += [_said(page, text)] if text else []
    else:
        _cited(page, text, citations)


def _said(page: Page, text: str) -> str:
    """Return a message's Markdown, in which links to files that were made lead to these."""
    if ":" in text and "computer://" in text:  # A single sign is found forty times as fast as a word.
        text = outside_code(text, lambda part: _COMPUTER.sub(lambda found: _lead(page, found), part))
    return page.flavour.text(text, page.shift)


def _lead(page: Page, found: re.Match[str]) -> str:
    made = page.bench.known(unquote(found[1])) if page.style.artifacts != "drop" else None
    return made.link if made else found[0]


def _cited(page: Page, text: str, citations: list[dict[str, Any]]) -> None:
    """Add a text with footnotes: at the end of the line they speak of, or below a text that a mark could break."""
    notes: list[tuple[int, str]] = []
    at_end = any(mark in text for mark in _FRAGILE) or _INDENTED.search(text) is not None
    marks: list[tuple[int, int]] = []
    for citation in citations:
        page.notes += 1
        line_end = -1 if at_end else text.find("\n", max(citation["end"], 0))
        marks.append((len(text) if line_end < 0 else line_end, page.notes))
        notes.append((page.notes, _source(page.flavour, citation)))
    page.note("citation", "rendered", len(notes))
    if at_end:
        shown = " ".join(filter(None, (page.flavour.mark(number) for _, number in marks)))
        page.parts += (_said(page, text), *([page.flavour.text(shown, 0)] if shown else ()))
    else:
        for place, number in sorted(marks, reverse=True):
            text = text[:place] + page.flavour.mark(number) + text[place:]
        page.parts.append(_said(page, text))
    page.parts.append(page.flavour.footnotes(notes))


def _source(flavour: Flavour, citation: dict[str, Any]) -> str:
    address = flavour.address(citation["title"], citation["url"]) or "(no address)"
    quote = " ".join(citation.get("quote", "").split())
    return f"{address}: {flavour.plain(f'“{quote}”')}" if quote else address


def _thinking(page: Page, block: Block) -> None:
    if _dropped(page, block, page.style.thinking):
        return
    lines = [page.flavour.plain(summary) for summary in block["summaries"] if summary]
    text = page.flavour.text(block["text"], page.shift) if block["text"] else ""
    body = "\n\n".join(filter(None, [page.flavour.items(lines) if lines else "", text]))
    page.show(page.style.thinking, "Thinking", [body])


def _injected(page: Page, block: Block) -> None:
    if not _dropped(page, block, page.style.injected):
        text = page.flavour.text(block["text"], page.shift)
        page.show(page.style.injected, f"Added by the app ({block['source']}), not by the user", [text])


def _event(page: Page, block: Block) -> None:
    if _dropped(page, block, page.style.events):
        return
    if block["text"]:
        page.show(page.style.events, block["title"] or "Event", [page.flavour.text(block["text"], page.shift)])
    else:
        page.parts.append(page.flavour.aside(page.flavour.plain(block["title"]) or "Event"))


def _file(page: Page, block: Block) -> None:
    if not _dropped(page, block, "drop" if page.style.attachments == "drop" else "keep"):
        add_file(page, block, block["type"])


def _unknown(page: Page, block: Block) -> None:
    kind = block.get("type") or block["kind"]
    page.note(f"unknown block '{kind}'", "kept as JSON" if page.style.unknown != "drop" else "dropped by setting")
    if _dropped(page, block, page.style.unknown):
        return
    data = page.flavour.code(_json(block.get("data", block)), "json")
    if page.style.unknown == "fold":
        page.show("fold", f"Unknown block: {kind}", [data])
    else:
        page.parts += (page.flavour.label("Unknown block", page.flavour.plain(kind)), data)


def _tool(page: Page, block: Block) -> None:
    result = block["result"]
    if "artifact" in block:
        _made(page, block, result)
    elif not _dropped(page, block, page.style.tools):
        described = _description(page.flavour, block)
        parts = described + _input_parts(page.flavour, block["input"]) + _result_parts(page.flavour, result)
        failed = " (failed)" if result and result["failed"] else ""
        page.show(page.style.tools, f"Tool: {block['name']}{failed}", _body(page, parts))


def _made(page: Page, block: Block, result: dict[str, Any] | None = None) -> None:
    """Add an artifact: a link to its file and, folded, what this message did to it."""
    artifact = block["artifact"]
    made = page.bench.apply(artifact, bool(result and result["failed"]))
    mode = page.style.artifacts
    if _dropped(page, block, mode):
        return
    title = artifact["title"] or (made.name if made else artifact["key"] or "artifact")
    page.parts.append(_artifact_line(page.flavour, title, made))
    if mode in ("keep", "fold"):
        parts = _artifact_parts(page.flavour, artifact, made) + _pages_of(page, artifact) + _result_parts(page.flavour, result)
        described = _description(page.flavour, block.get("input"))
        page.show(mode, f"{artifact['command'].capitalize()} {title}", _body(page, described + parts))


def render_made(page: Page) -> None:
    """Add the artifacts of a conversation as they stand at its end."""
    if page.style.artifacts != "end":
        return
    for made in page.shelf.made:
        page.parts += (
            page.flavour.heading(2, page.flavour.plain(f"Artifact: {made.name}")),
            page.flavour.code(made.body, fence_language(made)),
        )
        page.settle()


def _body(page: Page, parts: list[str]) -> list[str]:
    return parts or [page.flavour.paragraph("(nothing)")]


def _description(flavour: Flavour, given: Any) -> list[str]:
    """Return what the assistant says that a file is for, where a tool makes it, or a program what a call does."""
    text = given.get("description") if isinstance(given, dict) else None
    return [flavour.paragraph(flavour.plain(text))] if isinstance(text, str) and text.strip() else []


def _artifact_line(flavour: Flavour, title: str, made: Made | None) -> str:
    return flavour.label("Artifact", flavour.link(title, made.link) if made else f"{flavour.plain(title)} (not in the archive)")


def _artifact_parts(flavour: Flavour, artifact: dict[str, Any], made: Made | None) -> list[str]:
    language = fence_language(made) if made else ""
    if artifact["command"] == "update":
        replaced, by = flavour.paragraph("Replaced"), flavour.paragraph("by")
        return [replaced, flavour.code(artifact["old"], language), by, flavour.code(artifact["new"], language)]
    return [flavour.code(artifact["content"], language)] if artifact["content"] else []


def _pages_of(page: Page, artifact: dict[str, Any]) -> list[str]:
    """Return the pages an artifact rests on, each once: its file stays as it was written."""
    citations = artifact.get("citations") or ()
    if not citations or page.style.citations == "drop":
        return []
    page.note("citation", "rendered", len(citations))
    lines = dict.fromkeys(page.flavour.address(citation["title"], citation["url"]) for citation in citations)
    return [page.flavour.paragraph("Sources:"), page.flavour.items([line for line in lines if line])]


def _dropped(page: Page, block: Block, mode: str) -> bool:
    """Account for a block that a setting decides about, and say whether it is left out."""
    page.count(block["sources"], _OUTCOMES.get(mode, "skipped: dropped by setting"))
    page.dropped += mode == "drop"
    return mode == "drop"


def _input_parts(flavour: Flavour, given: Any) -> list[str]:
    if given is None:
        return []
    if given.__class__ is not dict:
        return [flavour.code(_json(given), "json")]
    long = {key: value for key, value in given.items() if value.__class__ is str and "\n" in value}
    short = {key: value for key, value in given.items() if key not in long}
    lines = ",\n".join(f"  {_json(key)}: {_json(value)}" for key, value in short.items())
    parts = [flavour.code(f"{{\n{lines}\n}}", "json")] if short else []
    for key, value in long.items():
        parts += (flavour.paragraph(f"{flavour.plain(key)}:"), flavour.code(value))
    return parts


def _result_parts(flavour: Flavour, result: dict[str, Any] | None) -> list[str]:
    if result is None or not result["parts"]:
        return []
    parts = [part for item in result["parts"] for part in _result_part(flavour, item)]
    return [flavour.paragraph("Error:" if result["failed"] else "Result:"), *parts]


def _result_part(flavour: Flavour, part: Any) -> list[str]:
    if part.__class__ is not dict or part.get("text").__class__ is not str:
        return [flavour.code(_json(part), "json")]
    if "url" not in part:
        return [flavour.code(part["text"])]
    heading = flavour.paragraph(flavour.address(part["title"], part["url"]) or "(no address)")
    return [heading, flavour.code(part["text"])] if part["text"] else [heading]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_RENDERERS: Final[dict[str, Callable[[Page, Block], None]]] = {
    "text": _text,
    "thinking": _thinking,
    "tool": _tool,
    "artifact": _made,
    "injected": _injected,
    "event": _event,
    "file": _file,
    "unknown": _unknown,
}
