"""The tags that Claude wrote artifacts and thoughts in, in 2024: `<antArtifact …>…</antArtifact>` and `<antThinking>`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Block

_TAG: Final = re.compile(
    r"<antThinking>(?P<thought>.*?)</antThinking>"
    r"""|<antArtifact(?P<attributes>(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))+)\s*>(?P<body>.*?)(?:</antArtifact>|\Z)"""
    r"""|<antArtifact(?P<reference>(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/>""",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def has_tags(text: str) -> bool:
    """Whether a text may hold such tags."""
    return "<ant" in text and ("<antArtifact" in text or "<antThinking>" in text)


def split_tags(text: str) -> Iterator[Block]:
    """Yield the blocks of a text with tags in it: text, thoughts and artifacts in order."""
    at = 0
    for match in _TAG.finditer(text):
        before = text[at : match.start()].strip("\n")
        if before.strip():
            yield {"kind": "text", "text": before, "citations": [], "sources": ()}
        at = match.end()
        yield _block_of(match)
    rest = text[at:].strip("\n")
    if rest.strip() or not at:
        yield {"kind": "text", "text": rest, "citations": [], "sources": ()}


def _block_of(match: re.Match[str]) -> Block:
    if match["thought"] is not None:
        return {"kind": "thinking", "text": match["thought"], "summaries": [], "sources": ()}
    attributes = {
        name: first or second for name, first, second in _ATTRIBUTE.findall(match["attributes"] or match["reference"] or "")
    }
    body = match["body"]
    artifact = {
        "command": "view" if body is None else "create",
        "key": attributes.get("identifier") or attributes.get("title", ""),
        "title": attributes.get("title", ""),
        "type": attributes.get("type", ""),
        "language": attributes.get("language", ""),
        # The tags stand on lines of their own; those two line ends are not the artifact's.
        "content": (body or "").removeprefix("\n").removesuffix("\n"),
    }
    return {"kind": "artifact", "artifact": artifact, "sources": ()}
