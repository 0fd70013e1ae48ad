"""The Python client against a real server, and against one that misbehaves."""

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time

import delivering
import pytest
from clients.published import PublishedClient
from local_server import Page, ResetNow, serving

from transmissions.client import (
    Alert,
    Backoff,
    Disconnected,
    EventMeshStreamClient,
    Metadata,
    Refused,
    Result,
    StreamClient,
    StreamError,
    Summary,
    SyncStreamClient,
)

PROTOCOLS = ("ndjson", "sse", "websocket")
QUICK = Backoff(3, 0.01)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson; charset=utf-8\r\nX-Request-ID: r\r\nConnection: close\r\n\r\n"
SUMMARY = b'{"event": "summary", "status": "complete", "successful": 1, "total_urls": 1}\n'
RESULT = b'{"event": "result", "result": {"url": "a"}, "buffer_info": {"used": 9, "capacity": 10}}\n'


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_run_is_a_series_of_events(server, protocol):
    """The first is the metadata, the last the summary, and results are what the app sends."""

    async def main():
        async with StreamClient(server.url, protocol=protocol) as client:
            return [event async for event in client.stream("numbers", {"count": 3})]

    events = delivering.timed(main())
    assert isinstance(events[0], Metadata)
    assert isinstance(events[-1], Summary)
    assert [event.result["n"] for event in events if isinstance(event, Result)] == [0, 1, 2]
    assert [event.seq for event in events if event.seq] == list(range(1, len(events) + 1))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_t2_39_a_run_is_paused_resumed_and_cancelled(server, protocol):
    """The server says what state it is in, and the summary how it ended."""

    async def main():
        states = []
        async with StreamClient(server.url, protocol=protocol) as client:
            stream = client.stream("numbers", {"count": 1000, "wait": 0.01})
            async for event in stream:
                if isinstance(event, Result) and not states:
                    for do in (stream.pause, stream.pause, stream.resume, stream.cancel):
                        states.append((await do())["state"])  # noqa: PERF401 - one after the other
            return states, stream.summary

    states, summary = delivering.timed(main())
    assert states == ["paused", "paused", "running", "cancelled"]
    assert summary.status == "cancelled"


def test_a_run_without_asyncio(server):
    """Handlers are called in the thread that reads, and may cancel the run."""
    with SyncStreamClient(server.url) as client:
        stream = client.stream("numbers", {"count": 1000, "wait": 0.01})
        client.register_handler("result", lambda event: event.index == 2 and stream.cancel())
        assert stream.run().status == "cancelled"
        assert client.status(stream.request_id)["state"] == "cancelled"
        assert client.run("dead").failed == 1


def test_what_is_served_is_listed(server):
    """Apps by name, and the runs of this client."""

    async def main():
        async with StreamClient(server.url) as client:
            await client.run("numbers")
            return await client.apps(), await client.runs()

    apps, runs = delivering.timed(main())
    assert [app["name"] for app in apps] == ["numbers", "dead", "crawl"]
    assert [run["state"] for run in runs] == ["complete"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refusal_is_told_and_not_tried_again(home, protocol):
    """With the status of the answer; the error says what to do."""

    async def main(server):
        async with StreamClient(server.url, protocol=protocol) as client:
            await client.run("numbers")

    with delivering.running("numbers", token="right") as server, pytest.raises(Refused) as caught:
        delivering.timed(main(server))
    assert caught.value.status in {401, 403}
    assert not caught.value.is_retryable


def test_a_key_means_the_same_run(server):
    """Who asks again with it gets the events of the first."""

    async def main():
        async with StreamClient(server.url) as client:
            return [[e.seq async for e in client.stream("numbers", key="k")] for _ in range(2)], await client.runs()

    (first, second), runs = delivering.timed(main())
    assert first == second
    assert len(runs) == 1


def test_py06_a_handler_that_fails_is_counted(server, caplog):
    """It is logged, and the stream goes on; handlers may be coroutines."""
    heard = []

    async def waits(event):
        await asyncio.sleep(0)
        heard.append(event.index)
        raise ValueError("no number")

    async def main():
        async with StreamClient(server.url) as client:
            client.register_handler("result", waits)
            stream = client.stream("numbers")
            await stream.run()
            return stream.metrics

    metrics = delivering.timed(main())
    assert heard == [0, 1, 2]
    assert (metrics.dropped_events, metrics.total_events) == (3, 6)
    assert "a handler of 'result' failed: ValueError: no number" in caplog.text


def test_alerts_reach_their_handler():
    """When the server says that its buffer is nearly full."""
    alerts = []
    with serving({"/apps/a/stream": [HEAD, RESULT, SUMMARY]}) as server, SyncStreamClient(server.url) as client:
        client.register_handler("alert", alerts.append)
        client.run("a")
    assert alerts == [Alert("warning", {"used": 9, "capacity": 10})]


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "localhost", "ws://h", "http://", ""])
def test_what_is_no_url_of_a_server_is_said_at_once(url):
    """It would be tried again and again as one that is not there."""
    with pytest.raises(ValueError, match=re.escape(f"'{url}' is no URL of a server: it begins with http:// or https://")):
        StreamClient(url)


def test_a_coroutine_function_is_no_handler_where_nothing_waits_for_it():
    """It would never run."""

    async def handler(event):
        pass

    with pytest.raises(TypeError, match="a handler of 'result' cannot be a coroutine function here: StreamClient takes it"):
        SyncStreamClient().register_handler("result", handler)


def test_a_token_may_end_as_the_file_does_that_it_was_read_from():
    """A header cannot hold the end of a line."""
    assert StreamClient(token="secret\n").options.headers()["Authorization"] == "Bearer secret"


def test_py01_the_constructor_has_the_arguments_of_the_sample():
    """With the same values where none are given."""
    usual = {"buffer_size": 1024, "enable_backpressure": True, "slow_client_threshold_ms": 100}
    more = {"max_retries": 3, "timeout_seconds": 300, "chunk_size": 8192}
    client = EventMeshStreamClient()
    assert client.base_url == "http://localhost:8080"
    assert {**usual, **more}.items() <= client.options.items()
    assert EventMeshStreamClient("http://h", buffer_size=2048).options["buffer_size"] == 2048


def test_py02_crawl_results_reach_the_handlers(server):
    """As dicts, and the metrics come back."""
    titles, kinds = [], []
    client = EventMeshStreamClient(server.url, path="/apps/crawl")
    client.register_handler("result", lambda event: titles.append(event["result"]["document"]["url"]))
    client.register_handler("summary", lambda event: kinds.append(event["status"]))
    metrics = client.stream_crawl_results(["http://a", "http://b"], {"concurrency": 3})
    assert (titles, kinds) == (["http://a", "http://b"], ["complete"])
    assert metrics.total_events == 6
    assert metrics.events_by_type["result"] == 2


def test_py03_the_headers_of_the_sample_are_sent():
    """Session, buffer size, whether there is backpressure, and what a slow client is."""
    with serving({"/crawl/stream": [HEAD, SUMMARY]}) as server:
        EventMeshStreamClient(server.url).stream_crawl_results(["http://a"])
    [seen] = server.seen
    assert re.fullmatch(r"session-\d+-[0-9a-f]{16}", seen.headers["x-session-id"])
    sent = [seen.headers[name] for name in ("x-buffer-size", "x-enable-backpressure", "x-slow-client-threshold")]
    assert sent == ["1024", "true", "100"]
    assert json.loads(seen.body) == {"urls": ["http://a"], "options": {}}


def test_py05_what_cannot_be_read_is_counted():
    """A line that is no JSON costs itself only."""
    with serving({"/crawl/stream": [HEAD, b"{broken\n", RESULT, SUMMARY.strip()]}) as server:
        metrics = EventMeshStreamClient(server.url).stream_crawl_results(["http://a"])
    assert (metrics.parse_errors, metrics.total_events, metrics.backpressure_warnings) == (1, 2, 1)


@contextlib.contextmanager
def failing(times, answer, then=(HEAD, SUMMARY)):
    """Serve an answer so many times, and then a run that is complete."""
    left = [answer] * times

    def reply(_):
        return left.pop() if left else list(then)

    with serving(reply) as server:
        yield server


def broken():
    """Begin an answer, and reset the connection."""
    yield HEAD
    raise ResetNow


@pytest.mark.parametrize("answer", [Page(b"{}", {"Retry-After": "0"}, 503), Page(b"", {}, 502), b""])
def test_py08_what_may_pass_is_tried_again(answer):
    """With the same key and name each time, so that a run whose answer was lost is not begun twice."""
    with failing(2, answer) as server, SyncStreamClient(server.url, backoff=QUICK) as client:
        stream = client.stream("a")
        assert stream.run().status == "complete"
    assert [seen.headers["idempotency-key"] for seen in server.seen] == [server.seen[0].headers["idempotency-key"]] * 3
    assert stream.metrics.reconnects == 2


def test_what_was_begun_is_asked_for_by_its_name():
    """A run whose answer had begun is not begun again."""
    left = [broken]
    with (
        serving(lambda _: left.pop()() if left else [HEAD, SUMMARY]) as server,
        SyncStreamClient(server.url, backoff=QUICK) as client,
    ):
        client.run("a")
    assert [(seen.method, seen.path) for seen in server.seen] == [("POST", "/apps/a/stream"), ("GET", "/runs/r/stream")]


def test_er17_tries_are_counted(monkeypatch):
    """After so many failures in a row the last is raised; `Retry-After` is waited for."""
    waits = []

    async def no_sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr("transmissions.client.stream.asyncio.sleep", no_sleep)
    reply = Page(json.dumps({"error": {"message": "too many"}}).encode(), {"Retry-After": "9"}, 429)
    with failing(10, reply) as server, SyncStreamClient(server.url, backoff=Backoff(3)) as client:
        with pytest.raises(Refused, match=r"the server refused \(429\): too many"):
            client.run("a")
        assert len(server.seen) == 4
    assert len(waits) == 3
    assert all(9 <= wait <= 10 for wait in waits)


def test_a_redirect_is_not_followed():
    """The token is for the server that was named."""
    with serving({"/apps/a/stream": Page(b"", {"Location": "/elsewhere"}, 307)}) as server:
        with SyncStreamClient(server.url, token="T") as client, pytest.raises(Refused, match="307"):
            client.run("a")
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("options", "error"),
    [({"first_byte_timeout": 0.2}, Disconnected), ({"timeout": 0.2}, StreamError), ({"heartbeat": 0.07}, Disconnected)],
)
def test_a_server_that_says_nothing_is_not_waited_for(options, error):
    """For the head of its answer, for its next event, and for the whole run there is a limit."""

    def silent():
        yield HEAD if "heartbeat" in options else b""
        time.sleep(1)

    with (
        serving(lambda _: silent()) as server,
        SyncStreamClient(server.url, backoff=Backoff(0), **options) as client,
        pytest.raises(error),
    ):
        client.run("a")


def test_a_run_that_goes_on_and_on_is_left(server):
    """Its time is limited as a whole, though events come all the while."""
    with SyncStreamClient(server.url, timeout=0.5) as client, pytest.raises(StreamError, match=r"longer than 0\.5 s"):
        client.run("numbers", {"count": 1000, "wait": 0.02})


def test_bare_records_end_with_their_stream():
    """An endpoint without envelopes sends no summary; one that breaks off is an error, for nobody knows what is missing."""
    sse = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nevent: done\r\ndata: 1\r\n\r\n"
    with serving({"/apps/a/stream": [HEAD, b'{"id": 1}\n'], "/apps/a/sse": [sse]}) as server:
        with SyncStreamClient(server.url) as client:
            assert [(event.name, event.data) for event in client.stream("a")] == [("record", {"id": 1})]
        with SyncStreamClient(server.url, protocol="sse") as client:
            assert [(event.name, event.data) for event in client.stream("a")] == [("done", {"value": 1})]


def test_the_client_is_imported_without_its_library():
    """The one for connections costs time, and is needed when there is one."""
    code = "import sys, transmissions.client; print('aiohttp' in sys.modules)"
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


@pytest.mark.parametrize("size", [1, 8192])
def test_py07_the_published_client_runs(server, size):
    """With its headers, whatever pieces the answer comes in; what it was given is what it asked for."""
    client = PublishedClient(f"{server.url}/apps", chunk_size=size)
    titles = []
    client.register_handler("result", lambda event: titles.append(event["result"]["document"]["title"]))
    metrics = client.stream_crawl_results(["http://a", "http://\u00e4"])
    essential = {name: count for name, count in metrics.counts.items() if name != "progress"}
    assert essential == {"metadata": 1, "crawling": 1, "result": 2, "summary": 1}
    assert [title.rpartition(" ")[2] for title in titles] == ["http://a", "http://\u00e4"]
    assert client.headers == {"X-Buffer-Capacity": "1024", "X-Backpressure-Threshold": "800"}
    assert all(0 <= share <= 1 for share in metrics.buffer_utilization_history)
