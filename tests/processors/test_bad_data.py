"""Messages whose fields hold anything: what cannot be meant is told in words, never as an accident of Python."""

import asyncio
import re

import pytest
from makers import MAKERS, OF_CRAWLS, WAY
from served_makers import SERVED

from transmissions import NodeFailed
from transmissions.errors import describe
from transmissions.testing import bench, lay_files

JSON = (7, -1, 2.5, True, None, "", "x", "\ud800\x00", [], {}, [None], [[]], [7], {"a": None}, "9" * 30, float("nan"), 10**400)
ODD = (*JSON, b"\xff\0")
CRAWLING = {type(held.make()).__name__ for held in OF_CRAWLS} | {"PageFetch", "RobotsCheck"}
ACCIDENT = re.compile(r"[A-Z]\w*(Error|Exception|Iteration)\b")


def variants(value, odd):
    """Yield anything odd in the place of a value, and of each value in it."""
    yield from odd
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: other} for other in variants(inner, odd))
            yield {key: other for key, other in value.items() if key != name}
    if isinstance(value, list) and value:
        yield from ([other] for other in variants(value[0], odd))


def odd_messages(name, message):
    """Return messages of which one field is strange or missing; what is inside one, steps of a conversion or a crawl trust."""
    if name in {step.__name__ for step in WAY}:
        whole = message.get("conversation")
        parts = [{key: part for key, part in (whole or {}).items() if key != gone} for gone in (whole or {})]
        return [{**message, "conversation": other} for other in (*ODD, *parts)]
    if name in CRAWLING:
        gone = [{key: value for key, value in message.items() if key != name} for name in message]
        return [{}, *({**message, key: other} for key in message for other in ODD), *gone]
    odd = JSON if name == "ConversationImporter" else ODD  # What it takes has been JSON, and has no bytes.
    return [{}, *(other for other in variants(message, odd) if isinstance(other, dict))]


def faults(name, held, folder):
    """Return how a processor tells of strange messages."""
    lay_files(held.files, folder)
    told = []
    run = bench([held.make()], odd_messages(name, held.messages[0]), folder, on_error="skip")
    run.on("error", lambda _, fields: told.append(fields["error"]))
    if held.prepare:
        held.prepare(run)

    async def work():
        async with run:
            await run.wait()

    try:
        asyncio.run(work())
    except NodeFailed as failure:
        told.append(describe(failure.cause))
    return told


@pytest.mark.parametrize(("name", "held"), MAKERS, ids=[name for name, _ in MAKERS])
def test_strange_messages_are_told_in_words(name, held, tmp_path):
    """Every processor takes them, or says what it expected."""
    assert [told for told in faults(name, held(), tmp_path) if ACCIDENT.match(told)] == []


@pytest.mark.parametrize("name", sorted(SERVED.keys() - {"HttpServer"}))
def test_strange_messages_are_told_in_words_where_a_server_is_asked(name, tmp_path):
    """So they are by those that talk to others; HttpServer only passes on what it is given."""
    with SERVED[name]() as held:
        assert [told for told in faults(name, held, tmp_path) if ACCIDENT.match(told)] == []
