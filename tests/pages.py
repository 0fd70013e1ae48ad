"""Messages as page renderers get them, and what comes of them: for tests."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from transmissions.processors.conversation import title_of
from transmissions.processors.conversation_places import facts_of
from transmissions.processors.names import safe_name
from transmissions.processors.spool import pieces

EMPTY = {"messages": 0, "blocks": {}, "attachments": 0, "files": 0}


def talk(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a conversation of the common model."""
    empty = {"title": "A talk", "created": "2026-03-07T12:00:00Z", "updated": "", "url": "", "summary": "", "model": ""}
    return {"provider": "claude", "id": "c1", "leaf": "", "messages": list(messages), "counts": EMPTY, **empty, **more}


def said(role: str, *blocks: Any, number: int = 1, **more: Any) -> dict[str, Any]:
    """Return a message of the common model; a text stands for a block of text."""
    listed = [{"kind": "text", "text": block, "citations": ()} if isinstance(block, str) else block for block in blocks]
    sourced = [{"sources": (block["kind"],), **block} for block in listed]
    return {"id": f"m{number}", "role": role, "created": "", "blocks": sourced, "attachments": [], "files": [], **more}


def placed(conversation: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """Return a message with a conversation and its place."""
    title = title_of(conversation)
    page = f"claude/{number} {safe_name(title)}.md"
    facts = facts_of(conversation, title, page, "")
    place = {"page": page, "assets": f"claude/{number}/\0/\1", "folder": f"{number:05}", "id": str(number)}
    return {"conversation": conversation, "place": place, "facts": facts, "known": {}}


def rendered(bench: Any, renderer: Any, *messages: dict[str, Any]) -> tuple[dict[str, str], list[Any]]:
    """Return the files that a renderer makes, as text, and the accounts."""
    results = bench.through(renderer, *messages)
    listed = [(path, b"".join(pieces(content))) for message in results for path, content in message["files"]]
    files = {path: data.decode(errors="surrogateescape") for path, data in listed}
    assert len(files) == len(listed)
    return files, [message["account"] for message in results]


class Looked(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data
