"""`trans serve`: what it asks itself with --check, and how it ends."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from delivering import PREFIX, decoded, make_home
from local_server import Page, serving, switched

from transmissions.cli import main
from transmissions.delivery import check, checked

TRANS = [sys.executable, "-P", "-m", "transmissions", "serve", "numbers", "--no-token", "--port", "0"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)
    return tmp_path


def test_a_server_checks_every_endpoint_of_its_own():
    """Those of every app on each protocol, and those of its own."""
    done = subprocess.run([*TRANS, "--check"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    asked = {line.split(None, 2)[2] for line in lines}
    assert asked >= {
        "GET /metrics",
        "GET /openapi.json",
        "POST /apps/numbers/stream, complete",
        "WS /apps/numbers/ws, complete",
    }


def test_a_server_of_whole_answers_is_asked_for_these(home, capfd):
    """It has no streams; an app that fails there is told of."""
    (home / "processors" / "fails.py").write_text(FAILS)
    (home / "apps" / "broken").mkdir()
    turtle = f"{PREFIX}:broken a :EntryTransmission ; :pipe ( [ a :Fails ] ) ."
    (home / "apps" / "broken" / "transmissions.ttl").write_text(turtle)
    assert main(["serve", "numbers", "broken", "--api", "--check", "--no-token", "--port", "0"]) == 1
    assert capfd.readouterr().out.splitlines() == [
        "ok     200 GET /healthz",
        "ok     200 GET /apps",
        "ok     200 POST /api/numbers",
        "FAILED 500 POST /api/broken, ValueError: no such luck",
    ]


FAILS = """
from transmissions import Processor


class Fails(Processor):
    \"\"\"Fail.\"\"\"

    def process(self, message):
        raise ValueError("no such luck")
"""
ENDLESS = """
import asyncio
from transmissions import Source


class Endless(Source):
    \"\"\"Count, and never end.\"\"\"

    async def produce(self, message):
        for number in range(10**9):
            yield {"n": number}
            await asyncio.sleep(0.001)
"""


def test_what_goes_on_and_on_is_looked_at_and_cancelled(home, monkeypatch, capfd):
    """On each protocol, with events and without; the server ends then, for no run is left."""
    monkeypatch.setattr(checked, "LOOK", 0.2)
    (home / "processors" / "endless.py").write_text(ENDLESS)
    (home / "apps" / "endless").mkdir()
    places = (':protocol "sse" ; :envelope false', ':protocol "ndjson" ; :method "POST"', ':protocol "json-array"')
    endpoints = " , ".join(f'[ :path "/endless/{number}" ; {place} ]' for number, place in enumerate(places))
    turtle = f"{PREFIX}:endless a :EntryTransmission ; :pipe ( [ a :Endless ] ) ; :endpoint {endpoints} ."
    (home / "apps" / "endless" / "transmissions.ttl").write_text(turtle)
    assert main(["serve", "endless", "--check", "--no-token", "--port", "0"]) == 0
    lines = [line for line in capfd.readouterr().out.splitlines() if "endless" in line]
    assert len(lines) == 6
    assert all(re.fullmatch(r"ok     \d+ .*, goes on( after \d+ events)?; cancelled", line) for line in lines), lines


def checked_at(answer, capsys, endpoints=()):
    """Check a server that gives its own answers, and may hold them; return the exit code, and what is said of an app."""
    held = threading.Event()
    apps = [SimpleNamespace(name="a", plan=SimpleNamespace(endpoints=endpoints))]
    stub = SimpleNamespace(until_asked_to_stop=lambda listener: None, should_exit=False)
    own = ("/apps/a/", "/own")
    with serving(lambda seen: answer(seen, held) if seen.path.startswith(own) else Page(b"{}")) as other:
        code = check.check(stub, None, other.url, None, apps)
        held.set()
    return code, [line for line in capsys.readouterr().out.splitlines() if any(path in line for path in own)]


HEAD = b"HTTP/1.1 200 OK\r\nX-Request-ID: r\r\n"
META = b'{"event": "metadata"}\n'
FAILED = b'{"event": "error", "error": {"message": "no field \'urls\'"}}\n{"event": "summary", "status": "failed"}\n'


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([HEAD, b"\r\n", META], "FAILED 200 POST /apps/a/stream, the stream ended before its summary"),
        ([HEAD, b"\r\n", META, FAILED], "FAILED 200 POST /apps/a/stream, the run ended as 'failed': no field 'urls'"),
        ([HEAD, b"\r\n{oh"], "FAILED 200 POST /apps/a/stream, JSONDecodeError: "),
        ([HEAD, b"\r\n[1]\n"], "FAILED 200 POST /apps/a/stream, there is no event in what it sends"),
        ([HEAD, b"\r\n" + b"[" * 100_000], "FAILED 200 POST /apps/a/stream, RecursionError: "),
        ([HEAD, b"\r\n\xff"], "FAILED 200 POST /apps/a/stream, UnicodeDecodeError: "),
        ([HEAD, b"Content-Length: 99\r\n\r\n", META], "FAILED 200 POST /apps/a/stream, the answer broke off"),
        ([HEAD, b"Transfer-Encoding: chunked\r\n\r\n9\r\nab"], "FAILED 200 POST /apps/a/stream, the answer broke off"),
        ([b""], "FAILED     POST /apps/a/stream, RemoteDisconnected: "),
        ([b"SSH-2.0\r\n"], "FAILED     POST /apps/a/stream, BadStatusLine: "),
        (Page(b'{"error": {"message": "no key"}}', {}, 503), "FAILED 503 POST /apps/a/stream, no key"),
        (Page(b"{oh", {}, 500), "FAILED 500 POST /apps/a/stream, the server refused"),
    ],
)
def test_a_check_says_what_is_wrong_with_an_answer(answer, said, capsys):
    """In one line, whatever it is, with exit code 1, and goes on with the next."""
    code, lines = checked_at(lambda *_: answer, capsys)
    assert (code, len(lines)) == (1, 3)
    assert lines[0].startswith(said)
    assert lines[2].startswith("FAILED     WS /apps/a/ws, ")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "no close frame received or sent"),
        ([b"{oh"], "JSONDecodeError: "),
        ([b'{"data": 1}'], "there is no event in what it sends"),
        ([b'{"message_type": "detached", "data": {"reason": "slow"}}'], "the server sends no more: slow"),
        ([b'{"message_type": "error", "data": {"error": {"message": "full"}}}'], "full"),
        ([b'{"message_type": "summary", "data": {"event": "summary", "status": "failed"}}'], "the run ended as 'failed'"),
    ],
)
def test_a_check_says_what_is_wrong_with_a_socket(texts, said, capsys):
    """As it does for other protocols."""

    def answer(seen, held):
        if seen.path.endswith("/ws"):
            yield switched(seen, *texts)
            held.wait(20 if texts else 0)

    _, lines = checked_at(answer, capsys)
    assert lines[2].startswith(f"FAILED 101 WS /apps/a/ws, {said}")


def test_a_check_waits_for_nothing_for_long(monkeypatch, capsys):
    """An endpoint that says nothing is one that fails; what comes behind it is asked for."""
    monkeypatch.setattr(check, "PATIENCE", 0.2)
    monkeypatch.setattr(checked, "PATIENCE", 0.2)

    def answer(seen, held):
        yield switched(seen) if seen.path.endswith("/ws") else HEAD + b"\r\n"
        held.wait(20)

    code, lines = checked_at(answer, capsys, [{"path": "/own", "envelope": False}])
    assert (code, len(lines)) == (1, 4)
    assert all(line.startswith("FAILED") and line.endswith("nothing came for 0.2 s") for line in lines), lines


def test_no_token_is_said_where_nothing_is_served(capfd, monkeypatch):
    """It would be taken for that of a server; the error stands alone."""
    monkeypatch.delenv("TRANS_TOKEN", raising=False)
    assert main(["serve", "nope", "--port", "0"]) == 2
    assert "token: " not in capfd.readouterr().err
    assert main(["serve", "numbers", "--port", "0", "--check"]) == 0
    assert re.match(r"token: \S{40,}\n", capfd.readouterr().err)


def test_sc05_ss19_a_signal_ends_a_server_when_its_runs_have_ended():
    """The client has the summary, and the exit code says which signal it was."""
    process = subprocess.Popen(TRANS, stderr=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r":(\d+);", process.stderr.readline())[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=50)
        with contextlib.closing(connection):
            connection.request("POST", "/apps/numbers/stream", json.dumps({"count": 40, "wait": 0.02}))
            with connection.getresponse() as reply:
                reply.readline()
                process.send_signal(signal.SIGTERM)
                summary = decoded(reply.read())[-1]
        assert (summary["event"], summary["reason"], process.wait(50)) == ("summary", "shutdown", 143)
    finally:
        process.kill()
        process.communicate()
