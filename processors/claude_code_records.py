"""The records of a Claude Code log, taken apart: what of each belongs to which message, and how many of each kind there are.

A record adds parts to messages, `[kind, payload]`:

* `message`: a `user`, `assistant` or queued prompt's record, without the results in it. Assistant records that share the
  `id` of their API message are one message.
* `result`: one `tool_result` with what `toolUseResult` says; it goes to the message that made the call, however far back.
* `note`: any other record. It goes to the message it follows.
* `before`: the mark of a compaction. It goes to the message that comes next, which holds the summary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .conversation import type_of
from .session_tools import dict_at, text_at

if TYPE_CHECKING:
    from .session_groups import Part, Tally

_SPOKEN: Final = ("user", "assistant")


def split(record: Any) -> list[Part]:
    """Return the parts of a record: at least one."""
    kind = type_of(record)
    if is_spoken(record):
        content = content_of(record)
        results = [item for item in content if is_result(item)] if kind == "user" else []
        if not results:
            return [["message", record]]
        parts: list[Part] = [["result", _result(record, item, len(results) == 1)] for item in results]
        if len(results) < len(content):
            spoken = [item for item in content if not is_result(item)]
            parts.append(["message", {**record, "toolUseResult": None, "message": {"role": "user", "content": spoken}}])
        return parts
    if is_queued_prompt(record):
        return [["message", record]]
    return [["before" if is_boundary(record) else "note", record]]


def _result(record: dict[str, Any], item: dict[str, Any], alone: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {key: record[key] for key in ("uuid", "parentUuid", "timestamp") if key in record}
    return {**kept, "result": item, "more": record.get("toolUseResult") if alone else None}


def original_file(more: Any) -> str:
    """Return the text that a file had before it was edited, as the structured result of an edit holds it."""
    return text_at(more, "originalFile")


def is_spoken(record: Any) -> bool:
    """Whether a record is a user's or assistant's and holds its message: that of the API, or its text alone."""
    return type_of(record) in _SPOKEN and record.get("message").__class__ in (dict, str)


def content_of(record: dict[str, Any]) -> list[Any]:
    """Return the content blocks of a record's message; text in their place is one, and so is any other value."""
    message = record["message"]
    content = message.get("content") if message.__class__ is dict else message
    if content.__class__ is list:
        return list(content)
    return [] if content is None else [content]


def is_result(item: Any) -> bool:
    """Whether a content block is the result of a tool."""
    return item.__class__ is dict and item.get("type") == "tool_result"


def is_boundary(record: Any) -> bool:
    """Whether a record marks that the conversation was compacted here."""
    return type_of(record) == "system" and record.get("subtype") == "compact_boundary"


def is_queued_prompt(record: Any) -> bool:
    """Whether a record holds what the user wrote while the assistant was at work."""
    attachment = dict_at(record, "attachment")
    if type_of(record) != "attachment" or attachment.get("type") != "queued_command":
        return False
    return attachment.get("commandMode") != "task-notification" and attachment.get("prompt").__class__ in (str, list)


def mentioned_file(record: Any) -> tuple[str, str] | None:
    """Return the path and text of the file that an `attachment` record holds; None if it holds none."""
    attachment = dict_at(record, "attachment")
    if type_of(record) != "attachment" or attachment.get("type") != "file":
        return None
    file = dict_at(dict_at(attachment, "content"), "file")
    text: Any = file.get("content")
    return (text_at(attachment, "filename") or text_at(file, "filePath"), text) if text.__class__ is str else None


def count_part(tally: Tally, kind: str, payload: Any) -> None:
    """Count what a part of a record holds."""
    if kind == "result":
        tally.block("tool_result")
        if original_file(payload["more"]):
            tally.skip("original file", "skipped: the change says it")
    elif is_spoken(payload):
        for item in content_of(payload):
            tally.block("text" if item.__class__ is str else type_of(item))
    elif mentioned_file(payload):
        tally.attachments += 1
    else:
        tally.block(f"record {type_of(payload)}")
