"""The records of Claude Code's log that are no messages, as blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .claude_code_words import split_words
from .conversation import as_list, type_of
from .session_tools import bare, dict_at, number_at, source_file, text_at

if TYPE_CHECKING:
    from .conversation import Block

_ENVELOPE: Final = frozenset(
    {"type", "subtype", "uuid", "parentUuid", "logicalParentUuid", "sessionId", "session_id", "timestamp", "cwd", "version"}
    | {"gitBranch", "userType", "isSidechain", "slug", "entrypoint", "agentId", "requestId", "toolUseID", "parentToolUseID"}
    | {"isMeta", "level", "forkedFrom", "operation"}
)
"""What every record has: where it stands and on which machine it was made."""
_EVENTS: Final = frozenset(
    {"system", "summary", "file-history-snapshot", "queue-operation", "progress", "ai-title", "custom-title", "agent-name"}
    | {"agent-color", "agent-setting", "last-prompt", "tag", "permission-mode", "mode", "pr-link", "worktree-state"}
)


def note(record: Any) -> Block:
    """Return the block of a record that is no message."""
    kind = type_of(record)
    sources = (f"record {kind}",)
    if kind == "attachment" and record.get("attachment").__class__ is dict:
        attachment = record["attachment"]
        return {"kind": "injected", "text": bare(attachment, _ENVELOPE), "source": type_of(attachment), "sources": sources}
    if kind not in _EVENTS:
        return {"kind": "unknown", "type": kind, "data": record, "sources": sources}
    detail = text_at(record, "subtype") or text_at(dict_at(record, "data"), "type") or text_at(record, "operation")
    text = bare(record, _ENVELOPE)
    if kind == "system":
        (block, *more) = split_words(text)
        if block["kind"] != "text" and not more:
            return {**block, "sources": sources}
    return {"kind": "event", "title": f"{kind}: {detail}" if detail else kind, "text": text, "sources": sources}


def boundary(record: dict[str, Any]) -> Block:
    """Return the event that marks a compaction."""
    facts = dict_at(record, "compactMetadata")
    tokens = number_at(facts, "preTokens")
    detail = ", ".join(filter(None, [text_at(facts, "trigger"), f"after {tokens:,} tokens" if tokens else ""]))
    title = f"Compacted ({detail})" if detail else "Compacted"
    return {"kind": "event", "title": title, "text": "", "sources": ("record system",)}


def queued(record: dict[str, Any]) -> list[Block]:
    """Return what the user wrote while the assistant was at work."""
    blocks: list[Block] = []
    for item in as_list(record["attachment"]["prompt"]):
        text = item if item.__class__ is str else text_at(item, "text")
        file = source_file(item, type_of(item)) if not text else None
        if text:
            blocks += split_words(text)
        else:
            blocks.append(file or {"kind": "unknown", "type": type_of(item), "data": item})
    blocks = blocks or [{"kind": "text", "text": "", "citations": ()}]
    for place, block in enumerate(blocks):
        block["sources"] = () if place else ("record attachment",)
    return blocks
