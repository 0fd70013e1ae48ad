"""The kinds of files in Claude's data export."""

from __future__ import annotations

import re
from typing import Any, Final

from .shape import Layout, Outline, Shape, with_keys, with_tops


def _is_claude(seen: Outline) -> bool:
    others = ("chat_messages[].fragments", "chat_messages[].message_id")
    return seen.has_top("chat_messages") and not any(seen.has_top(key) for key in others)


def _is_wrapped(seen: Outline) -> bool:
    return seen.has(".conversations[].chat_messages") and not seen.has(".conversations[].chat_messages[].message_id")


def _is_projects(seen: Outline) -> bool:
    return seen.has_top("uuid", "prompt_template") or seen.has_top("uuid", "docs[].filename")


def _is_memories(seen: Outline) -> bool:
    return any(seen.has_top(key) for key in ("conversations_memory", "project_memories", "memory_files[].path"))


def _is_users(seen: Outline) -> bool:
    return seen.has_top("uuid", "email_address") or seen.has_top("uuid", "verified_phone_number")


def _is_frames(seen: Outline) -> bool:
    return seen.has_top("active_version") or any(seen.has_top(key, "versions") for key in ("id", "uuid", "artifact_id"))


def _is_designs(seen: Outline) -> bool:
    of_messages = any(seen.has_top(f"messages[].{key}") for key in ("sender", "role"))
    return of_messages and seen.has_top("uuid", "messages[].uuid", "messages[].created_at")


def _is_manifest(seen: Outline) -> bool:
    return seen.has_top("data_files[].filename", "data_files[].export_url")


def _has_uuid(value: Any) -> bool:
    return value.__class__ is dict and "uuid" in value and bool({"docs", "prompt_template", "messages"} & value.keys())


_CONVERSATIONS: Final = Layout(
    inner="chat_messages",
    is_element=with_keys("chat_messages"),
    start=re.compile(r'\{\s*"uuid"\s*:\s*"[^"\\]*"\s*,\s*"name"\s*:'),
)
_WRAPPED: Final = _CONVERSATIONS._replace(wrapper="conversations")
_BY_UUID: Final = Layout(is_element=_has_uuid)
_DESIGNS: Final = Layout(inner="messages", is_element=_has_uuid)


SHAPES: Final = (
    Shape("claude", "claude", "Claude conversations", _is_claude, "claude:Claude", _CONVERSATIONS, takes_unread=True),
    Shape("claude-list", "claude", "Claude conversations", _is_wrapped, "claude:Claude", _WRAPPED, takes_unread=True),
    Shape("claude-projects", "claude", "Claude projects", _is_projects, "claude_extras:Project", _BY_UUID),
    Shape("claude-memories", "claude", "Claude memories", _is_memories, "claude_extras:Memory"),
    Shape("claude-users", "claude", "users", _is_users, "claude_extras:Account"),
    Shape("claude-frames", "claude", "Claude artifacts", _is_frames, "claude_extras:Frame"),
    Shape("claude-designs", "claude", "Claude design chats", _is_designs, "claude_extras:Design", _DESIGNS),
    Shape("claude-logins", "claude", "the history of logins", with_tops("login_events")),
    Shape("claude-manifest", "claude", "the list of an export's parts", _is_manifest),
)
