"""What the tests of importers share: the samples as elements, their conversion, its account, and ways to spoil them."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from transmissions.processors.blobs import Members
from transmissions.processors.importer import ConversationImporter
from transmissions.processors.inputs import Archive
from transmissions.processors.reading import read_part
from transmissions.processors.zip_archive import Limits

SAMPLES = Path(__file__).parent.parent / "apps/chat-archive/data/samples"
ODD = (None, True, 0, -7, 2.5, "", "x", "\ud800\x00", [], {}, [None], [[]], {"type": 5}, {"text": ["a"]}, "9" * 30, 1e300, "{]")


class Sample(NamedTuple):
    """One element of a sample, and where it comes from."""

    shape: str
    element: object
    file: str
    members: Members


def samples(folder):
    """Return the elements of a sample, in order."""
    archive = Archive(SAMPLES / folder, Limits())
    members = Members(part.blob for part in archive.parts)
    found = [(part, item) for part in archive.parts if part.shape for item in read_part(part.blob, part.shape, 1 << 22)]
    return [Sample(part.shape.name, item.value, part.blob.name, members) for part, item in found]


def imported(sample, element=...):
    """Return the conversation that a sample's element becomes, or one that stands in its place."""
    element = sample.element if element is ... else element
    message = {"element": element, "shape": sample.shape, "source": {"file": sample.file}, "members": sample.members}
    made = ConversationImporter().process(message)
    return (made[0] if isinstance(made, list) else made)["conversation"]


def conversations(folder):
    """Return what a sample becomes."""
    return [imported(sample) for sample in samples(folder)]


def blocks(conversation):
    """Return all blocks of a conversation."""
    return [block for message in conversation["messages"] for block in message["blocks"]]


def check_account(conversation):
    """Compare what a conversation holds with the counts its converter took from the archive."""
    messages, counts = list(conversation["messages"]), conversation["counts"]
    sources = Counter(source for block in blocks(conversation) for source in block["sources"])
    assert dict(sources) == counts["blocks"]
    assert len(messages) == len(conversation["messages"]) == counts["messages"]
    assert sum(len(message["files"]) for message in messages) == counts["files"]
    assert sum(len(message["attachments"]) for message in messages) == counts["attachments"]


def spoil(value, random):
    """Return a copy of a JSON value in which a few places are something else, missing, or there twice."""
    value = copy.deepcopy(value)
    for _ in range(random.randint(1, 4)):
        holder, key = random.choice(list(_places(value)) or [([value], 0)])
        deed = random.randint(0, 3)
        if deed == 0:
            del holder[key]
        elif deed == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif deed == 2:
            holder[key] = random.choice(([holder[key]], {"value": holder[key]}, json.dumps(holder[key])))
        else:
            holder[key] = copy.deepcopy(random.choice(ODD))
    return value


def _places(value):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield value, key
        yield from _places(item)
