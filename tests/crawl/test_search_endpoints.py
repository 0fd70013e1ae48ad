"""The app that searches over HTTP: where it is asked, what is refused before anything begins, and how it ends if it fails."""

import contextlib
import json
import shutil

import pytest
from delivering import decoded, running
from local_server import Page, serving
from search_services import searxng
from site_of_pages import ALLOW, html, web
from websockets.sync.client import connect

from transmissions.homes import find_app

SEEN = ["metadata", "search_start", "search_results", "crawl_start", "search_result", "error", "search_summary", "summary"]


@pytest.fixture
def site():
    """Return a site of one page."""
    with web({"/a": html("A")}) as site:
        yield site


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Return a way to serve the app with a service that answers so."""
    monkeypatch.chdir(tmp_path)

    def serve(service):
        return running("deepsearch", settings=[f"search.url={service.url}", *(f"{name}={at}" for name, at in ALLOW.items())])

    return serve


def asking(**message):
    """Return what a client asks for."""
    return {"query": "roses", "crawl_options": {"cache_mode": "bypass"}, **message}


def frames(body):
    """Return the events in frames of Server-Sent Events."""
    return [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]


@contextlib.contextmanager
def on_socket(server):
    """Give a WebSocket on which a search was asked for."""
    with connect(server.url.replace("http", "ws") + "/deepsearch/ws") as socket:
        socket.recv()
        socket.send(json.dumps({"action": "deepsearch", "request_id": "a", "data": asking()}))
        yield socket


def names(events):
    """Return what events are called, without those that come when they will."""
    return [event["event"] for event in events if event["event"] not in {"progress", "heartbeat"}]


@pytest.mark.parametrize("path", ["/deepsearch/stream", "/deepsearch/sse"])
def test_ep02_ev05_ds01_ds05_a_search_is_streamed(site, serve, path):
    """It is announced, its events are in order, and the summaries come last."""
    with serving(searxng(site.urls("/a", "/none"))) as service, serve(service) as server:
        status, headers, body = server.ask("POST", path, asking())
    events = frames(body) if path.endswith("sse") else decoded(body)
    kind = "text/event-stream" if path.endswith("sse") else "application/x-ndjson"
    assert (status, headers["content-type"]) == (200, f"{kind}; charset=utf-8")
    assert sorted(names(events)) == sorted(SEEN)
    assert names(events)[:4] + names(events)[-2:] == SEEN[:4] + SEEN[-2:]
    assert (events[0]["stream_type"], events[-1]["status"]) == ("deepsearch", "partial")
    assert [events[-1][name] for name in ("total_urls", "successful", "failed")] == [2, 1, 1]
    assert all(event["timestamp"].endswith("Z") for event in events)


def test_ep02_a_search_on_a_socket(site, serve):
    """The same events, as messages."""
    kinds = []
    with serving(searxng(site.urls("/a", "/none"))) as service, serve(service) as server, on_socket(server) as socket:
        while not kinds or kinds[-1] != "summary":
            kinds.append(json.loads(socket.recv(20))["message_type"])
    assert sorted(set(kinds) - {"progress", "heartbeat"}) == sorted(SEEN)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ({}, {"query": "must be given"}),
        ({"query": ""}, {"query": "must have at least 1 character, not 0"}),
        ({"query": "x" * 501}, {"query": "may have at most 500 characters, not 501"}),
        ({"query": "a", "limit": 0}, {"limit": "0 is less than 1"}),
        ({"query": "a", "limit": 51}, {"limit": "51 is more than 50"}),
        ({"query": "a", "crawl_options": {"concurency": 1}}, {"crawl_options.concurency": "no such field; did you mean"}),
    ],
)
def test_rq09_rq10_a_body_that_makes_no_sense_is_refused(serve, message, fields):
    """Before a stream begins, in the same words everywhere, and nobody is asked."""
    with serving(searxng([])) as service, serve(service) as server:
        told = [server.ask("POST", path, message) for path in ("/deepsearch/stream", "/deepsearch/sse")]
    assert ([status for status, _, _ in told], service.connections) == ([400, 400], 0)
    found, same = (json.loads(body)["error"]["context"]["fields"] for _, _, body in told)
    assert found == same
    assert [one["name"] for one in found] == list(fields)
    assert all(one["message"].startswith(fields[one["name"]]) for one in found)


def test_rq09_a_body_may_say_everything(site, serve):
    """What it does not say has the published default."""
    everything = {"limit": 1, "include_content": True, "country": "DE", "locale": "de"}
    with serving(searxng(site.urls("/a", "/b"))) as service, serve(service) as server:
        events = decoded(server.ask("POST", "/deepsearch/stream", asking(**everything))[2])
        asked = json.loads(server.ask("GET", "/openapi.json")[2])
    assert [event["urls_found"] for event in events if event["event"] == "search_results"] == [1]
    assert '"maxLength": 500' in json.dumps(asked["paths"]["/deepsearch/stream"])


def test_ds06_without_content_the_summary_is_complete(site, serve):
    """Nothing is fetched, and nothing has failed."""
    with serving(searxng(site.urls("/a", "/none"))) as service, serve(service) as server:
        events = decoded(server.ask("POST", "/deepsearch/stream", asking(include_content=False))[2])
    assert names(events) == [*SEEN[:3], "search_result", "search_result", *SEEN[-2:]]
    assert (site.servers[0].connections, events[-1]["status"]) == (0, "complete")


def test_ds10_a_search_that_fails_ends_in_good_order(serve):
    """It is told that it began, then why there is nothing, and for how long; the summary says so."""
    with serving(lambda _: Page(b"", {"Retry-After": "60"}, 429)) as service, serve(service) as server:
        events = decoded(server.ask("POST", "/deepsearch/stream", asking())[2])
    assert names(events) == ["metadata", "search_start", "error", "summary"]
    error = next(event["error"] for event in events if event["event"] == "error")
    assert "answered 429 Too Many Requests" in error["message"]
    assert (error["retryable"], error["retry_after_seconds"]) == (True, 60)
    assert events[-1]["status"] == "failed"


def test_ds11_without_its_key_nothing_begins(tmp_path, monkeypatch):
    """Every way to ask is refused, and told which variable is missing."""
    folder = tmp_path / "apps" / "deepsearch"
    shutil.copytree(find_app("deepsearch").folder, folder)
    text = (folder / "transmissions.ttl").read_text()
    brave = text.replace(
        ":search a :SearXNGSearch ; :settings :engine", ':search a :BraveSearch ; :key [ :env "KEY_OF_BRAVE" ]'
    )
    (folder / "transmissions.ttl").write_text(brave)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEY_OF_BRAVE", raising=False)
    with running("deepsearch") as server:
        told = [server.ask("POST", path, asking()) for path in ("/deepsearch/stream", "/deepsearch/sse")]
        with on_socket(server) as socket:
            refused = json.loads(socket.recv(20))
    assert [(status, headers["retry-after"]) for status, headers, _ in told] == [(503, "60")] * 2
    assert all(b"the environment variable KEY_OF_BRAVE is not set" in body for _, _, body in told)
    assert (refused["message_type"], "KEY_OF_BRAVE" in json.dumps(refused)) == ("error", True)


@pytest.mark.parametrize("path", ["/deepsearch/stream", "/deepsearch/sse"])
def test_ds13_hits_lead_to_no_private_address(tmp_path, monkeypatch, path):
    """Whichever way they are asked for; without an allow-list the canary has no visit."""
    monkeypatch.chdir(tmp_path)
    with serving({}) as canary, serving(searxng([f"{canary.url}/a", "http://[::1]/"])) as service:
        with running("deepsearch", settings=[f"search.url={service.url}"]) as server:
            body = server.ask("POST", path, asking())[2]
        assert canary.connections == 0
    assert body.count(b'"POLICY_EGRESS"') == 2


@pytest.mark.parametrize("words", [8300, 8500, 8700])
def test_a_page_of_any_length_is_told_under_its_url(serve, words):
    """Also where it is hardly too long: what the delivery adds to it counts."""
    with (
        web({"/long": html("L", words=words)}) as site,
        serving(searxng(site.urls("/long"))) as service,
        serve(service) as server,
    ):
        asked = asking(crawl_options={"cache_mode": "bypass", "extraction": "full"})
        events = decoded(server.ask("POST", "/deepsearch/stream", asked)[2])
    assert [event["url"] for event in events if event["event"] in {"search_result", "error"}] == site.urls("/long")
