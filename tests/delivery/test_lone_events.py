"""Events that come alone: they are sent by whoever brings them, where nothing has to be waited for."""

import pytest
from delivering import decoded, live, make_home, timed

from transmissions.delivery import connection as connections
from transmissions.delivery import telling
from transmissions.delivery.connection import Connection, Pace
from transmissions.delivery.envelope import as_line
from transmissions.delivery.lifecycle import Sent


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

    def now(piece):
        if not at_once(len(sent)):
            return False
        sent.extend(("at once", event) for event in decoded(piece))
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


def test_single_results_are_told_of_together_and_none_is_left_out():
    """What counts them takes as long as to send them; whoever asks has them told by then."""
    told, asked = [], []

    async def listened():
        run, written = live("numbers", {"count": 50, "wait": 0.001}), []
        run.lifecycle.listen(told.append, Sent)

        async def send(pieces):
            written.extend(decoded(b"".join(pieces)))

        def now(piece):
            if len(written) == 20:
                run.lifecycle.settle()
                asked.append(sum(sum(one.names.values()) for one in told) - len(written))
            written.extend(decoded(piece))
            return True

        run.start()
        await Connection(run, "ndjson", as_line, Pace()).deliver(send, 0, now)
        await run.close()
        return run, written

    run, written = timed(listened())
    assert asked == [0]
    assert sum(one.names.get("result", 0) for one in told) == 50
    assert sum(sum(one.names.values()) for one in told) == len(written)
    assert len(told) < sum(one.sends for one in told) == run.log.flushes


def test_how_far_a_run_is_is_told_between_results_only_now_and_then(monkeypatch):
    """Each of them says it, too."""
    monkeypatch.setattr(telling, "_EVERY", 0.0)
    sent, _ = timed(read(lambda _: True))
    names = [event["event"] for _, event in sent]
    assert 5 <= names.count("progress") <= 7
