"""Runs that do not end when they are told to: their clients are told, and what comes later is told to nobody."""

import json
from pathlib import Path

import pytest
from delivering import PREFIX, decoded, make_home, running
from waiting import eventually

STEP = '''
import os
import time
from transmissions import Processor


class Held(Processor):
    """Wait in a thread until there is a file `go`: nothing can stop that."""

    placement = "thread"

    def process(self, message):
        until = time.monotonic() + 20
        while not os.path.exists("go") and time.monotonic() < until:
            time.sleep(0.01)
        self.context.show("late")
        return message
'''


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Give a server of an app that holds what it gets, and let it go in the end."""
    make_home(tmp_path, monkeypatch)
    (tmp_path / "processors" / "held.py").write_text(STEP)
    (tmp_path / "apps" / "held").mkdir()
    (tmp_path / "apps" / "held" / "transmissions.ttl").write_text(
        f"{PREFIX}:held a :EntryTransmission ; :pipe ( [ a :Held ] ) ."
    )
    monkeypatch.setattr("transmissions.delivery.ending.PATIENCE", 0.05)
    with running("held") as server:
        yield server
        (tmp_path / "go").touch()


def end_of(server, reply):
    """Return the last events of a stream that ended, when its run has ended too, which tells nothing more."""
    events = decoded(reply.read())
    name = events[0]["request_id"]
    assert server.streams.hub.streams == 1
    Path("go").touch()
    assert eventually(lambda: server.streams.hub.streams == 0)
    assert decoded(server.ask("GET", f"/runs/{name}/stream")[2]) == events
    assert json.loads(server.ask("GET", f"/runs/{name}")[2])["state"] == events[-1]["status"]
    return events[1:]


def test_who_cancels_a_call_in_a_thread_is_told_the_end(server):
    """Though the thread goes on; its place is taken until it ends."""
    with server.asked("POST", "/apps/held/stream", x_request_id="run") as reply:
        server.ask("DELETE", "/runs/run")
        [summary] = end_of(server, reply)
    assert (summary["event"], summary["status"]) == ("summary", "cancelled")


def test_a_time_limit_holds_for_a_call_in_a_thread(server):
    """The one a client asks for is the reason of the end, and no failure."""
    with server.asked("POST", "/apps/held/stream", x_max_duration="100") as reply:
        [summary] = end_of(server, reply)
    assert (summary["status"], summary["reason"]) == ("partial", "time limit")


def test_a_run_that_takes_too_long_in_a_thread_fails_in_time(server, monkeypatch):
    """With the error that every other run has which takes too long."""
    monkeypatch.setattr(server.streams._requests, "_timeout", 0.1)
    with server.asked("POST", "/apps/held/stream") as reply:
        error, summary = end_of(server, reply)
    assert (error["error"]["error_code"], summary["status"]) == ("NET_TIMEOUT", "failed")


def test_a_client_is_told_the_end_by_a_server_that_ends(server):
    """It does not wait for what cannot be stopped to tell so."""
    with server.asked("POST", "/apps/held/stream") as reply:
        assert reply.readline()
        server.server.should_exit = True
        [*_, summary] = decoded(reply.read())
    assert (summary["event"], summary["status"], summary["reason"]) == ("summary", "cancelled", "shutdown")
