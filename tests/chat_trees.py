"""Made-up chats that are kept as trees, for the tests of their converters."""

from __future__ import annotations

import json
from pathlib import Path

from transmissions.processors.blobs import Blob, Members
from transmissions.processors.shape import About

SAMPLES = Path(__file__).parent.parent / "apps" / "chat-archive" / "data" / "samples"


def about(folder=None, file="conversations.json"):
    """Return where an element comes from: an archive with the files of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else ()
    return About(file, Members(Blob(path, path.relative_to(folder).as_posix(), path.stat().st_size) for path in files))


def sample(name):
    """Return what a sample holds."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def text(*parts):
    return {"content_type": "text", "parts": list(parts)}


def message(role, content, *, name=None, recipient="all", time=None, **metadata):
    """Return a message of ChatGPT."""
    author = {"role": role, "name": name}
    return {"author": author, "create_time": time, "content": content, "recipient": recipient, "metadata": metadata}


def node(parent, held=None, *children):
    return {"parent": parent, "children": list(children), "message": held}


def chain(*messages):
    """Return a conversation of ChatGPT whose messages follow each other: `m0`, `m1` and so on."""
    nodes = {"root": node(None, None, "m0")}
    for place, held in enumerate(messages):
        nodes[f"m{place}"] = node(f"m{place - 1}" if place else "root", held, f"m{place + 1}")
    return {"id": "c", "mapping": nodes, "current_node": f"m{len(messages) - 1}"}


def types_in(conversation):
    """Return how many blocks stand for each type of the archive."""
    found = {}
    for told in conversation["messages"]:
        for source in (source for block in told["blocks"] for source in block["sources"]):
            found[source] = found.get(source, 0) + 1
    return found


def balances(conversation):
    """Whether the messages account for all that the archive was counted to hold."""
    counts, messages = conversation["counts"], list(conversation["messages"])
    files = sum(len(told["files"]) for told in messages)
    return (len(messages), types_in(conversation), files) == (counts["messages"], counts["blocks"], counts["files"])
