"""The common model: what every provider's conversation is turned into, and every target is made from.

Plain dicts, so that any processor of a pipe can look at them or change them.

Conversation
    `provider` (`claude`), `id`, `title` (may be empty), `created` and `updated` (ISO 8601 text), `url`, `summary`, `model`,
    `leaf` (id of the message the conversation ends with, if known), `messages` (a list, or for a conversation too large for
    memory something that can be gone through again and again) and `counts` (what the archive held, by kind: the other side
    of the account that the report draws up).
Message
    `id`, `role` (`human`, `assistant`, or the provider's own word), `created`, `parent` (id; absent where the archive knows
    no branches), `blocks`, `attachments` (`name`, `type`, `text`) and `files` (`name`, `id`: named, but not in the archive).
Block
    `kind` and, by kind:

    ============  =========================================================================================
    `text`        `text`, `citations` (`end`: characters from the start, `url`, `title`)
    `thinking`    `text`, `summaries`
    `tool`        `name`, `input`, `result` (None, or see below), and `artifact` where the call makes or edits one
    `artifact`    `artifact`: one that stands in the text itself
    `injected`    `text`, `source`: words the provider put in front of the user's
    `file`        `name`, `id`, `type`
    `unknown`     `type`, `data`
    ============  =========================================================================================
Result
    `parts` (each a dict with `text`, or with `title`, `url` and `text`, or any JSON value) and `failed`.
Artifact
    `command` (`create`, `rewrite`, `update`, `view`), `key` (what later edits name), `title`, `type`, `language`, `content`,
    `old`, `new`, and `path` where it is a file.

`sources` of a block lists the types it had in the archive, so that each is accounted for: a tool call holds two.
"""

from __future__ import annotations

import json
from typing import Any, Final

Conversation = dict[str, Any]
ChatMessage = dict[str, Any]
Block = dict[str, Any]

TITLE_LENGTH: Final = 60
UNTITLED: Final = "Untitled"


def as_text(value: Any) -> str:
    """Return text as it is, nothing as empty text, and any other JSON value as JSON."""
    if value.__class__ is str:
        return str(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, nothing as an empty one, and any other value as the only item."""
    if value.__class__ is list:
        return list(value)
    return [] if value is None else [value]


def title_of(conversation: Conversation) -> str:
    """Return the title: the given one, or the first words a person wrote."""
    title = " ".join(conversation["title"].split())
    return title or _first_words(conversation) or UNTITLED


def _first_words(conversation: Conversation) -> str:
    for message in conversation["messages"]:
        for block in message["blocks"]:
            if message["role"] == "human" and block["kind"] == "text" and not block["text"].isspace() and block["text"]:
                return _shorten(" ".join(block["text"][:400].split()))
    return ""


def _shorten(text: str) -> str:
    if len(text) <= TITLE_LENGTH:
        return text
    return text[:TITLE_LENGTH].rsplit(" ", 1)[0] + "…"
