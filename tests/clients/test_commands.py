"""`trans follow` and `trans load`, and the examples for curl, against a real server."""

import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace

import calling
import delivering
import pytest
from local_server import redirect, serving
from waiting import eventually

from transmissions.client import Disconnected
from transmissions.client.loading import Figures
from transmissions.commands.follow import call, protocol_in, protocol_named, split
from transmissions.commands.load import percentiles
from transmissions.errors import UsageError

TRANS = [sys.executable, "-P", "-m", "transmissions"]


def trans(*words, **environment):
    """Call a command, and return its end."""
    return calling.trans(".", *words, **environment)


def events_of(result):
    """Return what was printed as NDJSON."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
def test_cl02_follow_runs_an_app_and_prints_its_events(server, protocol):
    """One JSON object for each, and the exit code is that of the run."""
    result = trans("follow", f"{server.url}/apps/numbers", "-m", '{"count": 4}', "--protocol", protocol)
    assert result.returncode == 0, result.stderr
    assert [event["result"]["n"] for event in events_of(result) if event["event"] == "result"] == [0, 1, 2, 3]


def test_follow_goes_on_behind_an_event(server):
    """A run is named by its URL; what comes behind the number is printed, and the results alone if that is asked for."""
    name = server.events("numbers", {"count": 5})[0]["request_id"]
    rest = events_of(trans("follow", f"{server.url}/runs/{name}", "--since", "3"))
    assert [event["seq"] for event in rest] == list(range(4, rest[-1]["seq"] + 1))
    assert events_of(trans("follow", f"{server.url}/runs/{name}/stream", "--results"))[-1] == {"n": 4, "fill": ""}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_follow_says_how_to_go_on_when_it_is_interrupted(server, number, code):
    """Ctrl-C, or a request to end, leaves the run; the words it prints take it up again."""
    command = [*TRANS, "follow", f"{server.url}/apps/numbers", "-m", '{"count": 60, "wait": 0.05}', "--results"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = [process.stdout.readline() for _ in range(3)]
    process.send_signal(number)
    rest, said = process.communicate(timeout=20)
    assert process.returncode == code
    words = said.partition("`trans ")[2].partition("`")[0].split()
    assert len(words) == 4, said
    again = trans(*words, "--results")
    lines = "".join(first) + rest + again.stdout
    assert [json.loads(line)["n"] for line in lines.splitlines()] == list(range(60))


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("{url}/apps/nope",), 1, "the server refused (404): no app 'nope' is served"),
        (("{url}/elsewhere",), 2, "is neither a run"),
        (("ftp://x/runs/1",), 2, "is no URL of a server"),
        (("{url}/apps/numbers", "-m", "[1]"), 2, "--message is a JSON object"),
        (("{url}/apps/numbers", "-m", "{"), 2, "--message is not JSON"),
        (("{url}/runs/1", "--since", "x"), 2, "is no number of an event"),
        (("{url}/runs/1", "--token-file", "nowhere"), 2, "cannot read 'nowhere'"),
    ],
)
def test_follow_says_what_is_wrong(server, words, code, sentence):
    """In one line, with the exit code that it means everywhere."""
    result = trans("follow", *(word.replace("{url}", server.url) for word in words))
    assert (result.returncode, sentence in result.stderr) == (code, True), result.stderr


def test_follow_ends_as_the_run_does(server):
    """With 3 when there were dead letters, with the token of the environment."""
    assert trans("follow", f"{server.url}/apps/dead").returncode == 3
    with delivering.running("stops", token="T") as other:
        assert trans("follow", f"{other.url}/apps/stops", TRANS_TOKEN="T").returncode == 1


@pytest.mark.parametrize(("protocol", "said"), [("ndjson", "a token is needed"), ("websocket", "unauthorized")])
def test_follow_says_how_a_token_is_given(home, protocol, said):
    """Where a server wants one and gets none; of a WebSocket that is refused a client sees the status alone."""
    with delivering.running("stops", token="T") as other:
        result = trans("follow", f"{other.url}/apps/stops", "--protocol", protocol, TRANS_TOKEN="")
    assert result.returncode == 2
    assert f"the server refused (401): {said}" in result.stderr
    assert "; give the token by --token-file or $TRANS_TOKEN" in result.stderr


def test_follow_tells_of_errors_beside_the_results(server):
    """With `--results`, stdout has results alone; stderr says what failed, and how the run ended."""
    result = trans("follow", f"{server.url}/apps/dead", "--results")
    assert [line["n"] for line in events_of(result)] == [0, 2]
    assert "1 is odd" in result.stderr
    assert "partial: 2 results, 1 errors" in result.stderr


@pytest.mark.parametrize(("answer", "sentence"), [("401 X", "--token-file"), ("400 X", "the server refused (400)")])
def test_follow_says_that_nothing_was_run(answer, sentence):
    """A request that the server cannot take is one of usage; it says what can be given."""
    with serving({"/apps/a/stream": [f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode()]}) as other:
        result = trans("follow", f"{other.url}/apps/a")
    assert (result.returncode, sentence in result.stderr) == (2, True), result.stderr


def test_follow_is_made_for_people_on_a_terminal(server):
    """Results and how it ended, and nothing from a run that could do something to the terminal."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nX-Request-ID: r\r\nConnection: close\r\n\r\n"
    event = (
        b'{"event": "output", "text": "\\u001b]0;owned\\u0007"}\n{"event": "summary", "status": "complete", "successful": 1}\n'
    )
    with serving({"/apps/a/stream": [head, event]}) as other:
        ours, theirs = pty.openpty()
        process = subprocess.Popen([*TRANS, "follow", f"{other.url}/apps/a"], stdout=theirs)
        os.close(theirs)
        assert process.wait(30) == 0
        text = os.read(ours, 65536).decode()
        os.close(ours)
    assert "complete: 1 results" in text
    assert "\x1b]" not in text


@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
def test_sc06_load_measures_a_server(server, protocol):
    """Events and runs are counted to the last, and percentiles are in order."""
    words = ("--protocol", protocol, "-c", "5", "--runs", "2", "--rate", "50", "-m", '{"count": 100}', "--json")
    result = trans("load", f"{server.url}/apps/numbers", *words, "--duration", "30")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert (figures["runs"], figures["errors"], figures["unfinished"]) == (10, 0, 0)
    assert figures["events"] == 10 * 103
    for values in (figures["ttfb_ms"], figures["latency_ms"]):
        assert 0 <= values["p50"] <= values["p95"] <= values["p99"] <= values["max"]


def test_load_is_bounded_and_says_what_failed(server):
    """It ends with its time; errors are counted by what they say, and mean exit code 1."""
    began = time.monotonic()
    result = trans("load", f"{server.url}/apps/nope", "--duration", "1", "-c", "2")
    assert time.monotonic() - began < 30
    assert result.returncode == 1
    assert "no app 'nope' is served" in result.stdout
    endless = trans("load", f"{server.url}/apps/numbers", "--duration", "1", "-m", '{"count": 9999, "wait": 0.01}')
    assert "0 to their end, 1 cut short, 0 failed" in endless.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("protocol", ["sse", "websocket"])
def test_load_that_is_interrupted_prints_what_was_measured(server, number, code, protocol):
    """The figures so far, with the runs that were cut short; the exit code is that of the signal."""
    words = ("-m", '{"count": 9999, "wait": 0.01}', "--duration", "60", "-c", "2", "--protocol", protocol, "--json")
    process = subprocess.Popen([*TRANS, "load", f"{server.url}/apps/numbers", *words], stdout=subprocess.PIPE, text=True)
    assert eventually(lambda: len(server.streams.hub.runs) == 2, 30)
    process.send_signal(number)
    figures = json.loads(process.communicate(timeout=20)[0])
    assert (process.returncode, figures["runs"], figures["unfinished"]) == (code, 0, 2)


@pytest.mark.parametrize(("protocol", "last"), [("ndjson", "stream"), ("sse", "sse"), ("websocket", "ws")])
def test_load_follows_no_redirect(protocol, last):
    """It would be put on a host that nobody named; that it is not is said."""
    with serving({}) as other, serving({f"/apps/a/{last}": redirect(f"{other.url}/apps/a/{last}", 307)}) as first:
        result = trans("load", f"{first.url}/apps/a", "--runs", "2", "--protocol", protocol)
        assert other.connections == 0
    assert result.returncode == 1
    assert "2 times: the server refused (307): redirects are not followed" in result.stdout


CUT = b'{"event": "metadata", "seq": 1}\n'
FAILED = CUT + b'{"event": "summary", "seq": 2, "status": "failed"}\n'


@pytest.mark.parametrize(
    ("kind", "last", "body", "said"),
    [
        ("application/x-ndjson", "stream", CUT, "2 times: ClientError: the stream ended before its summary"),
        ("application/x-ndjson", "stream", FAILED, "2 times: ClientError: the run ended as 'failed'"),
        ("text/event-stream", "sse", b"event: metadata\ndata: " + CUT + b"\n", "the stream ended before its summary"),
        ("text/event-stream", "sse", FAILED.replace(b"{", b"data: {").replace(b"\n", b"\n\n"), "the run ended as 'failed'"),
        (
            "text/html",
            "stream",
            b"<html>",
            "2 times: the server answered with 'text/html', which is no stream of events",
        ),
    ],
)
def test_load_counts_no_run_that_did_not_end_well(kind, last, body, said):
    """One that was cut off, or failed, is no run to its end, and means exit code 1."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode()
    with serving({f"/apps/a/{last}": [head, body]}) as other:
        result = trans("load", f"{other.url}/apps/a/{last}", "--runs", "2")
    assert (result.returncode, "0 to their end, 0 cut short, 2 failed" in result.stdout) == (1, True), result.stdout
    assert said in result.stdout


def test_load_counts_streams_without_envelopes():
    """They have no end but that of their connection."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n"
    with serving({"/x/stream": [head, b'{"a": 1}\n{"a": 2}\n']}) as other:
        result = trans("load", f"{other.url}/x/stream", "--runs", "2", "--json")
    figures = json.loads(result.stdout)
    assert (figures["runs"], figures["errors"], figures["events"]) == (2, 0, 4)


def test_latency_is_that_of_the_whole_load(monkeypatch):
    """Of more pieces than are kept, late ones count as much as early ones."""
    monkeypatch.setattr("transmissions.client.loading._SAMPLES", 100)
    monkeypatch.setattr("transmissions.client.loading._age", float)
    monkeypatch.setattr("transmissions.client.loading.random.randrange", random.Random(1).randrange)
    figures = Figures()
    for number in range(2000):
        figures.piece(b"0" if number < 1000 else b"1", 1)
    assert len(figures.latency) == 100
    assert 30 < sum(figures.latency) < 70


def test_follow_says_how_to_go_on_when_the_server_is_gone(monkeypatch, capsys):
    """After so many attempts, with the number of the last event that came."""

    async def no_sleep(_):
        pass

    monkeypatch.setattr("transmissions.client.stream.asyncio.sleep", no_sleep)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nX-Request-ID: r\r\nConnection: close\r\n\r\n"
    with serving({"/runs/r/stream": [head, b'{"event": "result", "seq": 2}\n']}) as other:
        said = {"url": f"{other.url}/runs/r", "since": 1, "json": True, "results": False, "protocol": None, "token_file": None}
        with pytest.raises(Disconnected) as caught:
            call(Namespace(message="{}", **said))
        sentence = f"the stream ended before its summary; `trans follow {other.url}/runs/r --since 2` goes on"
        assert str(caught.value) == sentence
    assert capsys.readouterr().out.count("result") == 1


def test_follow_prints_json_in_any_encoding():
    """What an encoding has no sign for is written as JSON writes it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n"
    said = {"event": "summary", "status": "complete", "told": "\u00e4 \U0001f680"}
    with serving({"/apps/a/stream": [head, json.dumps(said).encode()]}) as other:
        result = trans("follow", f"{other.url}/apps/a", PYTHONIOENCODING="ascii")
    assert events_of(result) == [said]


def test_lc11_urls_are_taken_apart():
    """The server may be below a path; what is behind `user@` is not sent."""
    assert split("localhost:8080/apps/a") == ("http://localhost:8080", "/apps/a")
    assert split("https://h/below/runs/r") == ("https://h/below", "/runs/r")
    assert split("wss://user:pass@h/apps/a/ws") == ("https://h", "/apps/a/ws")
    assert [protocol_named(word) for word in ("nd-json", "WS", "event-stream")] == ["ndjson", "websocket", "sse"]
    assert [protocol_in(path) for path in ("/apps/a/ws", "/apps/a/sse", "/apps/a")] == ["websocket", "sse", "ndjson"]
    with pytest.raises(UsageError):
        split("http://")


def test_percentiles_are_of_what_there_is():
    """In milliseconds; of nothing there are none."""
    assert percentiles([0.001 * number for number in range(1, 101)]) == {"p50": 51, "p95": 96, "p99": 100, "max": 100}
    assert percentiles([]) is None


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_cl01_the_examples_for_curl(server):
    """With the headers of the published ones, without buffering, and compressed."""
    headers = ["X-Session-ID: session-1640995200-abc123", "X-Buffer-Size: 1024", "X-Buffer-Timeout: 2000"]
    headers += ["X-Enable-Backpressure: true", "Content-Type: application/json"]
    options = [word for header in headers for word in ("-H", header)]
    command = ["curl", "-sS", "-i", "-X", "POST", f"{server.url}/apps/crawl/stream", *options, "--no-buffer", "--noproxy", "*"]
    data = '{"urls": ["https://example.com/page1"], "options": {"concurrency": 3, "timeout_seconds": 30}}'
    result = subprocess.run([*command, "-d", data], capture_output=True, text=True, timeout=20)
    head, _, body = result.stdout.partition("\n\n")
    for line in ("content-type: application/x-ndjson", "x-buffer-capacity: 1024", "x-backpressure-threshold: 800"):
        assert line in head.lower()
    assert json.loads(body.splitlines()[-1])["status"] == "complete"
    packed = subprocess.run([*command, "-d", data, "--compressed"], capture_output=True, text=True, timeout=20)
    assert '"summary"' in packed.stdout
