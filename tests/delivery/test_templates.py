"""Rows T2 of the streaming templates that are about the server: the apps that serve its endpoints, over real connections."""

import contextlib
import http.client
import json
import sqlite3
import threading
import time

import pytest
from delivering import PREFIX, running
from local_server import serving
from waiting import eventually
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from transmissions.cli import main
from transmissions.homes import bundled

HOME = '''
import asyncio
from transmissions import RunError, Source


class Items(Source):
    """Send `count` items, fail at `fail`, and wait at `hold` for ever."""

    count: int = 3
    "How many."
    fail: int = -1
    "Where."
    hold: int = -1
    "Where."

    async def produce(self, message):
        for number in range(self.count):
            if number == self.fail:
                raise RunError("the secret cause")
            if number == self.hold:
                await asyncio.sleep(60)
            yield {"n": number, "fill": "x" * 300}
'''
AT_ONCE = ["work.concurrency=16"]
"""Has the steps of an app wait side by side, where it is not about their time."""


def app(folder, name, endpoint, pipe="( :items )", **settings):
    """Make an app in a folder, with the source above."""
    told = "".join(f" ; :{term} {json.dumps(value)}" for term, value in settings.items())
    (folder / "apps" / name).mkdir(parents=True)
    text = f"{PREFIX}:{name} a :EntryTransmission ; :endpoint [ {endpoint} ] ; :pipe {pipe} . :items a :Items{told} ."
    (folder / "apps" / name / "transmissions.ttl").write_text(text)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Work in a home of one's own."""
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "items.py").write_text(HOME)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frames(body):
    """Return the frames of Server-Sent Events as pairs of name and data; comments are left out."""
    found = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("event", ""), json.loads(fields["data"])))
    return found


def test_t2_01_stream_data_is_a_hundred_items_as_lines(home):
    """Each has `id`, `timestamp`, `value` and `data.value`; the first is there long before the last."""
    with running("stream-data", settings=["pace.rate=50"]) as server, server.asked("GET", "/stream/data") as reply:
        first = json.loads(reply.readline())
        began = time.monotonic()
        items = [first, *map(json.loads, reply.read().splitlines())]
        took = time.monotonic() - began
    assert reply.getheader("content-type").startswith("application/x-ndjson")
    assert [item["id"] for item in items] == list(range(100))
    assert all(item["data"] == {"value": item["value"]} and item["timestamp"].endswith("Z") for item in items)
    assert took > 1, "a hundred items at fifty in a second"


def test_t2_02_stream_events_are_ten_steps_and_an_end(home):
    """Named frames, without an envelope."""
    with running("stream-events", settings=AT_ONCE) as server:
        status, headers, body = server.ask("GET", "/stream/events")
    assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    steps = [("progress", {"step": number, "total": 10}) for number in range(1, 11)]
    assert frames(body) == [*steps, ("done", {"message": "Complete"})]


@pytest.mark.parametrize("protocol", ["ndjson", "json-array"])
def test_t2_03_a_failure_before_the_first_message_is_a_500(home, protocol):
    """It says no more than the endpoint wants said."""
    app(home, "bad", f':path "/bad" ; :protocol "{protocol}" ; :envelope false', fail=0)
    with running("bad") as server:
        status, headers, body = server.ask("GET", "/bad")
    assert (status, headers["content-type"], json.loads(body)) == (500, "application/json", {"error": "Stream failed"})


def test_t2_04_a_failure_in_the_middle_is_the_last_line(home):
    """What came before it is whole."""
    app(home, "bad", ':path "/bad" ; :envelope false', fail=150, count=200)
    with running("bad") as server:
        status, _, body = server.ask("GET", "/bad")
    *items, last = map(json.loads, body.splitlines())
    assert (status, [item["n"] for item in items], last) == (200, list(range(150)), {"error": "Stream failed"})


def make_users(path, ids):
    """Make a database of users."""
    with sqlite3.connect(path) as database:
        database.execute("create table users (id integer primary key, name text, email text)")
        database.executemany("insert into users values (?, 'n', 'e')", [(number,) for number in ids])
    database.close()


def users_app(folder, ids):
    """Make an app that sends the rows of a database of its own, as stream-users does."""
    source = (bundled().folder / "apps" / "stream-users" / "transmissions.ttl").read_text()
    (folder / "apps" / "users" / "data").mkdir(parents=True)
    (folder / "apps" / "users" / "transmissions.ttl").write_text(source.replace(":stream-users", ":people"))
    make_users(folder / "apps" / "users" / "data" / "users.db", ids)
    return folder / "apps" / "users" / "data" / "users.db"


def test_t2_05_no_row_is_lost_or_sent_twice_while_others_are_inserted(home):
    """Rows are inserted before and behind the place that was read; what was there at first comes once, in order."""
    ids = range(0, 20_000, 2)
    path = users_app(home, ids)
    with running("users") as server, server.asked("GET", "/stream/users", X_Buffer_Size="64") as reply:
        seen = [json.loads(reply.readline())["id"] for _ in range(150)]
        with sqlite3.connect(path, timeout=20) as database:
            database.executemany("insert into users values (?, 'new', 'e')", [(number,) for number in range(1, 20_000, 2)])
        database.close()
        seen += [json.loads(line)["id"] for line in reply]
    assert seen == sorted(set(seen))
    assert set(ids) <= set(seen)


def test_t2_06_a_row_with_the_id_0_is_a_row(home):
    """Neither is it left out, nor does a batch that ends with it begin again."""
    users_app(home, [-1, 0, 1])
    with running("users") as server:
        body = server.ask("GET", "/stream/users")[2]
    assert [json.loads(line)["id"] for line in body.splitlines()] == [-1, 0, 1]


def test_t2_07_the_database_is_free_while_a_client_does_not_read(home):
    """Between two batches nothing is held: another can write to it."""
    path = users_app(home, range(50_000))
    with running("users") as server, server.asked("GET", "/stream/users") as reply:
        reply.readline()
        database = sqlite3.connect(path, timeout=10)
        with database:
            changed = database.execute("update users set name = 'x' where id = 49999").rowcount
        database.close()
    assert changed == 1


def test_t2_09_a_file_comes_with_its_length_and_a_name(home):
    """As bytes, to be saved."""
    with running("stream-file") as server:
        status, headers, body = server.ask("GET", "/stream/file/hedgehog.txt")
    shown = (status, headers["content-type"], headers["content-disposition"])
    assert shown == (200, "application/octet-stream", 'attachment; filename="hedgehog.txt"')
    assert int(headers["content-length"]) == len(body) == 5500


@pytest.mark.parametrize(
    "name", ["..%2f..%2fabout.md", "..%2Fabout.md", "%2e%2e", "%2fetc%2fpasswd", "a%00b", "a%0d%0ab", "%22", "a" * 300]
)
def test_t2_10_nothing_beside_the_folder_is_sent(home, name):
    """However its name is spelt."""
    with running("stream-file") as server:
        status, _, body = server.ask("GET", f"/stream/file/{name}")
    assert (status, json.loads(body)["error"]["type"]) == (404, "NotFound")


def file_app(folder, name, content):
    """Make an app that sends files of its data folder."""
    text = (bundled().folder / "apps" / "stream-file" / "transmissions.ttl").read_text()
    (folder / "apps" / "files" / "data" / "files").mkdir(parents=True)
    (folder / "apps" / "files" / "transmissions.ttl").write_text(text.replace("stream-file", "files"))
    (folder / "apps" / "files" / "data" / "files" / name).write_bytes(content)
    return folder / "apps" / "files" / "data" / "files"


def test_t2_10_a_link_that_leads_out_is_no_file(home):
    """And a name with quotes and line feeds makes no headers."""
    folder = file_app(home, 'a"\r\nX: y', b"content")
    (home / "secret").write_text("secret")
    (folder / "link").symlink_to(home / "secret")
    with running("files") as server:
        assert server.ask("GET", "/stream/file/link")[0] == 404
        status, headers, _ = server.ask("GET", "/stream/file/a%22%0d%0aX%3a%20y")
    assert (status, headers["content-disposition"]) == (200, "attachment; filename*=utf-8''a%22%0D%0AX%3A%20y")
    assert "x" not in headers


def test_only_what_is_sent_is_counted(home):
    """Bare records have no events around them, so that none of those were sent."""
    app(home, "bare", ':path "/items" ; :protocol "ndjson" ; :envelope false')
    with running("bare") as server:
        body = server.ask("GET", "/items")[2]
        hub = server.streams.hub
        assert eventually(lambda: not hub.lifecycle.connections)
        scrape = server.ask("GET", "/metrics")[2].decode()
    assert f"\nstreaming_messages_sent_total {len(body.splitlines())}.0\n" in scrape
    assert f'\nstreaming_bytes_total{{protocol="ndjson"}} {len(body)}.0\n' in scrape


def test_t2_11_a_file_that_is_not_there_is_a_404(home):
    """And its run is not left behind."""
    with running("stream-file") as server:
        assert server.ask("GET", "/stream/file/nope")[0] == 404
        assert eventually(lambda: server.streams.hub.streams == 0)


def test_t2_12_how_far_a_file_is_can_be_followed(home):
    """As events of the run, by whoever knows its name; they end with it."""
    file_app(home, "big", bytes(50_000_000))
    with running("files") as server, server.asked("GET", "/stream/file/big", X_Request_ID="big") as reply:
        reply.read(1_000_000)
        with server.asked("GET", "/runs/big/stream") as watching:
            first = [json.loads(watching.readline()) for _ in range(2)][1]
            reply.read()
            last = [json.loads(line) for line in watching]
    assert (first["event"], first["file"], first["bytes_total"]) == ("progress", "big", 50_000_000)
    assert [event["bytes_sent"] for event in last if "bytes_sent" in event][-1] == 50_000_000
    assert (last[-1]["event"], last[-1]["status"]) == ("summary", "complete")


def test_t2_12_whoever_follows_a_file_can_end_it(home):
    """The connection breaks off before the promised length."""
    file_app(home, "big", bytes(50_000_000))
    with running("files") as server, server.asked("GET", "/stream/file/big", X_Request_ID="big") as reply:
        reply.read(1000)
        assert server.ask("DELETE", "/runs/big")[0] == 200
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            reply.read()


def test_t2_13_parts_of_a_file_can_be_asked_for(home):
    """By range, as long as the file is still the same; an `ETag` that is known saves sending it."""
    with running("stream-file") as server:
        ask = lambda **headers: server.ask("GET", "/stream/file/hedgehog.txt", **headers)  # noqa: E731
        _, headers, body = ask()
        status, part, some = ask(Range="bytes=100-149", If_Range=headers["etag"])
        assert (status, part["content-range"], some) == (206, "bytes 100-149/5500", body[100:150])
        assert ask(Range="bytes=100-149", If_Range='"another"')[2] == body
        assert ask(Range="bytes=5500-")[0] == 416
        assert ask(Range="bytes=-50")[2] == body[-50:]
        assert (ask(If_None_Match=headers["etag"])[0], ask(If_None_Match=headers["etag"])[2]) == (304, b"")


def test_t2_14_an_array_is_valid_json(home):
    """A thousand items, sent in pieces; none are `[]`."""
    app(home, "none", ':path "/none" ; :protocol "json-array" ; :envelope false', count=0)
    with running("large-array", "none") as server:
        _, headers, body = server.ask("GET", "/stream/large-array")
        assert json.loads(server.ask("GET", "/none")[2]) == []
    assert (headers["content-type"], headers["transfer-encoding"]) == ("application/json; charset=utf-8", "chunked")
    assert json.loads(body) == [{"id": number, "data": f"item-{number}"} for number in range(1000)]


def test_t2_15_an_array_that_breaks_off_is_left_open(home, caplog):
    """Neither its bracket comes nor the end of the body, so that no client takes it for whole; nor is it logged as a fault."""
    app(home, "bad", ':path "/bad" ; :protocol "json-array" ; :envelope false', fail=5, count=10)
    with running("bad") as server, server.asked("GET", "/bad") as reply, pytest.raises(http.client.IncompleteRead) as caught:
        reply.read()
    body = caught.value.partial
    assert not body.endswith(b"]")
    assert [item["n"] for item in json.loads(body + b"]")] == [0, 1, 2, 3, 4]
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_t2_15_lines_that_are_cut_off_have_no_end_either(home):
    """A run that somebody else cancels does not look as if it were through."""
    app(home, "held", ':path "/held" ; :envelope false', hold=2)
    with running("held") as server, server.asked("GET", "/held", X_Request_ID="h") as reply:
        assert [json.loads(reply.readline())["n"] for _ in range(2)] == [0, 1]
        server.ask("DELETE", "/runs/h")
        with pytest.raises(http.client.IncompleteRead):
            reply.read()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
TALK = {"messages": [{"role": "user", "content": "Who?"}]}


def claude(*texts, end=True):
    """Return the frames of an answer in Anthropic's protocol."""
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m-1", "content": [], "stop_reason": None}
    events = [
        {"type": "message_start", "message": {**message, "usage": {"input_tokens": 7, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": one}} for one in texts),
    ]
    if end:
        delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}
        events += [{"type": "content_block_stop", "index": 0}, delta, {"type": "message_stop"}]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def gpt(*texts):
    """Return the frames of an answer in OpenAI's protocol."""
    deltas = [({"role": "assistant", "content": ""}, None), *(({"content": one}, None) for one in texts), ({}, "stop")]
    chunks = [{"id": "c", "model": "m", "choices": [{"index": 0, "delta": d, "finish_reason": r}]} for d, r in deltas]
    return [*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"]


def chat_app(folder, url, keys=True):
    """Make the app chat, asking a server of ours."""
    source = bundled().folder / "apps" / "chat"
    (folder / "apps" / "talk").mkdir(parents=True)
    text = (source / "transmissions.ttl").read_text().replace(":chat ", ":talk ").replace('"chat"', '"talk"')
    (folder / "apps" / "talk" / "transmissions.ttl").write_text(text)
    config = (source / "config.ttl").read_text()
    if keys:
        config = config.replace(':provider "anthropic" ;', f':provider "anthropic" ; :baseURL "{url}" ;')
    config = config.replace(':provider "openai" ;', f':provider "openai" ; :baseURL "{url}/v1" ;')
    (folder / "apps" / "talk" / "config.ttl").write_text(config)


def talk(home, path, answer):
    """Ask for an answer of a model whose server answers so; return the frames, and what its server saw."""
    with serving(answer) as model:
        chat_app(home, model.url)
        with running("talk") as server:
            status, headers, body = server.ask("POST", path, TALK)
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        return frames(body), [json.loads(seen.body) for seen in model.seen]


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/anthropic"])
def test_t2_16_t2_18_the_answer_of_claude_comes_as_it_is_written(home, path):
    """Frames `text`, and `done` with the message; the conversation goes out as it came, with the model of the config."""
    (one, two, done), [sent] = talk(home, path, lambda _: iter([HEAD, *claude("Là-", "bas 🌳")]))
    assert [one, two] == [("", {"type": "text", "text": "Là-"}), ("", {"type": "text", "text": "bas 🌳"})]
    assert done[1]["message"]["content"] == [{"type": "text", "text": "Là-bas 🌳"}]
    assert (sent["max_tokens"], sent["messages"], sent["model"]) == (4096, TALK["messages"], "claude-sonnet-5-5")


def test_t2_17_the_answer_of_gpt_comes_as_it_is_written(home):
    """The same frames; empty pieces are left out, and `done` has no message."""
    told, [sent] = talk(home, "/api/chat/openai", lambda _: iter([HEAD, *gpt("Là-", "", "bas")]))
    assert told == [
        ("", {"type": "text", "text": "Là-"}), ("", {"type": "text", "text": "bas"}), ("", {"type": "done"}),
    ]  # fmt: skip
    assert sent["model"] == "gpt-5.5"


@pytest.mark.parametrize(("path", "answer"), [("/api/chat", claude("yes")), ("/api/chat/openai", gpt("yes"))])
def test_t2_19_which_model_answers_is_a_setting(home, path, answer):
    """One of the config, which the command line wins over; no request chooses another."""
    chosen = ["claude.model=claude-old", "gpt.model=gpt-small"]
    with serving(lambda _: iter([HEAD, *answer])) as model:
        chat_app(home, model.url)
        with running("talk", settings=chosen) as server:
            server.ask("POST", path, TALK | {"model": "the-dearest"})
        [sent] = [json.loads(seen.body) for seen in model.seen]
    assert sent["model"] == ("gpt-small" if "openai" in path else "claude-old")


def test_t2_20_an_answer_that_breaks_off_ends_with_an_error(home):
    """After what has come of it; then the stream is at its end."""
    told, _ = talk(home, "/api/chat", lambda _: iter([HEAD, *claude("Là-", end=False)]))
    assert told[0] == ("", {"type": "text", "text": "Là-"})
    assert (told[-1][1]["type"], "has no end" in told[-1][1]["error"]) == ("error", True)


def test_t2_21_a_client_that_goes_away_ends_the_request_to_the_model(home):
    """The model's server sees the connection close, though it had not finished."""
    closed = threading.Event()

    def endless(_):
        yield HEAD
        yield from claude("a", end=False)
        try:
            for _ in range(3000):
                time.sleep(0.01)
                yield b"event: ping\ndata: {}\n\n"
        finally:
            closed.set()

    with serving(endless) as model:
        chat_app(home, model.url)
        with running("talk") as server:
            with server.asked("POST", "/api/chat", TALK) as reply:
                assert any(b'"text"' in line for line in reply)
            assert closed.wait(20)
            assert eventually(lambda: server.streams.hub.streams == 0)


def test_t2_22_without_a_key_an_error_says_so(home, monkeypatch):
    """In a frame, without a traceback."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    chat_app(home, "http://127.0.0.1:9", keys=False)
    with running("talk") as server:
        [(_, told)] = frames(server.ask("POST", "/api/chat", TALK)[2])
    assert (told["type"], "ANTHROPIC_API_KEY" in told["error"]) == ("error", True)


def test_t2_24_generate_tells_its_steps(home):
    """`start`, ten times `progress`, `complete`."""
    with running("generate", settings=AT_ONCE) as server:
        told = frames(server.ask("POST", "/api/generate")[2])
    steps = [("progress", {"step": number, "total": 10}) for number in range(1, 11)]
    assert told == [("start", {"message": "Generation started"}), *steps, ("complete", {"message": "Done!"})]


def test_t2_24_generate_stops_when_its_client_is_gone(home):
    """And with it the run."""
    with running("generate") as server:
        with server.asked("POST", "/api/generate") as reply:
            reply.readline()
            assert server.streams.hub.streams == 1
        assert eventually(lambda: server.streams.hub.streams == 0)


def test_t2_34_bare_streams_are_chunked_and_kept_alive(home):
    """And no proxy is to hold them back."""
    app(home, "some", ':path "/some" ; :envelope false')
    with running("some") as server:
        _, headers, _ = server.ask("GET", "/some")
    shown = {name: headers[name] for name in ("transfer-encoding", "connection", "cache-control", "x-accel-buffering")}
    assert list(shown.values()) == ["chunked", "keep-alive", "no-cache", "no"]


@pytest.mark.parametrize(("fail", "code", "last"), [(-1, 1000, {"n": 2}), (2, 1011, {"error": "Stream failed"})])
def test_a_bare_socket_is_closed_behind_its_last_record(home, fail, code, last):
    """There is no summary to say that nothing more comes, nor whether all went well: the code of the close does."""
    app(home, "some", ':path "/some" ; :protocol "websocket" ; :envelope false', fail=fail)
    told = []
    with running("some") as server, connect(f"ws://127.0.0.1:{server.address[1]}/some") as socket:
        socket.recv(timeout=20)  # the welcome
        socket.send('{"action": "run"}')
        with contextlib.suppress(ConnectionClosed):
            while True:
                told.append(json.loads(socket.recv(timeout=20)))
    assert (len(told), told[-1].items() >= last.items(), socket.close_code) == (3, True, code)


@pytest.mark.parametrize(("protocol", "sign"), [("ndjson", b"\n"), ("sse", b": heartbeat\n\n"), ("json-array", b"\n")])
def test_t2_35_a_quiet_stream_gives_signs_of_life(home, protocol, sign):
    """That no reader takes for a message."""
    app(home, "held", f':path "/held" ; :protocol "{protocol}" ; :envelope false ; :heartbeat 100', hold=1)
    with running("held") as server, server.asked("GET", "/held") as reply:
        assert eventually(lambda: reply.read1(4096).endswith(sign))


def test_t2_37_an_event_source_that_comes_back_gets_the_rest(home):
    """It sends the last id it saw to the same path; the run is not begun again, and at its end it is told to come no more."""
    app(home, "many", ':path "/many" ; :protocol "sse" ; :envelope false', count=500)
    with running("many") as server:
        with server.asked("GET", "/many") as reply:
            lines = [reply.readline().decode() for _ in range(100)]
        [*_, last] = [line.split(": ")[1].strip() for line in lines if line.startswith("id: ")]
        seen = [json.loads(line[6:])["n"] for line in lines if line.startswith("data: ")]
        rest = server.ask("GET", "/many", Last_Event_ID=last)[2]
        seen_after = [data["n"] for _, data in frames(rest)]
        assert sorted({*seen, *seen_after}) == list(range(500))
        assert len(seen_after) >= 500 - len(seen)
        final = [line.split(": ")[1] for line in rest.decode().splitlines() if line.startswith("id: ")][-1]
        run, _, number = final.partition(".")
        assert server.ask("GET", "/many", Last_Event_ID=f"{run}.{int(number) + 1}")[0] == 204
        assert len(server.streams.hub.runs) == 1


def test_t2_43_every_endpoint_is_asked_once_and_described(home, capfd):
    """`trans serve --check` says what each answers, and one that fails makes it fail; OpenAPI has them all."""
    app(home, "good", ':path "/good/all" ; :protocol "sse" ; :envelope false')
    app(home, "bad", ':path "/bad" ; :protocol "json-array" ; :envelope false', fail=1)
    with running("good", "stream-file") as server:
        paths = json.loads(server.ask("GET", "/openapi.json")[2])["paths"]
    assert (list(paths["/good/all"]), list(paths["/stream/file/{id}"])) == (["get"], ["get"])
    for names, code, line in (("good", 0, "ok     200 GET /good/all"), ("bad", 1, "FAILED 200 GET /bad")):
        assert main(["serve", names, "--check", "--no-token", "--port", "0"]) == code
        assert line in capfd.readouterr().out
