"""Records of coding agents' logs for tests, and what every conversion of them must hold to."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from transmissions.processors.blobs import Members
from transmissions.processors.shape import About
from transmissions.processors.spool import SpooledList

SAMPLES = Path(__file__).resolve().parents[1] / "apps/chat-archive/data/samples"
SESSION = "000000a1-5e55-4000-8000-0000000051a9"


def about(name="session.jsonl"):
    return About(name, Members())


def gathered(records, name=f"{SESSION}.jsonl"):
    return {"name": name, "items": records}


def sample(folder, pattern):
    """Return the name and the records of a sample."""
    (path,) = (SAMPLES / folder).rglob(pattern)
    return path.name, [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def spooled(items):
    """Return a list as the reader gives one that is too large for memory."""
    found = SpooledList()
    for item in items:
        found.append(item)
    return found


def all_of(conversation):
    """Return a conversation and those that came with it."""
    return [conversation, *conversation.get("also", ())]


def blocks_of(conversation, kind=None):
    blocks = [block for message in conversation["messages"] for block in message["blocks"]]
    return [block for block in blocks if kind in (None, block["kind"])]


def texts_of(conversation):
    return [block["text"] for block in blocks_of(conversation, "text")]


def assert_balanced(conversation):
    """Everything that was counted in the log is in the conversation, and nothing else."""
    for one in all_of(conversation):
        counts = one["counts"]
        assert Counter(source for block in blocks_of(one) for source in block["sources"]) == counts["blocks"]
        assert sum(1 for _ in one["messages"]) == len(one["messages"]) == counts["messages"]
        assert sum(len(message["attachments"]) for message in one["messages"]) == counts["attachments"]


def plain(conversation):
    """Return a conversation with its messages as lists, to compare."""
    return [{**one, "messages": list(one["messages"]), "also": None} for one in all_of(conversation)]
