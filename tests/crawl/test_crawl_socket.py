"""Crawls on a WebSocket: several at once, each under its own name, held, gone on with and ended as their client says."""

import contextlib
import json
import time

import pytest
from local_server import Page
from site_of_pages import Held, Slow, asking, html, serving_crawls, web
from websockets.sync.client import connect

MANY = {f"/{number}": Slow(0.05, html("S", words=3)) for number in range(40)}


class Talk:
    """A socket and all it was told."""

    def __init__(self, socket):
        self.socket = socket
        self.told = []

    def say(self, action, **fields):
        """Send a request."""
        self.socket.send(json.dumps({"action": action, **fields}))

    def until(self, kind, request_id=None):
        """Read on to a message of a kind, of one request if that is named, and return its data."""
        while True:
            message = json.loads(self.socket.recv(timeout=20))
            told, data = message.get("message_type") or message["event"], message.get("data", message)
            self.told.append((told, data))
            if told == kind and request_id in {None, data.get("request_id")}:
                return data

    def of(self, request_id):
        """Return what was told of one request: its kinds, and its data."""
        return [(kind, data) for kind, data in self.told if data.get("request_id") == request_id]


@contextlib.contextmanager
def talking(pages, hosts=1):
    """Serve some pages and the app, and open a socket to it."""
    with (
        web(pages, hosts) as site,
        serving_crawls() as server,
        connect(server.url.replace("http", "ws") + "/crawl/ws?session_id=session-1-abc") as socket,
    ):
        yield Talk(socket), site


def test_ep07_ws01_ws03_ws06_a_crawl_is_told_on_a_socket():
    """Welcome, then for the request `crawl` its `metadata`, results and `summary`; the socket stays open."""
    with talking({"/a": html("A")}) as (talk, site):
        welcome = talk.until("welcome")
        talk.say("crawl", request_id="one", data=asking(site.urls("/a", "/none")), timestamp="2026-01-01T00:00:00Z")
        summary = talk.until("summary")
        talk.say("ping", request_id="two")
        assert talk.until("pong")
    kinds = [kind for kind, _ in talk.of("one") if kind != "progress"]
    assert (kinds[0], sorted(kinds[1:-1]), kinds[-1]) == ("metadata", ["error", "result"], "summary")
    assert (welcome["session_id"], summary["successful"], summary["failed"]) == ("session-1-abc", 1, 1)
    assert "crawl" in welcome["supported_operations"]


def test_ws04_the_other_dialect_is_answered_in_its_own_words():
    """Fields beside the action, `requestId` and `sessionId` come back as they were sent."""
    with talking({"/a": html("A")}) as (talk, site):
        talk.say("crawl", requestId="mine", sessionId="of-the-page", timestamp=1700000000000, **asking(site.urls("/a")))
        summary = talk.until("summary")
    assert (summary["requestId"], summary["sessionId"], summary["successful"]) == ("mine", "of-the-page", 1)


def test_ws05_ws07_two_crawls_are_told_apart():
    """Both at once, so that neither waits for the other, and everything under the name of its own."""
    held = Held(html("S", words=3))
    with talking({"/held": held, "/quick": html("Q", words=3)}, hosts=2) as (talk, site):
        talk.until("welcome")
        for name, path in {"one": "/held", "two": "/quick"}.items():
            talk.say("crawl", request_id=name, data=asking(site.urls(path)))
        assert talk.until("summary")["request_id"] == "two"
        held.let_go.set()
        assert talk.until("summary")["request_id"] == "one"
    assert len(talk.of("one")) + len(talk.of("two")) == len(talk.told) - 1
    results = [(data["request_id"], data["result"]["url"]) for kind, data in talk.told if kind == "result"]
    assert results == [("two", site.url("/quick")), ("one", site.url("/held"))]


def test_ws08_ws09_while_a_crawl_is_paused_nothing_is_fetched():
    """What was on its way arrives, no other page is asked for, and then the rest comes, each once."""
    with talking(MANY) as (talk, site):
        talk.say("crawl", request_id="one", data=asking(site.urls(*MANY)))
        talk.until("result")
        talk.say("pause", request_id="one")
        talk.until("pause_ack")
        time.sleep(0.3)
        held = len(site.begun)
        time.sleep(0.3)
        assert len(site.begun) == held < len(MANY)
        talk.say("resume", request_id="one")
        talk.until("resume_ack")
        summary = talk.until("summary")
    assert (summary["status"], summary["successful"]) == ("complete", len(MANY))
    assert site.asked() == dict.fromkeys(MANY, 1)


def test_ws10_a_crawl_that_is_cancelled_stops():
    """No page is asked for any more, and its summary says that it was cancelled, with what was done."""
    with talking(MANY) as (talk, site):
        talk.say("crawl", request_id="one", data=asking(site.urls(*MANY)))
        talk.until("result")
        talk.say("cancel", request_id="one")
        summary = talk.until("summary")
        asked = len(site.begun)
        time.sleep(0.3)
        assert len(site.begun) == asked < len(MANY)
    results = [kind for kind, _ in talk.told if kind == "result"]
    assert (summary["status"], summary["request_id"]) == ("cancelled", "one")
    assert 1 <= len(results) <= summary["successful"] < len(MANY)


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_ws11_to_say_it_twice_does_no_harm(action):
    """An unknown request is an error, and the socket stays."""
    with talking(MANY) as (talk, site):
        talk.say("crawl", request_id="one", data=asking(site.urls(*MANY)))
        talk.until("metadata")
        for _ in "12":
            talk.say(action, request_id="one")
        talk.say(action, request_id="nobody")
        refused = talk.until("error")
        talk.say("ping", request_id="p")
        talk.until("pong")
    assert "nobody" in json.dumps(refused)


def test_ws12_the_state_of_a_crawl_may_be_asked_for():
    """Whether it goes on, and how far it is."""
    with talking(MANY) as (talk, site):
        talk.say("crawl", request_id="one", data=asking(site.urls(*MANY)))
        talk.until("result")
        talk.say("status", request_id="one")
        status = json.dumps(talk.until("status"))
    assert '"running"' in status
    assert f'"total": {len(MANY)}' in status


def test_ws17_rq12_what_makes_no_sense_is_refused_under_its_name():
    """As over HTTP, and the socket stays."""
    with talking({}) as (talk, _):
        talk.say("crawl", request_id="one", data={"urls": ["x"] * 101})
        error = talk.until("error")
    assert (error["request_id"], error["error_type"]) == ("one", "validation_error")
    assert "urls: may have at most 100 values, not 101" in error["message"]


def test_bp10_a_client_that_reads_nothing_slows_the_crawl():
    """When its buffer is full no more pages are fetched, and none is lost when it reads on."""
    pages = {
        f"/{number}": Page(b"%d. A line of a text.\n" % number * 6000, {"Content-Type": "text/plain"}) for number in range(60)
    }
    with (
        web(pages, hosts=2) as site,
        serving_crawls("ask.perHost=8", "fetch.perHost=8") as server,
        server.asked("POST", "/crawl/stream", asking(site.urls(*pages))) as reply,
    ):
        reply.readline()
        asked = -1
        while asked != len(site.begun):
            asked = len(site.begun)
            time.sleep(0.6)
        told = [json.loads(line) for line in reply]
    assert asked < len(pages)
    assert told[-1]["successful"] == len(pages)
