"""Events that come alone: they are sent by whoever brings them, where nothing has to be waited for."""

import gc

import pytest
from delivering import decoded, live, make_home, timed

from transmissions.delivery import connection as connections
from transmissions.delivery.connection import Connection, Pace
from transmissions.delivery.envelope import as_line
from transmissions.delivery.extensions import READY, at_once


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers, whose every event counts as one that comes alone."""
    make_home(tmp_path, monkeypatch)
    monkeypatch.setattr(connections, "_LONE", 0.0)


async def read(at_once, count=50):
    """Return the events a client gets, by whom they were sent: `woken` is the connection's own task."""
    run, sent = live("numbers", {"count": count, "wait": 0.001}), []

    async def send(pieces):
        sent.extend(("woken", event) for event in decoded(b"".join(pieces)))

    def now(pieces):
        if not at_once(len(sent)):
            return False
        sent.extend(("at once", event) for event in decoded(b"".join(pieces)))
        return True

    run.start()
    await Connection(run, "ndjson", as_line, Pace()).deliver(send, 0, now)
    await run.close()
    return sent, run


@pytest.mark.parametrize("at_once", [lambda _: True, lambda _: False, lambda sent: sent % 3])
def test_every_event_comes_once_and_in_order_whoever_sends_it(at_once):
    """Where some cannot be sent at once the connection sends them, and no others twice."""
    sent, run = timed(read(at_once))
    events = [event for _, event in sent]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["result"]["n"] for event in events if event["event"] == "result"] == list(range(50))
    assert (events[-1]["event"], run.log.taken) == ("summary", run.log.last)


def test_lone_events_are_sent_by_whoever_brings_them_and_the_last_by_the_connection():
    """It ends the answer with it; the figures count both alike."""
    sent, run = timed(read(lambda _: True))
    ways = [way for way, event in sent if event["event"] == "result"]
    assert ways.count("at once") > 40
    assert sent[-1][0] == "woken"
    assert run.log.flushes <= len(sent)


@pytest.mark.parametrize(("is_ready", "is_sent"), [(True, True), (False, False), (None, False)])
def test_nothing_is_sent_at_once_where_the_server_does_not_say_that_it_can(is_ready, is_sent):
    """Its sending may have to wait, and who brings an event is not to wait for a client."""
    sent = []

    async def send():
        sent.append("event")

    extensions = {} if is_ready is None else {READY: lambda: is_ready}
    assert at_once({"extensions": extensions}, send) is is_sent
    assert bool(sent) is is_sent


def test_what_fails_at_once_is_left_to_the_connection():
    """A client that is just going must not fail the step that brought the event."""

    async def fail():
        raise OSError("gone")

    assert not at_once({"extensions": {READY: lambda: True}}, fail)


def test_sending_at_once_leaves_no_garbage():
    """What tells of its end would hold the frames of all who called, for each event, until somebody collects them."""

    async def send():
        pass

    gc.collect()
    gc.disable()
    try:
        assert at_once({"extensions": {READY: lambda: True}}, send)
        assert gc.collect() == 0
    finally:
        gc.enable()
