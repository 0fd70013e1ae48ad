"""Endpoints of an app that belong together: what may be asked, what its events say, and one run behind all of them."""

import asyncio
import gzip
import json
import time

import pytest
from delivering import PREFIX, decoded, running
from websockets.sync.client import connect

from transmissions.cli import main
from transmissions.delivery.lifecycle import Lifecycle
from transmissions.delivery.telling import Telling
from transmissions.errors import ConfigError
from transmissions.homes import find_app
from transmissions.prepare import prepare

HOME = '''
import asyncio
import os
import time
from typing import Annotated
from transmissions import Length, Processor, Range, Record, Source, read_request


class Options(Record):
    """How."""

    concurrency: Annotated[int, Range(ge=1, le=50)] = 5


class Asked(Record):
    """What is visited."""

    urls: Annotated[tuple[str, ...], Length(ge=1, le=100)]
    "Where."
    options: Options = Options()


class Visit(Source):
    """Visit each of `urls`: one that begins with `bad` fails, one that begins with `hold` waits."""

    accepts = Asked

    def __post_init__(self):
        until = time.monotonic() + 20
        while os.path.exists("block") and time.monotonic() < until:
            time.sleep(0.01)

    async def produce(self, message):
        asked = read_request(Asked, message)
        for index, url in enumerate(asked.urls):
            self.context.emit("progress", phase="fetch", current_url=url, performance_metrics={"cache_hit_rate": 0.5})
            if url.startswith("hold"):
                await asyncio.sleep(60)
            self.context.whiteboard["visited"] = index + 1
            yield {"url": url, "index": index}
            await asyncio.sleep(0.02)


class Report(Processor):
    """Say what became of each, in events of its own."""

    def process(self, page):
        url = page["url"]
        self.context.emit("summary", gate_decisions={url[:3]: 1}, total_urls=self.context.whiteboard["visited"])
        if url.startswith("bad"):
            self.context.skip(f"{url} is bad", told=True)
            fault = {"type": "timeout", "category": "network", "message": "too late", "retryable": True}
            return {"event": "error", "url": url, "error": fault}
        return {"event": "result", "index": page["index"], "result": {"url": url}}
'''
APP = """:visits a :EntryTransmission ; :pipe ( :visit :report ) ;
    :argument [ :name "urls" ; :many true ; :together true ; :required true ] .
:served a :Transmission ; :pipe ( :visit :report ) ;
    :endpoint [ :path "/visit/stream" ; :method "POST" ; :counts "urls" ] ,
        [ :path "/visit/sse" ; :method "POST" ; :protocol "sse" ; :counts "urls" ] ,
        [ :path "/visit/ws" ; :protocol "websocket" ; :counts "urls" ] .
:visit a :Visit . :report a :Report .
"""
BAD = {"urls": [], "options": {"concurrency": 99, "concurency": 1}}
GOOD = {"urls": ["one", "two", "bad"]}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Work in a home with the app."""
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "visiting.py").write_text(HOME)
    (tmp_path / "apps" / "visits").mkdir(parents=True)
    (tmp_path / "apps" / "visits" / "transmissions.ttl").write_text(PREFIX + APP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(events):
    """Return what the events of a run are called, without those that come when they will."""
    return [event["event"] for event in events if event["event"] not in {"progress", "heartbeat"}]


def frames(body):
    """Return the events in frames of Server-Sent Events."""
    return [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]


def test_ep01_ev02_ev05_the_first_event_says_how_much_was_asked_for():
    """It has the name of the app, whatever the transmission is called."""
    with running("visits") as server:
        status, headers, body = server.ask("POST", "/visit/stream", GOOD, X_Session_ID="session-1-abc")
    first = decoded(body)[0]
    assert (status, headers["content-type"]) == (200, "application/x-ndjson; charset=utf-8")
    assert [first[name] for name in ("event", "total_urls", "stream_type")] == ["metadata", 3, "visits"]
    assert {"request_id", "session_id", "timestamp"} <= first.keys()


@pytest.mark.parametrize("path", ["/visit/stream", "/visit/sse"])
def test_nd02_the_first_event_is_out_before_anything_of_the_run_begins(home, path):
    """Even where the first step keeps the whole server busy until its client has read it."""
    with running("visits") as server:
        (home / "block").touch()
        with server.asked("POST", path, GOOD) as reply:
            first = next(line for line in reply if b'"metadata"' in line)
            (home / "block").unlink()
            last = [line for line in reply.read().splitlines() if b"{" in line][-1]
    assert b'"total_urls": 3' in first
    assert json.loads(last.removeprefix(b"data: "))["total_time_ms"] < 20_000, "the first step was told"


def test_nd02_the_first_event_is_out_before_anything_of_the_run_begins_on_a_socket(home):
    """There, too."""
    with running("visits") as server, connect(server.url.replace("http", "ws") + "/visit/ws") as socket:
        socket.recv()
        (home / "block").touch()
        socket.send(json.dumps({"action": "run", "request_id": "a", "data": GOOD}))
        first = json.loads(socket.recv())
        (home / "block").unlink()
        while (last := json.loads(socket.recv()))["message_type"] != "summary":
            pass
    assert (first["message_type"], last["data"]["total"]) == ("metadata", 3)
    assert last["data"]["total_time_ms"] < 20_000, "the first step was told"


def test_ev17_ev18_ev19_results_and_errors_of_an_app_are_counted_as_such():
    """Each is told once, with how far the run is, and the summary agrees and says what the app says besides."""
    with running("visits") as server:
        events = decoded(server.ask("POST", "/visit/stream", GOOD)[2])
    assert names(events) == ["metadata", "result", "result", "error", "summary"]
    one, two, bad, summary = (event for event in events if event["event"] in {"result", "error", "summary"})
    assert [one["index"], two["index"]] == [0, 1]
    assert two["progress"] == {"completed": 2, "total": 3, "success_rate": 1.0}
    assert bad["message"] == bad["error"]["message"] == "too late"
    assert [summary[name] for name in ("status", "total", "successful", "failed")] == ["partial", 3, 2, 1]
    assert (summary["total_urls"], summary["gate_decisions"]) == (3, {"one": 1, "two": 1, "bad": 1})


def test_ev06_ev07_t2_38_progress_says_what_the_app_says_besides():
    """Even while no result comes: the total of the request, the phase, and where the run is."""
    with running("visits") as server, server.asked("POST", "/visit/stream", {"urls": ["one", "hold"]}) as reply:
        told = next(event for event in map(json.loads, reply) if event.get("current_url") == "hold")
    assert [told[name] for name in ("event", "completed", "total", "phase")] == ["progress", 1, 2, "fetch"]
    assert told["performance_metrics"]["cache_hit_rate"] == 0.5
    assert "throughput_per_second" in told["performance_metrics"]


@pytest.mark.parametrize("path", ["/visit/stream", "/visit/sse", "/apps/visits/stream", "/apps/visits/sse"])
def test_rq01_rq02_rq12_a_body_that_makes_no_sense_is_refused_before_the_stream(path):
    """All that is wrong is said at once, in the same words everywhere."""
    with running("visits") as server:
        status, _, body = server.ask("POST", path, BAD)
        empty, _, missing = server.ask("POST", path, {})
    assert json.loads(missing)["error"]["context"]["fields"] == [{"name": "urls", "message": "must be given"}]
    fields = json.loads(body)["error"]["context"]["fields"]
    assert (status, empty) == (400, 400)
    assert {one["name"] for one in fields} == {"urls", "options.concurrency", "options.concurency"}


def test_rq12_ws17_a_socket_says_the_same_and_stays():
    """It is a validation error, under the name of its request; the app's name is an action."""
    with running("visits") as server, connect(server.url.replace("http", "ws") + "/visit/ws") as socket:
        welcome = json.loads(socket.recv())
        socket.send(json.dumps({"action": "visits", "request_id": "a", "data": BAD}))
        refused = json.loads(socket.recv())
        socket.send(json.dumps({"action": "visits", "requestId": "b", "sessionId": "mine", **GOOD}))
        first = json.loads(socket.recv())
    assert "visits" in welcome["data"]["supported_operations"]
    assert (refused["message_type"], refused["data"]["error_type"]) == ("error", "validation_error")
    assert len(refused["data"]["error"]["context"]["fields"]) == 3
    assert (first["event"], first["total_urls"], first["sessionId"]) == ("metadata", 3, "mine")  # flat, as it was asked


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b"{", "application/json", 400), (b"urls=a", "application/x-www-form-urlencoded", 415), (b"[]", "text/plain", 415)],
)
def test_rq04_a_body_that_is_no_json_is_refused(body, kind, status):
    """What is broken is a bad request, what is something else the wrong type; a kind of JSON will do."""
    with running("visits") as server:
        assert server.ask("POST", "/visit/stream", body, Content_Type=kind)[0] == status
        well = json.dumps(GOOD).encode()
        assert server.ask("POST", "/visit/stream", well, Content_Type="application/vnd.x+json; charset=utf-8")[0] == 200


def test_a_packed_body_is_refused_as_one():
    """Read as text it would be told to hold a byte that is none; what packs nothing is taken."""
    with running("visits") as server:
        body = gzip.compress(json.dumps(GOOD).encode())
        kind = {"Content_Type": "application/json"}
        status, headers, said = server.ask("POST", "/visit/stream", body, Content_Encoding="gzip", **kind)
        assert (status, headers["accept-encoding"]) == (415, "identity")
        assert b"a body is sent as it is, not packed by gzip" in said
        assert server.ask("POST", "/visit/stream", GOOD, Content_Encoding="identity", **kind)[0] == 200


def test_rq03_ep_openapi_describes_the_body():
    """Required fields, bounds and lengths; and the GET that follows a POST over Server-Sent Events."""
    with running("visits") as server:
        paths = json.loads(server.ask("GET", "/openapi.json")[2])["paths"]
    schema = paths["/visit/stream"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert (schema["required"], schema["properties"]["urls"]["maxItems"]) == (["urls"], 100)
    assert {"get", "post"} <= paths["/visit/sse"].keys()
    assert "get" in paths["/visit/sse/stream"]


@pytest.mark.parametrize("headers", [{}, {"Accept": "text/event-stream", "X_Session_ID": "session-1-abc"}])
def test_ep03_a_post_streams_where_that_is_wished_or_no_session_is_named(headers):
    """Over Server-Sent Events, from the first to the last event."""
    with running("visits") as server:
        status, told, body = server.ask("POST", "/visit/sse", GOOD, **headers)
    assert (status, told["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert names(frames(body)) == ["metadata", "result", "result", "error", "summary"]


@pytest.mark.parametrize("path", ["/visit/sse", "/visit/sse/stream"])
def test_ep04_ep05_ep06_a_session_is_followed_at_both_paths(path):
    """A POST with a session and no wish for a stream says where that is, and a GET has all events from the first."""
    with running("visits") as server:
        status, _, body = server.ask("POST", "/visit/sse", GOOD, X_Session_ID="session-1-abc")
        told = json.loads(body)
        events = frames(server.ask("GET", f"{path}?session_id=session-1-abc")[2])
    assert (status, told["stream_url"]) == (202, "/visit/sse/stream?session_id=session-1-abc")
    assert (events[0]["request_id"], events[0]["seq"]) == (told["request_id"], 1)
    assert names(events) == ["metadata", "result", "result", "error", "summary"]


def test_ep11_ep12_what_is_not_there_and_how_it_may_be_asked_is_said():
    """An unknown session is 404 in JSON, another method 405 with those there are."""
    with running("visits") as server:
        status, headers, _ = server.ask("GET", "/visit/sse?session_id=session-1-nobody")
        wrong, allowed = {}, {"/visit/stream": {"POST"}, "/visit/sse": {"GET", "POST"}, "/visit/sse/stream": {"GET"}}
        for path in allowed:
            code, told, _ = server.ask("PUT", path)
            wrong[path] = (code, set(told["allow"].split(", ")))
    assert (status, headers["content-type"]) == (404, "application/json")
    assert wrong == {path: (405, methods) for path, methods in allowed.items()}


def test_ep07_the_session_of_a_socket_may_be_named():
    """The welcome has its name."""
    with (
        running("visits") as server,
        connect(server.url.replace("http", "ws") + "/visit/ws?session_id=session-1-abc") as socket,
    ):
        welcome = json.loads(socket.recv())
    assert (welcome["message_type"], welcome["data"]["session_id"]) == ("welcome", "session-1-abc")


def test_ws08_ws09_no_source_gives_anything_while_its_run_is_paused():
    """What had been asked for before arrives when the run goes on, and nothing is lost."""
    urls = [f"u{number}" for number in range(100)]
    with running("visits") as server, connect(server.url.replace("http", "ws") + "/visit/ws") as socket:
        socket.recv()
        socket.send(json.dumps({"action": "run", "request_id": "a", "data": {"urls": urls}}))
        while json.loads(socket.recv())["message_type"] != "result":
            pass
        socket.send(json.dumps({"action": "pause", "request_id": "a"}))
        while json.loads(socket.recv())["message_type"] != "pause_ack":
            pass
        [live] = server.streams.hub.runs.values()
        visited = live._run.state.whiteboard
        before = visited["visited"]
        time.sleep(0.2)
        assert visited["visited"] <= before + 1 < len(urls)
        socket.send(json.dumps({"action": "resume", "request_id": "a"}))
        told = [json.loads(socket.recv()) for _ in range(3)]
        while told[-1]["message_type"] != "summary":
            told.append(json.loads(socket.recv()))
    assert told[-1]["data"]["successful"] == len(urls)


def test_figures_are_there_when_a_run_is_cancelled():
    """What the app has said so far is in the summary."""
    with running("visits") as server, server.asked("POST", "/visit/stream", {"urls": ["one", "hold"]}) as reply:
        events = [json.loads(reply.readline())]
        while events[-1]["event"] != "result":
            events.append(json.loads(reply.readline()))
        server.ask("POST", f"/runs/{events[0]['request_id']}/cancel")
        summary = [json.loads(line) for line in reply][-1]
    assert [summary[name] for name in ("status", "successful", "total_urls")] == ["cancelled", 1, 1]


def test_two_endpoints_in_one_place_are_refused(home):
    """A POST over Server-Sent Events takes the GET of its path, and of the one below, too."""
    more = APP + ':again a :Transmission ; :pipe ( :visit ) ; :endpoint [ :path "/visit/sse/stream" ] .'
    (home / "apps" / "visits" / "transmissions.ttl").write_text(PREFIX + more)
    with pytest.raises(ConfigError, match="two endpoints are GET /visit/sse/stream"):
        prepare(find_app("visits"))


def test_a_server_that_checks_itself_takes_a_refusal_for_an_answer(capsys):
    """An app that does not run on an empty message is no fault."""
    assert main(["serve", "visits", "--check", "--port", "0", "--no-token"]) == 0
    assert "FAILED" not in capsys.readouterr().out


def test_progress_that_was_early_is_told_when_it_is_due():
    """A timer of the loop may be a little early, and something may have been told meanwhile: what was said is not lost."""
    told = []

    class Log:
        async def put(self, name, fields, record=None):
            told.append(name)
            return True

    class Silent:
        def on(self, event, listener):
            """Say nothing."""

    async def go():
        telling = Telling("run", Log(), Lifecycle(), str)
        telling.listen(Silent())
        telling._told = time.monotonic()
        await telling._tell("progress", {})
        early = list(told)
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.01)
        await telling.tell_rest()
        return early

    assert asyncio.run(go()) == []
    assert told == ["progress"]
