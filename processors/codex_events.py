"""What a Codex CLI log holds beside the items of the API: events, settings, instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .codex_records import label
from .conversation import as_text
from .session_tools import add_result, bare, dict_at, text_at, texts_in, what_it_adds

if TYPE_CHECKING:
    from .conversation import Block

_ENVELOPE: Final = frozenset({"type", "timestamp", "cwd", "turn_id", "git", "id"})
_KEPT: Final = _ENVELOPE | {
    "call_id",
    "command",
    "parsed_cmd",
    "duration",
    "exit_code",
    "process_id",
    "source",
    "status",
    "success",
}
"""What an event says of a call that the call and its result say too, in other words."""


def note(record: Any, kind: str, payload: dict[str, Any]) -> Block:
    """Return the block of a record that is no item of the API."""
    name = label(record)
    if not kind and not name.endswith("state"):
        return {"kind": "unknown", "type": name.removeprefix("record "), "data": record, "sources": (name,)}
    if kind == "session_meta":
        return {"kind": "injected", "text": instructions_of(payload), "source": "instructions", "sources": (name,)}
    if kind == "compacted":
        return {"kind": "event", "title": "Compacted", "text": as_text(payload.get("message")), "sources": (name,)}
    title = text_at(payload, "type") if kind == "event_msg" else kind or name.removeprefix("record ")
    block = {"kind": "event", "title": title.replace("_", " "), "text": bare(payload, _ENVELOPE), "sources": (name,)}
    return block | ({"of": payload} if kind == "event_msg" else {})


def instructions_of(payload: dict[str, Any]) -> str:
    """Return the instructions that a session began with."""
    texts = [as_text(payload.get("instructions")), text_at(dict_at(payload, "base_instructions"), "text")]
    return "\n\n".join(filter(None, texts))


def without_repeats(blocks: list[Block]) -> list[Block]:
    """Return the blocks; an event that tells of a call goes to it, and of all others only what the message does not say."""
    told = "\n".join(text for block in blocks if "of" not in block for text in texts_in(block))
    calls = {block["id"]: block for block in blocks if block["kind"] == "tool" and block["id"]}
    kept: list[Block] = []
    for block in blocks:
        payload = block.pop("of", None)
        if payload is None:
            kept.append(block)
            continue
        call = calls.get(text_at(payload, "call_id"))
        more = what_it_adds(_once(payload, _KEPT if call else _ENVELOPE), told)
        if call:
            add_result(call, [more] if more else [], payload.get("success") is False, block["sources"][0])
        else:
            kept.append(block | {"text": bare(more or {}, _ENVELOPE)})
    return kept


def _once(payload: dict[str, Any], envelope: frozenset[str]) -> dict[str, Any]:
    """Return what an event holds beside its envelope, each text once: the output of a command stands in it three times."""
    keys = {value: key for key, value in reversed(payload.items()) if value.__class__ is str}
    return {key: value for key, value in payload.items() if key not in envelope and keys.get(as_text(value), key) == key}
