"""Whatever is sent is as the document of the server says."""

import asyncio
import json

import pytest
from delivering import live, make_home, running, timed
from jsonschema import Draft202012Validator, FormatChecker

from transmissions.delivery import errors
from transmissions.delivery.connection import Connection, Pace
from transmissions.delivery.envelope import ESSENTIAL, as_line, make
from transmissions.delivery.openapi import document
from transmissions.delivery.schema import schemas


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers, whose runs tell of their progress with each result."""
    make_home(tmp_path, monkeypatch)
    monkeypatch.setattr("transmissions.delivery.telling._EVERY", 0.0)
    monkeypatch.setattr("transmissions.delivery.telling._RESULTS", 0)


def checker(document):
    """Return what checks an event against a server's document."""
    validator = Draft202012Validator({**document, "$ref": "#/components/schemas/Event"}, format_checker=FormatChecker())
    return validator.validate


def test_events_of_every_kind_are_as_the_document_says():
    """Of runs that end well and badly, with limits, at rest; and it says which version of the protocol they are of."""
    with running("numbers", "dead", "stops", "shown", pace=Pace(heartbeat=0.05)) as server:
        document = json.loads(server.ask("GET", "/openapi.json")[2])
        events = server.events("numbers", {"count": 2, "wait": 0.3}, x_max_bytes="100000")
        events += [one for app in ("dead", "stops", "shown") for one in server.events(app, {"count": 3})]
        events += server.events("numbers", {"count": 1, "fields": {"event": "own"}})
    check = checker(document)
    for event in events:
        check(event)
    assert {event["event"] for event in events} == {*ESSENTIAL, "own"} - {"reset", "backpressure_warning"}
    assert events[0]["protocol_version"] == document["info"]["x-protocol-version"] == "1.0"


def test_a_warning_and_a_reset_are_as_the_document_says():
    """They come when a client is slow, and when it asks for what is lost."""
    run = live("numbers", {"count": 1500}, limits={"initial": 64, "slow_send": 1, "memory": 1 << 20, "adaptive": False})
    events = [json.loads(make("reset", {"since": 9, "first": 1, "last": 0}).body)]

    async def main():
        async def send(pieces):
            await asyncio.sleep(0.005)
            events.extend(json.loads(piece) for piece in pieces)

        run.start()
        await Connection(run, "ndjson", as_line, Pace()).deliver(send)
        await run.close()

    timed(main())
    check = checker({"components": {"schemas": schemas()}})
    for event in events:
        check(event)
    assert {"reset", "backpressure_warning"} <= {event["event"] for event in events}


def test_every_event_has_a_schema():
    """Nothing is sent that is not described."""
    assert {f"{name}_event" for name in ESSENTIAL} | {"Event"} == set(schemas())


def test_every_refusal_of_a_request_is_described():
    """A client that is made from the description has to know what it may be answered."""
    kinds = [getattr(errors, name) for name in vars(errors)]
    refusals = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, errors.DeliveryError)]
    refused = {str(kind.status) for kind in refusals if kind.status < 500}
    responses = document({"made": {}})["paths"]["/apps/{app}/stream"]["post"]["responses"]
    assert {"422", "429"} <= refused <= set(responses)
