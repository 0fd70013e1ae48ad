"""ShowMessage and ShowConfig."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph
import rdflib

from transmissions.processors.show import ShowConfig, ShowCounts, ShowMessage
from transmissions.testing import bench as through_engine
from transmissions.testing import through


def test_a_message_is_printed_as_json_under_its_alert(bench):
    """Long texts are shortened; what JSON has no word for is described; the message goes on unchanged."""
    message = {"a": "x" * 101, "b": b"abc", "c": datetime(2024, 1, 2, tzinfo=UTC), "d": {1: ("é", "\ud83d")}, "e": None}
    message["f"] = [message]
    assert bench.through(ShowMessage(alert="look"), message) == [message]
    alert, top, *body, blank, bottom = bench.shown.splitlines()
    assert (alert.strip(), top, blank, bottom) == ("look", "Message vvvvvvvvvvvvvvvvvvvvvvvv", "", "^" * 32)
    assert json.loads("\n".join(body)) == {
        "a": "x" * 100 + "...", "b": "[3 bytes]", "c": "2024-01-02T00:00:00+00:00", "d": {"1": ["é", "?"]}, "e": None,
        "f": ["[Circular]"],
    }  # fmt: skip


def test_the_frame_and_the_limit_can_be_switched_off(bench):
    """Without an alert the output is JSON only, and a limit of 0 prints all."""
    bench.through(ShowMessage(alert="", string_limit=0), {"a": "x" * 200})
    assert json.loads(bench.shown) == {"a": "x" * 200}


def test_an_object_met_twice_is_printed_twice(bench):
    """Only what is inside itself is circular."""
    shared = {"k": 1}
    bench.through(ShowMessage(alert=""), {"a": shared, "b": shared})
    assert json.loads(bench.shown) == {"a": {"k": 1}, "b": {"k": 1}}


def test_the_plan_is_printed_once(bench):
    """Every node is named with its settings and where they were written."""
    assert bench.through(ShowConfig(), {"a": 1}, {"a": 2}) == [{"a": 1}, {"a": 2}]
    assert bench.shown.splitlines()[1:] == [
        "  main/it  It  (transmissions.ttl:7:1)",
        "    rate = 5  (transmissions.ttl:7:1)",
    ]


def test_what_was_counted_is_printed_at_the_end(bench):
    """Nodes come in the order of the plan; channels that nobody declared are left out."""
    bench.counted["nodes"] = {"main/it": {"received": 12, "sent": 10, "dropped": 2, "failed": 0}, "other": {}}
    bench.counted["buffers"] = {"main/it": {"peakItems": 1}}
    assert bench.through(ShowCounts(), {"a": 1}) == [{"a": 1}]
    heading, row = bench.shown.splitlines()
    assert heading.split() == ["node", "received", "sent", "dropped", "failed"]
    assert row.split() == ["main/it", "12", "10", "2", "0"]
    assert len(heading) == len(row)


def test_declared_buffers_have_a_table_of_their_own(bench):
    """What a buffer held, how often it paused, and what it dropped."""
    figures = ["maxBufferUsage", "peakItems", "pauseCount", "resumeCount", "totalPauseDuration", "overflowEvents", "dropped"]
    bench.counted["buffers"] = {"main/hold": {name: 1000 + number for number, name in enumerate(figures)}}
    bench.through(ShowCounts(), {})
    assert bench.shown.splitlines()[-1].split() == ["main/hold", *map(str, range(1000, 1007))]


def test_the_first_and_last_value_of_a_field_are_printed(bench):
    """They tell which messages came through."""
    bench.through(ShowCounts(field="n.m"), *({"n": {"m": number}} for number in (3, 9, 5)))
    assert bench.shown.splitlines()[-1] == "n.m: from 3 to 5"


def test_a_listener_gets_what_is_printed(capsys):
    """Somebody who listens to `output` gets the text and the node; standard output is left alone."""
    told = []

    async def main():
        async with through_engine([ShowMessage(alert="")], [{"a": 1}], Path()) as run:
            run.on("output", lambda _, fields: told.append(fields))
            await run.wait()

    asyncio.run(main())
    assert told == [{"node": "test/ShowMessage", "text": '{\n  "a": 1\n}\n'}]
    assert capsys.readouterr().out == ""


def test_without_a_listener_it_is_standard_output(capsys):
    """Nothing stands between the text and the stream."""
    through(ShowMessage(alert=""), [{"a": 1}])
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_a_dataset_object_is_named_and_not_printed(capsys):
    """A processor of one's own may put one into a message; it has no text worth printing."""
    through(ShowMessage(alert=""), [{"r": rdflib.Graph(), "o": pyoxigraph.Store(), "iri": rdflib.URIRef("http://e/")}])
    skipped = "[RDF Dataset: Skipped]"
    assert json.loads(capsys.readouterr().out) == {"r": skipped, "o": skipped, "iri": "http://e/"}
