"""The HTTP API: who is let in, what a request may be, what becomes of it, and how the server ends."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from transmissions import api_runs, serving
from transmissions.api import API
from transmissions.api_guard import Guard
from transmissions.api_runs import Limits, Served
from transmissions.homes import find_app
from transmissions.prepare import prepare

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
APPS = {
    "twice": ':twice a :EntryTransmission ; :pipe ( [ a :ForEach ; :forEach "items" ] [ a :ShowMessage ; :alert "" ] ) .',
    "pages": """:pages a :EntryTransmission ; :pipe (
        [ a :Templater ; :template "{{ text }}" ] [ a :FileWriter ; :destinationFile "page.txt" ] [ a :Forget ]
        [ a :FileReader ; :sourceFile "page.txt" ] ) .""",
    "odd": ':odd a :EntryTransmission ; :pipe ( :act ) . :act a :Act ; :onError "stop" .',
    "stuck": ":stuck a :EntryTransmission ; :pipe ( [ a :Stuck ] ) .",
}
STEPS = '''
import asyncio
import time
from pathlib import Path
from transmissions import Processor


class Stuck(Processor):
    """Wait in a thread for a file."""

    placement = "thread"

    def process(self, message):
        while not Path("go").exists():
            time.sleep(0.01)
        return message


class Forget(Processor):
    """Drop everything from a message."""

    async def process(self, message):
        await asyncio.sleep(0)
        return {}


class Act(Processor):
    """Do what a message says."""

    secret: str = "hunter2-hunter2"
    "Not to be told."

    async def process(self, message):
        how = message["how"]
        if how == "wait":
            await asyncio.sleep(60)
        if how == "fail":
            raise ValueError(f"no {self.context.folders.app}/x")
        if how == "break":
            raise OSError(2, "gone", str(self.context.folders.output / "f"))
        if how == "skip":
            self.context.skip("odd")
        if how == "many":
            return [{"text": "x" * 1000}] * 2000
        if how == "none":
            return None
        return {"number": float("nan"), "text": "\\ud83d", "secret": self.secret}
'''


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give a home with the apps above, and work in it."""
    for name, pipe in APPS.items():
        (tmp_path / "apps" / name).mkdir(parents=True)
        (tmp_path / "apps" / name / "transmissions.ttl").write_text(PREFIX + pipe)
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "steps.py").write_text(STEPS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def served(*names):
    """Return apps as they are served."""
    apps = [find_app(name) for name in names]
    return [Served(app.name, app, prepare(app).plan, None, Path.cwd() / f"{app.name}-output") for app in apps]


async def ask(app, path, body=b"", method="POST", *, leaves=None, **headers):
    """Send a request to an ASGI application; return status, headers and the JSON; its client may leave."""
    sent, pieces = [], [body[i : i + 65536] for i in range(0, len(body), 65536)] or [b""]
    named = {"host": "127.0.0.1:4500", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""}
    scope |= {"headers": [(name.encode(), value.encode()) for name, value in named.items()], "http_version": "1.1"}

    async def receive():
        if not pieces:
            await (leaves or asyncio.Event()).wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(event):
        sent.append(event)

    await app(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, json.loads(b"".join(event.get("body", b"") for event in sent[1:]))


def call(name, message, limits=Limits(), **headers):  # noqa: B008 - it is immutable
    """Send one message to one app."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return asyncio.run(ask(API(served(name), limits).application(), f"/api/{name}", body, **headers))


def test_the_first_message_is_the_data(home):
    """All further ones are in `rest`, what was printed is in `output`."""
    status, headers, answer = call("twice", {"items": [1, 2]})
    assert (status, answer["success"], headers["x-request-id"]) == (200, True, answer["requestId"])
    assert [one["currentItem"] for one in (answer["data"], *answer["rest"])] == [1, 2]
    assert answer["output"].count('"currentItem"') == 2
    assert set(answer) == {"success", "requestId", "data", "rest", "output"}


@pytest.mark.parametrize(("how", "fields"), [("none", {}), ("skip", {"warnings": {"dead": 0, "skipped": 1}})])
def test_what_is_there_is_said(home, how, fields):
    """No message is null; skipped input and dead letters are numbers; NaN is null and odd text is escaped."""
    _, _, answer = call("odd", {"how": how})
    data = None if how == "none" else {"number": None, "text": "\ud83d", "secret": "hunter2-hunter2"}
    assert answer == {"success": True, "requestId": answer["requestId"], "data": data, **fields}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"a":\n x}', "body:2:2: not JSON: expecting value"),
        (b"[1]", "a message is a JSON object, not a list"),
        (b'{"a": NaN}', "the body cannot be read: there is no NaN in JSON"),
        (b'{"a": [-1e999]}', "the body cannot be read: the number -1e999 is too large"),
        (b'{"A": 1, "b": [{"C;d": 1, "C;d": 1}]}', "the body cannot be read: an object has 'C;d' twice"),
        (b"\xff", "the body is not UTF-8, at byte 0"),
        (b'{"a":' * 100_000, "the body cannot be read: nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "the body cannot be read: exceeds the limit"),
    ],
)
def test_a_body_that_is_no_message_is_refused(home, body, sentence):
    """The answer says where it goes wrong."""
    status, _, answer = call("twice", body)
    assert (status, answer["success"]) == (400, False)
    assert answer["error"].startswith(sentence)


def test_a_body_may_begin_with_a_mark_of_its_encoding(home):
    """Some systems write one into every file of text."""
    assert call("odd", b'\xef\xbb\xbf{"how": "none"}')[0] == 200


@pytest.mark.parametrize("headers", [{}, {"content_length": "3000"}])
def test_a_large_body_is_refused(home, headers):
    """Whether its length is told before or not; the connection is not used again."""
    status, found, answer = call("twice", b"x" * 3000, Limits(body=1000), **headers)
    assert (status, found["connection"], answer["error"]) == (413, "close", "the body is larger than 1000 bytes")


@pytest.mark.parametrize(
    ("how", "status", "sentence"),
    [
        ("fail", 500, "ValueError: no odd/x"),
        ("break", 500, "output/f"),
        ("many", 500, "the answer is larger than"),
        ("wait", 504, "longer"),
    ],
)
def test_a_run_that_fails_says_so_in_a_sentence(home, how, status, sentence):
    """It names the node, and no folder of this machine."""
    code, _, answer = call("odd", {"how": how}, Limits(timeout=0.5 if how == "wait" else 60, answer=1 << 20))
    assert (code, answer["success"], answer.get("node")) == (status, False, "odd/act" if how in {"fail", "break"} else None)
    assert sentence in answer["error"]
    assert str(home) not in json.dumps(answer)


def test_a_fault_of_the_server_is_in_its_log_only(home, monkeypatch, caplog):
    """The client learns that there was one."""

    async def broken(*_):
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("transmissions.api.answer", broken)
    status, _, answer = call("twice", {})
    assert (status, answer["error"]) == (500, "a fault of the server; its log says more")
    assert "ZeroDivisionError: inside" in caplog.text


def test_what_is_not_there_is_refused(home):
    """An unknown app comes with the nearest name, another method with those there are."""
    status, _, answer = asyncio.run(ask(API(served("twice"), Limits()).application(), "/api/twic"))
    assert (status, answer["error"]) == (404, "no app 'twic' is served; did you mean 'twice'?")
    status, headers, _ = asyncio.run(ask(API(served("twice"), Limits()).application(), "/api/twice", method="GET"))
    assert (status, headers["allow"]) == (405, "POST")


def test_the_apps_are_listed(home):
    """With their names and the fields they declare."""
    _, _, answer = asyncio.run(ask(API(served("twice", "odd"), Limits()).application(), "/apps", method="GET"))
    assert answer == {"apps": [{"name": name, "about": "", "fields": []} for name in ("twice", "odd")]}


def test_more_requests_than_may_be_at_work_are_told_to_come_back(home):
    """The others are answered as if they were alone."""

    async def main():
        app = API(served("twice"), Limits(concurrent=3)).application()
        body = json.dumps({"items": [1]}).encode()
        return await asyncio.gather(*(ask(app, "/api/twice", body) for _ in range(5)))

    replies = asyncio.run(main())
    assert [status for status, _, _ in replies] == [200, 200, 200, 503, 503]
    assert replies[-1][1]["retry-after"] == "1"


def test_a_run_ends_when_its_client_goes_away(home):
    """Nobody would get its answer; there is room for the next."""

    async def main():
        api, left = API(served("odd"), Limits(concurrent=1)), asyncio.Event()
        asked = asyncio.create_task(ask(api.application(), "/api/odd", b'{"how": "wait"}', leaves=left))
        while not api.at_work:
            await asyncio.sleep(0.01)
        left.set()
        status, _, answer = await asked
        assert (status, answer["error"], api.at_work) == (400, "the client went away", set())
        return await ask(api.application(), "/api/odd", b'{"how": "none"}')

    assert asyncio.run(asyncio.wait_for(main(), 20))[0] == 200


@pytest.mark.parametrize("leaves", [False, True])
def test_nobody_waits_for_a_run_that_cannot_be_stopped(home, monkeypatch, leaves):
    """A call in a thread goes on past its time, and takes a place until it ends; what waits for it is answered."""
    monkeypatch.setattr(api_runs, "PATIENCE", 0.05)

    async def main():
        api, left = API(served("stuck"), Limits(concurrent=1, timeout=0.05 if not leaves else 60)), asyncio.Event()
        app = api.application()
        asked = asyncio.create_task(ask(app, "/api/stuck", b"{}", leaves=left))
        while not api.at_work:
            await asyncio.sleep(0.01)
        if leaves:
            left.set()
        first, second = await asked, await ask(app, "/api/stuck", b"{}")
        await asyncio.to_thread(Path("go").touch)
        while api.at_work:
            await asyncio.sleep(0.01)
        return first[0], second[0], (await ask(app, "/api/stuck", b"{}"))[0] != 503

    assert asyncio.run(asyncio.wait_for(main(), 20)) == (400 if leaves else 504, 503, True)


@pytest.mark.parametrize("in_place", [False, True])
def test_runs_at_once_do_not_see_each_others_files(home, in_place):
    """Each has a folder of its own, or they stand in line."""

    async def main():
        one = served("pages")[0]
        one = one._replace(output=Path(one.app.folder, "data"), line=asyncio.Lock()) if in_place else one
        app = API([one], Limits()).application()
        bodies = [json.dumps({"text": f"text {number}"}).encode() for number in range(20)]
        return await asyncio.gather(*(ask(app, "/api/pages", body) for body in bodies))

    replies = asyncio.run(main())
    assert [answer["data"]["content"] for _, _, answer in replies] == [f"text {number}" for number in range(20)]
    files = sorted(home.glob("pages-output/*/page.txt")) or [home / "apps/pages/data/page.txt"]
    assert len(files) == (1 if in_place else 20)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer right"}, 200),
        ({"authorization": "bearer right", "origin": "http://127.0.0.1:4500"}, 200),
        ({"authorization": "Bearer right", "host": "[::1]:4500"}, 200),
        ({"authorization": "Bearer right", "host": "my.name:80"}, 200),
        ({"authorization": "Bearer right", "host": "LocalHost.:80"}, 200),
        ({"authorization": "Bearer right", "host": "localhost:http"}, 403),
        ({"authorization": "Bearer right", "host": "my.name@localhost"}, 403),
        ({"authorization": "Bearer right", "host": "localhost/my.name"}, 403),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic right"}, 401),
        ({}, 401),
        ({"authorization": "Bearer right", "host": "evil.example"}, 403),
        ({"authorization": "Bearer right", "origin": "http://evil.example"}, 403),
        ({"authorization": "Bearer right", "origin": "null"}, 403),
        ({"authorization": "Bearer right", "origin": "http://[::1"}, 403),
        ({"authorization": "Bearer right", "host": "[::1"}, 403),
        ({"authorization": "Bearer right", "x_more": "x" * 40_000}, 431),
    ],
)
def test_only_clients_with_the_token_are_let_in(headers, status):
    """They must call the server by a name it has, and not on behalf of another's page."""

    async def behind(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    guard = Guard(behind, token="right", names=["My.Name"])
    assert asyncio.run(ask(guard, "/apps", **headers))[0] == status
    assert asyncio.run(ask(guard, "/healthz", **{**headers, "authorization": ""}))[0] == (
        status if status in {403, 431} else 200
    )


@contextmanager
def server(*words, token="t0ken", **options):
    """Start `trans serve --api` at a free port; give the process and a way to ask it."""
    command = [sys.executable, "-P", "-m", "transmissions", "serve", "--api", "--port", "0", *words]
    environment = {**os.environ, "TRANS_TOKEN": token}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, **options)
    try:
        lines = iter(process.stderr.readline, "")
        port = next(found[1] for found in (re.search(r"at http://127.0.0.1:(\d+)", line) for line in lines) if found)
        yield process, lambda message, app="hello": _post(port, app, message)
    finally:
        process.kill()
        process.communicate()


def _post(port, app, message):
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.request("POST", f"/api/{app}", json.dumps(message), {"Authorization": "Bearer t0ken"})
    reply = connection.getresponse()
    status, answer = reply.status, json.loads(reply.read())
    connection.close()
    return status, answer


def test_each_response_equals_a_fresh_process(home):
    """Many requests to one process give what the command line gives."""
    command = [sys.executable, "-P", "-m", "transmissions", "hello", "Ada", "--json", "-q"]
    fresh = subprocess.run(command, capture_output=True, text=True, timeout=100).stdout
    with server("hello") as (process, post):
        for _ in range(200):
            status, answer = post({"name": "Ada"})
            assert status == 200
            assert answer["output"] + json.dumps(answer["data"]) + "\n" == fresh
        process.terminate()
        assert process.wait(30) == 143
    assert not (home / "hello-output").exists()


def test_a_connection_that_asks_for_nothing_is_closed(monkeypatch):
    """Whether it is new, or its next request or the rest of a body that was refused comes a byte at a time."""
    monkeypatch.setattr("transmissions.delivery.doors.PATIENCE", 0.05)
    refused = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n"
    assert all(_is_closed(begin, b"X") for begin in (b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", refused))


def test_headers_without_end_are_refused():
    """Whether they are in front of a body or behind it, they are held no longer than there may be of them."""
    chunked = b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX-More: "
    assert all(_is_closed(begin, b"X" * 999) for begin in (b"GET /healthz HTTP/1.1\r\nX-More: ", chunked))


def _is_closed(begin, piece):
    """Whether a connection is that begins so, and goes on with the same a few hundred times."""

    async def dribble():
        reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        writer.write(begin)
        for _ in range(400):
            closed = (await _soon(reader.read(9999))) == b"" or reader.exception() is not None
            if closed:
                break
            writer.write(piece)
        writer.close()
        await _soon(writer.wait_closed())
        return closed

    async def main():
        app = Guard(API([], Limits()).application(), token="t")
        server = serving.Server(app, concurrent=4, timeout=1, kill=lambda: None)
        at_work = asyncio.create_task(server.serve([listener]))
        closed = await dribble()
        server.should_exit = True
        await at_work
        return closed

    listener = serving.listen("127.0.0.1", 0)
    return asyncio.run(main())


async def _soon(work):
    with contextlib.suppress(TimeoutError, ConnectionError):
        return await asyncio.wait_for(work, 0.01)


def test_a_signal_lets_requests_at_work_finish(home):
    """The answer still comes, and nothing new is taken."""
    (home / "apps/slow").mkdir()
    (home / "apps/slow/transmissions.ttl").write_text(f"{PREFIX}:slow a :EntryTransmission ; :pipe ( [ a :Signal ] ) .")
    step = "import asyncio, os, signal\nfrom transmissions import Processor\n\n\nclass Signal(Processor):\n"
    step += '    """Send a signal to this process, and go on."""\n\n    async def process(self, message):\n'
    step += "        os.kill(os.getpid(), signal.SIGINT)\n        await asyncio.sleep(0.5)\n        return message\n"
    (home / "processors/signal_step.py").write_text(step)
    with server("slow", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) as (process, post):
        assert post({"a": 1}, "slow")[1]["data"] == {"a": 1}
        assert process.wait(30) == 130


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--api", "hello", "--host", "0.0.0.0", "--no-token"], "--no-token is for loopback addresses"),
        (["--api", "hello", "--token-file", "none"], "cannot read 'none'"),
        (["--api", "hello", "twice", "--set", "a.b=1"], "--target and --set are for one app"),
        (["--api", "hello", "./apps/hello"], "two apps would be served as 'hello'"),
        (["--api", "bad"], "error[unknown-setting]"),
    ],
)
def test_a_server_that_cannot_be_does_not_start(home, words, sentence):
    """Faulty words and faulty apps are exit code 2."""
    for name in ("hello", "bad"):
        (home / "apps" / name).mkdir()
        text = f"{PREFIX}:{name} a :EntryTransmission ; :pipe ( [ a :NOP {'; :x 1' if name == 'bad' else ''} ] ) ."
        (home / "apps" / name / "transmissions.ttl").write_text(text)
    words = [str(Path(__file__).parent.parent / "apps/hello") if word == "hello" else word for word in words]
    command = [sys.executable, "-P", "-m", "transmissions", "serve", *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (result.returncode, sentence in result.stderr) == (2, True), result.stderr
