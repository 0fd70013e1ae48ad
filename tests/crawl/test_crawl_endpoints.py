"""The app over HTTP: where it is asked, what is refused before anything begins, and that no page holds up another."""

import json
import shutil
import time

import pytest
from delivering import decoded
from local_server import Page
from site_of_pages import Held, Slow, asking, html, serving_crawls, web
from waiting import eventually


def frames(body):
    """Return the events in frames of Server-Sent Events."""
    return [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]


def about(events):
    """Return for each page whether it is a result or an error."""
    return sorted((event["index"], event["event"]) for event in events if event["event"] in {"result", "error"})


def refused(server, message, path="/crawl/stream"):
    """Return the status of a refusal, and the fields it is about."""
    status, _, body = server.ask("POST", path, message)
    return status, {one["name"]: one["message"] for one in json.loads(body)["error"]["context"]["fields"]}


@pytest.mark.parametrize("path", ["/crawl/stream", "/crawl/sse"])
def test_ep01_ep03_ev34_a_crawl_is_streamed(path):
    """It begins with `metadata`, ends with one `summary`, and every URL has one result or one error between them."""
    with web({"/a": html("A")}) as site, serving_crawls() as server:
        status, headers, body = server.ask("POST", path, asking([*site.urls("/a", "/none", "/a"), "nonsense"]))
    events = frames(body) if path.endswith("sse") else decoded(body)
    kind = "text/event-stream" if path.endswith("sse") else "application/x-ndjson"
    assert (status, headers["content-type"]) == (200, f"{kind}; charset=utf-8")
    assert (events[0]["event"], events[0]["stream_type"], events[0]["total_urls"]) == ("metadata", "crawl", 4)
    assert about(events) == [(0, "result"), (1, "error"), (2, "result"), (3, "error")]
    assert [event["event"] for event in events].index("summary") == len(events) - 1


@pytest.mark.parametrize("path", ["/crawl/sse", "/crawl/sse/stream"])
def test_ep04_ep05_ep06_a_crawl_is_followed_where_it_was_begun(path):
    """A POST with a session begins it, and a GET has all of it from the first event."""
    with web({"/a": html("A")}) as site, serving_crawls() as server:
        status, _, body = server.ask("POST", "/crawl/sse", asking(site.urls("/a", "/none")), X_Session_ID="session-1-abc")
        events = frames(server.ask("GET", f"{path}?session_id=session-1-abc")[2])
    assert (status, json.loads(body)["request_id"]) == (202, events[0]["request_id"])
    assert (events[0]["event"], about(events), events[-1]["event"]) == ("metadata", [(0, "result"), (1, "error")], "summary")


def test_ep11_ep12_unknown_sessions_and_methods_are_refused():
    """In JSON, with what is allowed instead."""
    with serving_crawls() as server:
        unknown = server.ask("GET", "/crawl/sse?session_id=session-1-nobody")
        wrong = server.ask("GET", "/crawl/stream")
    assert (unknown[0], unknown[1]["content-type"]) == (404, "application/json")
    assert (wrong[0], wrong[1]["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ({}, {"urls": "must be given"}),
        ({"urls": []}, {"urls": "must have at least 1 value, not 0"}),
        ({"urls": "http://x/"}, {"urls": "must be a list, not 'http://x/'"}),
        ({"urls": ["http://127.0.0.1:1/"] * 101}, {"urls": "may have at most 100 values, not 101"}),
        ({"urls": ["x"], "options": {"concurrency": 0}}, {"options.concurrency": "0 is less than 1"}),
        ({"urls": ["x"], "options": {"max_pages": True}}, {"options.max_pages": "must be a whole number, not true or false"}),
        (
            {"urls": ["x"], "options": {"cachemode": "x"}},
            {"options.cachemode": "no such field; did you mean 'cache_mode'?"},
        ),
    ],
)
def test_rq01_rq02_rq03_rq08_what_makes_no_sense_is_refused_before_the_stream(message, fields):
    """The body says which field, and what would do."""
    with serving_crawls() as server:
        assert refused(server, message) == (400, fields)


def test_rq03_the_description_says_how_many_urls_there_may_be():
    """As many as the app's own setting allows."""
    with serving_crawls("ask.mostUrls=7") as server:
        paths = json.loads(server.ask("GET", "/openapi.json")[2])["paths"]
    body = paths["/crawl/stream"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["urls"]["maxItems"] == 7


def test_rq04_a_body_that_is_no_json_is_refused():
    """What is broken is a bad request; what is something else is of the wrong type."""
    with serving_crawls() as server:
        assert server.ask("POST", "/crawl/stream", b"{", Content_Type="application/json")[0] == 400
        assert server.ask("POST", "/crawl/stream", b"urls=a", Content_Type="application/x-www-form-urlencoded")[0] == 415


def test_rq05_no_more_pages_are_fetched_at_once_than_was_asked_for():
    """Whatever hosts they are of."""
    pages = {f"/{number}": Slow(0.02, html("S")) for number in range(16)}
    with web(pages, hosts=4) as site, serving_crawls("ask.perHost=9", "fetch.perHost=9") as server:
        server.ask("POST", "/crawl/stream", asking(site.urls(*pages), concurrency=3))
    assert site.most_at_once == 3


@pytest.mark.parametrize(
    ("mode", "first", "second"),
    [
        *((mode, False, True) for mode in ("read_write", "enabled", "read_through", "write_through")),
        *((mode, False, False) for mode in ("disabled", "bypass", "read_only", "write_only")),
    ],
)
def test_rq06_a_request_says_what_becomes_of_the_cache(mode, first, second):
    """Asked twice for the same page."""
    with web({"/a": html("A")}) as site, serving_crawls("cache.store=memory:") as server:
        told = [decoded(server.ask("POST", "/crawl/stream", asking(site.urls("/a"), cache_mode=mode))[2]) for _ in "12"]
    cached = [event["result"]["from_cache"] for events in told for event in events if event["event"] == "result"]
    assert cached == [first, second]


def test_rq06_another_mode_is_refused_with_those_there_are():
    """Before the stream."""
    with serving_crawls() as server:
        status, fields = refused(server, {"urls": ["x"], "options": {"cache_mode": "readwrite"}})
    assert status == 400
    assert "did you mean 'read_write'?" in fields["options.cache_mode"]


def test_nd02_nd03_quick_pages_are_told_while_slow_ones_are_on_their_way():
    """The client has the first line and the quick page before the slow one, asked for in front of it, is answered at all."""
    slow = Held(html("S"))
    with (
        web({"/slow": slow, "/quick": html("Q")}, hosts=2) as site,
        serving_crawls() as server,
        server.asked("POST", "/crawl/stream", asking(site.urls("/slow", "/quick"))) as reply,
    ):
        lines = map(json.loads, reply)
        first, quick = next(lines), next(line for line in lines if line["event"] == "result")
        slow.let_go.set()
        rest = [line["result"]["url"] for line in lines if line["event"] == "result"]
    assert (first["event"], quick["index"], rest) == ("metadata", 1, [site.url("/slow")])


def test_a_small_crawl_does_not_wait_for_a_large_one():
    """Of one host, too, they have their turns one after the other."""
    pages = {f"/{number}": Slow(0.02, html("S", words=3)) for number in range(60)}
    with (
        web(pages) as site,
        serving_crawls() as server,
        server.asked("POST", "/crawl/stream", asking(site.urls(*pages))) as large,
    ):
        first = json.loads(large.readline())
        small = decoded(server.ask("POST", "/crawl/stream", asking(site.urls("/0", "/1", "/2")))[2])
        state = server.streams.hub.runs
        waiting = [run.counts.ended for run in state.values() if run.name == first["request_id"]]
        large.read()
    assert small[-1]["successful"] == 3
    assert waiting[0] < 40


def test_a_host_is_spared_by_all_crawls_together():
    """Two clients that ask for pages of one host have as many at once as one would."""
    pages = {f"/{number}": Slow(0.03, html("S", words=3)) for number in range(12)}
    with (
        web(pages) as site,
        serving_crawls() as server,
        server.asked("POST", "/crawl/stream", asking(site.urls(*pages))) as first,
        server.asked("POST", "/crawl/stream", asking(site.urls(*pages))) as second,
    ):
        assert [decoded(reply.read())[-1]["successful"] for reply in (first, second)] == [12, 12]
    assert site.most_at_once <= 2


def test_nd06_nd07_no_page_ends_the_stream():
    """Of pages that are broken in different ways each has its own error, and the good one its result."""
    pages = {
        "/good": html("G"),
        "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nContent-Type: text/html\r\n\r\nshort",
        "/type": Page(b"x", {"Content-Type": "image/png"}),
        "/rubbish": b"nonsense\r\n\r\n",
        "/pdf": Page(b"%PDF-1.7 rubbish", {"Content-Type": "application/pdf"}),
    }
    with web(pages, hosts=5) as site, serving_crawls("fetch.tries=1") as server:
        events = decoded(server.ask("POST", "/crawl/stream", asking(site.urls(*pages)))[2])
    assert about(events) == [(0, "result"), *((number, "error") for number in range(1, 5))]
    assert (events[-1]["status"], events[-1]["failed"]) == ("partial", 4)


def test_nd08_when_a_client_leaves_nothing_more_is_fetched(tmp_path, monkeypatch):
    """After the time it has to come back, no page is asked for any more."""
    shutil.copytree("apps/crawl", tmp_path / "apps" / "crawl")
    turtle = tmp_path / "apps" / "crawl" / "transmissions.ttl"
    turtle.write_text(turtle.read_text().replace(':protocol "ndjson"', ':protocol "ndjson" ; :grace 100'))
    monkeypatch.chdir(tmp_path)
    pages = {f"/{number}": Slow(0.05, html("S")) for number in range(60)}
    with web(pages) as site, serving_crawls() as server:
        with server.asked("POST", "/crawl/stream", asking(site.urls(*pages))) as reply:
            assert next(event for event in map(json.loads, reply) if event["event"] == "result")
        assert eventually(lambda: not server.streams.hub.runs)
        asked = len(site.begun)
        time.sleep(0.3)
    assert len(site.begun) == asked < 60


def test_nd09_a_result_that_is_too_long_for_a_line_is_an_error_of_its_url():
    """The lines around it are whole."""
    with web({"/long": html("L", words=9000), "/short": html("S")}) as site, serving_crawls() as server:
        events = decoded(server.ask("POST", "/crawl/stream", asking(site.urls("/long", "/short"), extraction="full"))[2])
    assert about(events) == [(0, "error"), (1, "result")]
    assert next(event for event in events if event["event"] == "error")["error"]["error_code"] == "LIMIT_LINE"


@pytest.mark.parametrize("words", [4150, 4200, 4300])
def test_nd09_a_result_of_any_length_is_told_under_its_index(words):
    """Also where it is hardly too long: what the delivery adds to it counts."""
    with web({"/long": html("L", words=words)}) as site, serving_crawls() as server:
        events = decoded(server.ask("POST", "/crawl/stream", asking(site.urls("/long"), extraction="full"))[2])
    assert [event["index"] for event in events if event["event"] in {"result", "error"}] == [0]
