"""WebSocketSource and WebSocketSink, against servers on the loopback."""

import asyncio
import contextlib
import json
import threading

import pytest
from local_server import redirect
from local_server import serving as serving_http
from websockets.sync.server import serve

from transmissions import NodeFailed, Secret, UsageError
from transmissions.processors.fetch import FetchError
from transmissions.processors.fetching import SecretHeader
from transmissions.processors.web_sockets import WebSocketSink, WebSocketSource
from transmissions.testing import through

FAST = {"delay": 1, "max_delay": 20}


@contextlib.contextmanager
def serving(handle, **options):
    """Serve WebSockets in threads while the block lasts; give the URL."""
    with serve(handle, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join(10)


def test_what_comes_is_a_message():
    """Objects as they are, anything else in a field; the server's end is the end, and it was told what was wanted."""
    heard = []

    def handle(socket):
        heard.append((socket.recv(), socket.request.headers["X-Key"]))
        for text in ('{"n": 1}', "[2]", "plain", "NaN", b"\x00"):
            socket.send(text)

    key = (SecretHeader(name="X-Key", value=Secret("k")),)
    with serving(handle) as url:
        told = through(WebSocketSource(url=url, send="please", secret_headers=key), [{"k": 1}])
    assert told == [{"n": 1}, *({"k": 1, "content": one} for one in ([2], "plain", "NaN", b"\x00"))]
    assert heard == [("please", "k")]


def test_a_lost_connection_is_made_again():
    """As often as was said; what arrives begins the count anew."""
    calls = []

    def handle(socket):
        calls.append(1)
        socket.send(json.dumps({"n": len(calls)}))
        if len(calls) < 4:
            socket.close(1011)

    with serving(handle) as url:
        assert [one["n"] for one in through(WebSocketSource(url=url, attempts=1, **FAST), [{}])] == [1, 2, 3, 4]


def test_a_server_that_opens_none_is_an_error():
    """One that refuses is believed at once, one that is not there is tried as often as was said."""
    refusing = serving(lambda _: None, process_request=lambda socket, _: socket.respond(403, "no"))
    with refusing as url, pytest.raises(NodeFailed, match="answered 403"):
        through(WebSocketSource(url=url, **FAST), [{}])
    with pytest.raises(NodeFailed, match="no connection"):
        through(WebSocketSource(url=url, attempts=1, **FAST), [{}])


def test_messages_go_out_and_on():
    """As JSON, in order, over one connection."""
    heard = []

    def handle(socket):
        socket.send("noise")
        heard.append([json.loads(text) for text in socket])

    messages = [{"n": number, "t": "🌳"} for number in range(300)]
    with serving(handle) as url:
        assert through(WebSocketSink(url=url), [dict(one) for one in messages]) == messages
    assert heard == [messages]


@pytest.mark.parametrize(("code", "heard"), [(1000, ["1", "2"]), (1001, ["1", "2"]), (1008, ["1"])])
def test_a_socket_that_its_server_closed_in_good_order_is_made_again(code, heard):
    """Many close what is idle for a while; one that was closed for what it was sent is an error."""
    got = []

    def handle(socket):
        got.append(socket.recv())
        socket.close(code)

    async def main(url):
        async with WebSocketSink(url=url) as sink:
            await sink.send([b"1"])
            await asyncio.gather(sink._draining, return_exceptions=True)
            with contextlib.nullcontext() if len(heard) > 1 else pytest.raises(FetchError, match="policy violation"):
                await sink.send([b"2"])

    with serving(handle) as url:
        asyncio.run(main(url))
    assert got == heard


def test_a_sink_whose_server_is_gone_fails():
    """And what it was about to send is not said to be sent."""
    with serving(lambda socket: socket.recv()) as url:
        pass
    with pytest.raises(NodeFailed, match="no connection"):
        through(WebSocketSink(url=url), [{}])


@pytest.mark.parametrize("url", ["http://a/", "ws:", "ftp://a", "ws://"])
def test_what_is_no_url_is_refused(url):
    """Before anything runs."""
    for kind in (WebSocketSource, WebSocketSink):
        with pytest.raises(UsageError, match="url"):
            kind(url=url)


@pytest.mark.parametrize(("code", "came"), [(1000, [1]), (1005, [1]), (1001, [1, 2]), (1012, [1, 2]), (4000, [1, 2])])
def test_only_a_proper_end_is_the_end(code, came):
    """A server that goes away, as at a restart, may be back."""
    calls = []

    def handle(socket):
        calls.append(1)
        socket.send(json.dumps({"n": len(calls)}))
        if len(calls) == 1:
            socket.close(*[code][: code != 1005])

    with serving(handle) as url:
        assert [one["n"] for one in through(WebSocketSource(url=url, **FAST), [{}])] == came


def test_what_is_secret_goes_to_no_other_server():
    """A redirect to one is not followed, and not asked for again."""
    heard = []
    key = (SecretHeader(name="X-Key", value=Secret("k")),)
    with serving(heard.append) as other, serving_http(lambda _: redirect(other)) as server:
        source = WebSocketSource(url=server.url.replace("http", "ws"), secret_headers=key, **FAST)
        with pytest.raises(NodeFailed, match="redirects to another server"):
            through(source, [{}])
    assert (heard, len(server.seen)) == ([], 1)


def test_an_error_tells_no_password():
    """The URL may hold one."""
    with pytest.raises(NodeFailed, match="no connection") as caught:
        through(WebSocketSource(url="ws://me:pa55@127.0.0.1:1/x?key=pa55", attempts=0), [{}])
    assert "pa55" not in str(caught.value)


def test_a_message_that_is_too_large_is_an_error():
    """The connection is not made again: it would come again."""
    calls = []
    told = pytest.raises(NodeFailed, match=r"a message of ws://.* is larger than 100 bytes")
    with serving(lambda socket: (calls.append(1), socket.send("{}"), socket.send("x" * 200))) as url, told:
        through(WebSocketSource(url=url, max_record=100, **FAST), [{}])
    assert calls == [1]


def test_a_message_that_is_no_text_is_an_error():
    """Though its server closes the connection in good order behind it; it would come again, too."""
    calls = []

    def handle(socket):
        calls.append(1)
        socket.send(b"\xff", text=True)
        socket.send("{}")

    with serving(handle) as url, pytest.raises(NodeFailed, match=r"ws://.* sent what is no text in UTF-8"):
        through(WebSocketSource(url=url, attempts=1, **FAST), [{}])
    assert calls == [1]


def test_a_server_that_breaks_the_protocol_is_an_error():
    """It would do so again, behind what comes before it."""
    calls = []

    def handle(socket):
        calls.append(1)
        if len(calls) < 4:  # so that the test ends without the mend, too
            socket.send("{}")
            socket.socket.sendall(b"\xff\x00")

    with serving(handle) as url, pytest.raises(NodeFailed, match=r"ws://.* breaks the protocol of WebSockets: invalid opcode"):
        through(WebSocketSource(url=url, attempts=1, **FAST), [{}])
    assert calls == [1]


@pytest.mark.parametrize(("status", "asked"), [(408, 2), (503, 2), (404, 1), (501, 1)])
def test_a_server_that_is_busy_is_asked_again(status, asked):
    """As it is over HTTP."""
    with serving_http(lambda _: redirect("/", status)) as server, pytest.raises(NodeFailed, match=f"answered {status}"):
        through(WebSocketSource(url=server.url.replace("http", "ws"), attempts=1, **FAST), [{}])
    assert len(server.seen) == asked
