"""The records of a Codex CLI log: what each is, and which message it belongs to.

A record is `{timestamp, type, payload}`, or, in the logs of early 2025, the bare item. Every record is one part of one
message, or is left out: `[kind, record]`, where `kind` is

* `item`: something said, thought or called; * `output`: the result of a call; * `tokens`: what the message cost;
* `note`: any other record, shown as an event.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .conversation import as_list, type_of
from .session_tools import dict_at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .session_groups import Part, Tally

_ENVELOPES: Final = frozenset({"session_meta", "turn_context", "response_item", "event_msg", "compacted"})
REPEATED: Final = {
    "user_message": "message",
    "agent_message": "message",
    "agent_reasoning": "text",
    "agent_reasoning_raw_content": "text",
}
"""Events that repeat an item, and where their text stands."""


def opened(record: Any) -> tuple[str, dict[str, Any]]:
    """Return the type of a record and what it holds; an empty type if nobody knows it."""
    if record.__class__ is not dict:
        return "", {}
    payload = record.get("payload")
    if payload.__class__ is dict:
        kind = text_at(record, "type")
        return (kind if kind in _ENVELOPES else ""), payload
    if text_at(record, "type") and "timestamp" not in record and "payload" not in record:
        return "response_item", record
    if "instructions" in record and text_at(record, "id"):
        return "session_meta", record
    return "", record


def label(record: Any) -> str:
    """Return what a record is called in the account: its type, and that of what it holds."""
    kind, payload = opened(record)
    inner = text_at(payload, "type") if kind in ("event_msg", "response_item") else ""
    if not kind and text_at(record, "record_type"):
        return f"record {record['record_type']}"
    return f"record {' '.join(filter(None, [kind or type_of(record), inner]))}"


def split(record: Any) -> list[Part]:
    """Return the one part of a record."""
    kind, payload = opened(record)
    inner = text_at(payload, "type")
    if kind == "response_item":
        return [["output" if inner.endswith("_output") else "item", record]]
    if kind == "event_msg" and inner in REPEATED:
        return [["item", record]]
    if kind == "event_msg" and inner == "token_count":
        return [["tokens", record]]
    return [["note", record]]


def spoken(payload: dict[str, Any]) -> list[Any]:
    """Return the content of a message item, or of the summary and content of reasoning."""
    if payload.get("type") == "reasoning":
        return [item for key in ("summary", "content") for item in as_list(payload.get(key))]
    return as_list(payload.get("content"))


def texts_of(record: Any) -> Iterator[str]:
    """Yield the texts of an item, which events may repeat."""
    kind, payload = opened(record)
    if kind == "response_item" and payload.get("type") in ("message", "reasoning"):
        for item in spoken(payload):
            text = item if item.__class__ is str else text_at(item, "text")
            if text:
                yield text.strip()


def repeated_text(record: Any) -> str | None:
    """Return the text of an event of a kind that repeats items; None if it is of another."""
    kind, payload = opened(record)
    key = REPEATED.get(text_at(payload, "type")) if kind == "event_msg" else None
    return text_at(payload, key).strip() if key else None


def count_record(tally: Tally, record: Any) -> None:
    """Count what a record holds."""
    kind, payload = opened(record)
    if kind == "response_item" and payload.get("type") == "message":
        for item in spoken(payload):
            tally.block("text" if item.__class__ is str else type_of(item))
    elif kind == "response_item":
        tally.block(type_of(payload))
    elif split(record)[0][0] == "tokens":
        tally.skip(f"block {label(record)}", "rendered: as tokens")
    else:
        tally.block(label(record))


def settings_of(record: Any) -> str | None:
    """Return as text what a `turn_context` says; None for other records."""
    kind, payload = opened(record)
    if kind != "turn_context":
        return None
    return json.dumps({key: value for key, value in payload.items() if key not in ("cwd", "turn_id")}, sort_keys=True)


def parsed(text: Any) -> Any:
    """Return the JSON value in a text, if it is an object; otherwise the text."""
    if text.__class__ is not str or not text.lstrip().startswith("{"):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if value.__class__ is dict else text


def parent_thread(payload: dict[str, Any]) -> str:
    """Return the session whose sub-agent this one is; empty if it is none's."""
    spawned = dict_at(dict_at(dict_at(payload, "source"), "subagent"), "thread_spawn")
    return text_at(spawned, "parent_thread_id")
