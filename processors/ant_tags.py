"""The tags that models write artifacts and thoughts in.

Claude's of 2024 are `<antArtifact …>…</antArtifact>` and `<antThinking>`, Grok's `<xaiArtifact …>…</xaiArtifact>`.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Final

from .fences import code_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conversation import Block

_OPENING: Final = re.compile(
    r"<(?:(?P<thinking>antThinking)|(?P<tag>antArtifact|xaiArtifact)"
    r"""(?P<attributes>(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(?P<empty>/)?)>"""
)
_START: Final = re.compile(r"<(?=antThinking|antArtifact|xaiArtifact)")
_THOUGHT: Final = "</antThinking>"
_ATTRIBUTE: Final = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def has_tags(text: str) -> bool:
    """Whether a text may hold such tags."""
    # One character is found at a tenth of what four cost: 0.02 s for 55 MB, not 0.04.
    return "<" in text and "<ant" in text and ("<antArtifact" in text or "<antThinking>" in text)


def split_tags(text: str) -> Iterator[Block]:
    """Yield the blocks of a text with tags in it: text, thoughts and artifacts in order."""
    at = 0
    for start, end, block in _tags(text):
        before = text[at:start].strip("\n")
        if before.strip():
            yield {"kind": "text", "text": before, "citations": [], "sources": ()}
        at = end
        yield block
    rest = text[at:].strip("\n")
    if rest.strip() or not at:
        yield {"kind": "text", "text": rest, "citations": [], "sources": ()}


def _tags(text: str) -> Iterator[tuple[int, int, Block]]:
    """Yield where each tag begins and what it holds ends, and the block."""
    last, at = text.rfind(_THOUGHT), 0
    found = _START.search(text)
    while found:
        start = found.start()
        end, block = _tag_at(text, start, last)
        shown = _shown_until(text, at, start) if block else 0
        if shown:
            at = end = shown
        elif block:
            yield start, end, block
            at = end
        found = _START.search(text, end)


def _shown_until(text: str, at: int, start: int) -> int:
    """Return where the code ends in which a tag is only shown; 0 if it is in none. Before `at` is nothing to be looked at."""
    if text.startswith("`", start - 1) and start > at:
        return start + 1
    before = f"\n{text[at:start]}\n"
    last = next(iter(deque(code_blocks(before), maxlen=1)), None)
    if last is None or last.is_closed or last.end < len(before):
        return 0
    whole = next(code_blocks(f"\n{text[at + last.start :]}\n"), None)
    # A block that nobody closed does not cost what follows it.
    return at + last.start + whole.end - 1 if whole and whole.is_closed else 0


def _tag_at(text: str, start: int, last: int) -> tuple[int, Block | None]:
    """Read what may be a tag; `last` is where the last thought ends. An artifact that is not closed goes on to the end."""
    opening = _OPENING.match(text, start)
    if opening is None:
        return start + 1, None
    # What closes a tag is looked for as plain text: at 0.1 ns a character, where a lazy regular expression takes 10.
    inside = opening.end()
    if opening["thinking"]:
        if inside > last:
            return inside, None
        end = text.index(_THOUGHT, inside)
        return end + len(_THOUGHT), {"kind": "thinking", "text": text[inside:end], "summaries": [], "sources": ()}
    given = opening["attributes"]
    if opening["empty"] or not given:
        return inside, artifact_of(given, None) if opening["empty"] else None
    closing = f"</{opening['tag']}>"
    end = text.find(closing, inside)
    after = len(text) if end < 0 else end + len(closing)
    return after, artifact_of(given, text[inside : end if end >= 0 else after])


def artifact_of(given: str, body: str | None) -> Block:
    """Return the artifact whose tag has these attributes; without a body it is only named."""
    attributes = {name: first or second for name, first, second in _ATTRIBUTE.findall(given)}
    artifact = {
        "command": "view" if body is None else "create",
        "key": attributes.get("identifier") or attributes.get("artifact_id") or attributes.get("title", ""),
        "title": attributes.get("title", ""),
        "type": attributes.get("type") or attributes.get("contentType", ""),
        "language": attributes.get("language", ""),
        # The tags stand on lines of their own; those two line ends are not the artifact's.
        "content": (body or "").removeprefix("\n").removesuffix("\n"),
    }
    return {"kind": "artifact", "artifact": artifact, "sources": ()}
