"""The prompts that Codex and Claude Code keep of all sessions, in a `history.jsonl`: those whose session is nowhere else.

Both agents delete old sessions, and keep what was typed. A session that the archive holds has its prompts itself; of every
other one, or of a project where prompts tell no session, the prompts are a conversation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .conversation import as_dict, as_text, instant
from .plain_blocks import filled, first, text
from .plain_turns import chat, items_of, message, no_message, tally
from .session_tools import base_name, encoded_file, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .blobs import Blob, Members
    from .conversation import ChatMessage, Conversation
    from .shape import About

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONGEST: Final = 16 << 20
_SKIPPED: Final = "skipped: its session is in the archive"


class PromptHistory:
    """Turns a list of prompts into conversations."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the prompts of the first session that is nowhere else; those of the others stand in its `also`."""
        groups, known = _groups(items_of(element, "items", "history of prompts")), _sessions_in(about.members)
        lost = {key: entries for key, entries in groups.items() if key[0] not in known}
        left = [entry for key, entries in groups.items() if key not in lost for entry in entries]
        if not lost:
            return _conversation(("", about.file), left, about.members) | {"left_out": _SKIPPED}
        found = [_conversation(key, entries, about.members) for key, entries in lost.items()]
        skipped = {"skipped": {"message": {_SKIPPED: len(left)}}} if left else {}
        return found[0] | skipped | {"also": found[1:]}


def _groups(entries: Iterable[Any]) -> dict[tuple[str, str], list[Any]]:
    """Return prompts by session and project; where they tell a session, the project is that of its first one."""
    groups: dict[tuple[str, str], list[Any]] = {}
    projects: dict[str, str] = {}
    for entry in entries:
        session, project = text_at(entry, "session_id") or text_at(entry, "sessionId"), text_at(entry, "project")
        project = projects.setdefault(session, project) if session else project
        groups.setdefault((session, project), []).append(entry)
    return groups


def _sessions_in(members: Members) -> set[str]:
    """Return the ids in the names of an archive's files: so are sessions called."""
    return {found for name in members.names() for found in _UUID.findall(name)}


def _conversation(key: tuple[str, str], entries: list[Any], members: Members) -> Conversation:
    session, project = key
    messages = [_message(entry, members) for entry in entries]
    kinds = [source for said in messages for block in said["blocks"] for source in block["sources"]]
    counts = tally(len(messages), kinds, sum(len(said["attachments"]) for said in messages))
    times = sorted(said["created"] for said in messages if said["created"])
    return chat(
        "codex" if any("ts" in as_dict(entry) for entry in entries) else "claude-code",
        f"{session or project}.prompts",
        messages,
        counts,
        created=times[0] if times else "",
        updated=times[-1] if times else "",
        tags=[f"project:{base_name(project)}"] if session and project else [],
        title=f"Prompts in {base_name(project)}" if project and not session else "",
        links=[{"relation": "prompts of", "id": session, "title": ""}] if session else [],
    )


def _message(entry: Any, members: Members) -> ChatMessage:
    if entry.__class__ is not dict:
        return no_message(entry)
    words = first(entry, "text", "display")
    said = message("human", [text(words, "text")] if words else [], created=instant(first(entry, "ts", "timestamp")))
    for number, pasted in as_dict(entry.get("pastedContents")).items():
        _paste(said, number, as_dict(pasted), members.find(text_at(as_dict(pasted), "contentHash")))
    return said


def _paste(said: ChatMessage, number: str, pasted: dict[str, Any], kept: Blob | None) -> None:
    """Add what was pasted into a prompt, which shows a mark in its place; what is long is kept in a file beside the history."""
    kind = text_at(pasted, "type") or "text"
    content = pasted.get("content") or (kept.read(_LONGEST).decode("utf-8", "replace") if kept else None)
    picture = encoded_file(content, text_at(pasted, "mediaType"), kind) if kind == "image" else None
    if picture:
        said["blocks"].append({**picture, "sources": ("image",)})
    elif filled(content):
        name = f"Pasted {kind} {number}.txt"
        said["attachments"].append({"name": name, "type": "text/plain", "text": as_text(content)})
