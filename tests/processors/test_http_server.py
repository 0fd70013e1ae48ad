"""HttpServer, with real requests on the loopback."""

import asyncio
import contextlib
import gc
import json
import socket

import pytest

from transmissions import RunError, Secret
from transmissions.processors.fetch import Door, Request
from transmissions.processors.flow import Halt
from transmissions.processors.http_server import HttpServer
from transmissions.testing import bench as through_engine


def talk(bench, *requests, message=None, taking=True, **settings):
    """Send requests (as a path and what else there is) one by one; return the replies, and what the messages hold."""
    step = bench.attach(HttpServer(port=0, **settings))
    messages = []

    async def take(stream):
        async with contextlib.aclosing(stream):
            async for one in stream:
                messages.append(one)
                await (asyncio.sleep(0) if taking else asyncio.sleep(99))

    async def both():
        taker = asyncio.create_task(take(step.produce(message or {})))
        while not (bench.events or taker.done()):
            await asyncio.sleep(0.001)
        if not taker.done():
            base = bench.events[0][1]["url"]
            async with Door(timeout=10) as door:
                replies = [await door.fetch(Request(base + path, *rest), trusted=True) for path, *rest in requests]
            taker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await taker
        return replies

    return asyncio.run(both()), messages


def test_every_request_becomes_a_message(bench):
    """With what the incoming message had; it is answered at once."""
    replies, messages = talk(
        bench, ("/hooks/a%20b?x=1&y=2&y=3&z=", "POST", {"Content-Type": "application/json", "X-One": "1"}, b'{"n": 1}'),
        ("/hooks",), base_path="/hooks/", message={"k": "v"},
    )  # fmt: skip
    assert [(reply.status, reply.json()) for reply in replies] == [(202, {"accepted": True})] * 2
    first, second = messages
    headers = first["http"].pop("headers")
    assert (first["k"], headers["x-one"]) == ("v", "1")
    assert first["http"] == {"method": "POST", "path": "/a b", "query": {"x": "1", "y": ["2", "3"], "z": ""}, "body": {"n": 1}}
    assert (second["http"]["method"], second["http"]["path"], second["http"]["body"]) == ("GET", "/", "")


@pytest.mark.parametrize(("kind", "body", "read"), [
    ("text/plain; charset=latin-1", b"\xfc", "ü"),
    ("application/x-www-form-urlencoded", b"a=%C3%BC&b=1&b=2", {"a": "ü", "b": ["1", "2"]}),
    ("application/octet-stream", b"\0", b"\0"), ("application/ld+json", b"[]", []),
])  # fmt: skip
def test_a_body_is_read_as_its_type_says(bench, kind, body, read):
    """JSON, a form, text, or bytes."""
    _, (message,) = talk(bench, ("/", "PUT", {"Content-Type": kind}, body))
    assert message["http"]["body"] == read


@pytest.mark.parametrize(("request_", "status"), [
    (("/other",), 404), (("/hooksx",), 404), (("/hooks/../x",), 202), (("/hooks", "HEAD"), 405), (("/hooks", "TRACE"), 405),
    (("/hooks", "POST", {"Content-Type": "application/json"}, b"{"), 400), (("/hooks", "POST", {}, b"x" * 101), 413),
    (("/hooks?" + "a=b&" * 1001,), 400), (("/hooks", "GET", {"Host": "evil.example"}), 403),
    (("/hooks", "POST", {"Origin": "https://evil.example"}, b"x"), 403), (("/hooks", "OPTIONS", {"Origin": "null"}), 403),
    (("/hooks", "GET", {"Host": "[::1"}), 403), (("/hooks", "GET", {"Host": "LocalHost:1"}), 202),
])  # fmt: skip
def test_what_is_not_for_it_is_refused(bench, request_, status):
    """And makes no message."""
    (reply,), messages = talk(bench, request_, base_path="/hooks", max_request_size=100)
    assert (reply.status, len(messages)) == (status, 1 if status == 202 else 0)


def test_pages_of_origins_that_are_named_are_let_in(bench):
    """Their browsers ask first."""
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-one"}
    (asking, sending), messages = talk(
        bench, ("/", "OPTIONS", asked), ("/", "PUT", {"Origin": "https://a.example"}, b"x"), cors=("https://a.example",)
    )
    assert (asking.status, sending.status, len(messages)) == (204, 202, 1)
    assert asking.headers["access-control-allow-headers"] == "x-one"
    assert sending.headers["access-control-allow-origin"] == "https://a.example"


def test_a_token_is_needed_where_there_is_one(bench):
    """It does not get into the message."""
    requests = [("/", "GET", {"Authorization": value}) for value in ("Bearer no", "Basic t0ken", "Bearer t0ken")]
    replies, (message,) = talk(bench, ("/",), *requests, token=Secret("t0ken"))
    assert [reply.status for reply in replies] == [401, 401, 401, 202]
    assert "authorization" not in message["http"]["headers"]


def test_files_are_served_and_nothing_else_is(bench):
    """Nothing hidden, nothing above the folder, nothing a link leads to outside; those make messages, or none."""
    root = bench.data / "public"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "index.html").write_text("<p>index")
    (root / "a b.txt").write_text("file")
    (root / ".hidden").write_text("secret")
    (bench.data / "secret").write_text("secret")
    (root / "link").symlink_to(bench.data / "secret")
    strange = ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/.hidden", "/link", "/%00", "/" + "x" * 999, "//etc/passwd"]
    paths = ["/a%20b.txt", "/sub", *strange]
    replies, messages = talk(bench, *((path,) for path in paths), static_path="public")
    assert [reply.status for reply in replies] == [200, 200] + [202] * 8
    assert (replies[0].text(), replies[1].content_type, replies[1].text()) == ("file", "text/html", "<p>index")
    assert len(messages) == 8


def test_a_request_the_run_does_not_take_is_turned_away(bench):
    """It was never accepted, so it does not come later."""
    (first, second), messages = talk(bench, ("/",), ("/",), taking=False, timeout=50)
    assert (first.status, second.status, len(messages)) == (202, 503, 1)


def test_a_client_that_does_not_send_its_body_is_given_up(bench):
    """As is one that leaves in the middle."""

    async def half(url, *, leave):
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
        head = b"" if leave else await reader.readline()
        writer.close()
        await writer.wait_closed()
        return head

    async def both(step):
        stream = step.produce({})
        first = asyncio.create_task(anext(stream))
        while not bench.events:
            await asyncio.sleep(0.001)
        heads = [await half(bench.events[0][1]["url"], leave=leave) for leave in (True, False)]
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await stream.aclose()
        return heads

    assert asyncio.run(both(bench.attach(HttpServer(port=0, timeout=50)))) == [b"", b"HTTP/1.1 408 Request Timeout\r\n"]


def test_it_ends_with_the_run(tmp_path):
    """What was answered 202 has arrived, and nothing listens any more."""
    run = through_engine([HttpServer(port=0), Halt()], [{}], tmp_path)
    urls, replies = [], []

    async def send():
        async with Door() as door:
            replies.append(await door.fetch(Request(urls[0], "POST", {}, b"x"), trusted=True))

    async def serve():
        tasks = []
        run.on("listening", lambda _, event: (urls.append(event["url"]), tasks.append(asyncio.create_task(send()))))
        async with run:
            result = await run.wait()
        await asyncio.gather(*tasks)
        return result

    assert asyncio.run(serve()).drained
    assert replies[0].status == 202
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(urls[0].rpartition(":")[2])))


def test_what_cannot_listen_or_serve_says_why(bench):
    """A port that is taken, a host that is not here, a folder that is none."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        step = bench.attach(HttpServer(port=taken.getsockname()[1]))
        with pytest.raises(RunError, match=r"cannot listen at 127.0.0.1, port \d+: address already in use"):
            asyncio.run(anext(step.produce({})))
    with pytest.raises(RunError, match="no folder 'none' to serve files from"):
        talk(bench, static_path="none")


def test_the_api_of_a_message_is_plain_data(bench):
    """It can be written as JSON."""
    _, messages = talk(bench, ("/", "POST", {"Content-Type": "text/plain"}, b"x"))
    assert json.loads(json.dumps(messages)) == messages


def test_a_run_that_is_cancelled_leaves_nothing_listening(bench):
    """Python's own `asyncio.run` cancels the server together with the run."""
    step = bench.attach(HttpServer(port=0))

    async def begin():
        begun = asyncio.create_task(anext(step.produce({})))
        while not bench.events:
            await asyncio.sleep(0.001)
        return begun

    asyncio.run(begin())
    gc.collect()  # which warns of sockets nobody closed, where there are any
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(bench.events[0][1]["url"].rpartition(":")[2])))
