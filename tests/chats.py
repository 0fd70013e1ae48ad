"""Conversations of the common model, made by hand for tests."""

from __future__ import annotations


def chat(identifier="11111111-2222-4333-8444-0000000000aa", title="A talk", **more):
    """Return a conversation of one question and one answer."""
    messages = [
        {
            "id": "m1",
            "role": "human",
            "created": "2026-03-07T12:00:00Z",
            "blocks": [text("Why?")],
            "attachments": [],
            "files": [],
        },
        {
            "id": "m2",
            "role": "assistant",
            "created": "2026-03-07T12:00:05Z",
            "blocks": [text("Because.")],
            "attachments": [],
            "files": [],
        },
    ]
    return {
        "provider": "claude",
        "id": identifier,
        "title": title,
        "created": "2026-03-07T12:00:00Z",
        "updated": "2026-03-07T12:00:05Z",
        "url": "",
        "summary": "",
        "model": "",
        "leaf": "",
        "messages": messages,
        "counts": {"messages": 2, "blocks": {"text": 2}, "attachments": 0, "files": 0},
        **more,
    }  # fmt: skip


def text(words):
    """Return a block of text."""
    return {"kind": "text", "text": words, "citations": (), "sources": ("text",)}


def arriving(conversation, digest="d1", file="conversations.json"):
    """Return the message that brings a conversation to ConversationPlaces."""
    return {"conversation": conversation, "digest": digest, "source": {"file": file, "offset": 0, "size": 1}}
