"""HTTPSink, against servers on the loopback."""

import json
import socket
import threading

import pytest
from local_server import Page, serving

from transmissions import NodeFailed, Secret, Source, UsageError
from transmissions.processors.fetching import SecretHeader
from transmissions.processors.http_sink import HTTPSink
from transmissions.testing import through

NUMBERS = [{"n": number} for number in range(1000)]


def copies(messages):
    """Return messages nobody else has."""
    return [dict(message) for message in messages]


def test_a_stream_is_one_request_of_lines():
    """Chunked, with its type and the headers asked for, and the messages go on."""
    key = (SecretHeader(name="X-Key", value=Secret("k")),)
    with serving({"/in": Page()}) as server:
        sink = HTTPSink(url=f"{server.url}/in", headers=("X-Of: me",), secret_headers=key)
        assert through(sink, copies(NUMBERS)) == NUMBERS
    [seen] = server.seen
    assert [json.loads(line) for line in seen.body.splitlines()] == NUMBERS
    assert (seen.method, seen.headers["transfer-encoding"]) == ("POST", "chunked")
    assert (seen.headers["content-type"], seen.headers["x-of"]) == ("application/x-ndjson; charset=utf-8", "me")
    assert seen.headers["x-key"] == "k"


def test_a_field_may_be_what_is_sent():
    """By another method, too."""
    with serving({"/in": Page()}) as server:
        through(HTTPSink(url=f"{server.url}/in", input_field="a.b", method="PUT"), [{"a": {"b": [1]}}])
    assert (server.seen[0].method, server.seen[0].body) == ("PUT", b"[1]\n")


def test_a_stream_without_messages_makes_no_request():
    """Nobody is asked."""
    with serving({}) as server:
        assert through(HTTPSink(url=server.url), []) == []
        assert server.seen == []


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (Page(status=500), "answered 500 Internal Server Error"),
        (Page(b"", {"Location": "/other"}, 307), "it does not take messages here"),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "it does not take messages here"),
        (b"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n", "it does not take messages here"),
        (b"nonsense\r\n\r\n", "not proper HTTP"),
    ],
)
def test_an_answer_that_is_no_success_is_an_error(page, sentence):
    """A redirect is none: the body is gone."""
    with serving({"/in": page}) as server, pytest.raises(NodeFailed, match=sentence):
        through(HTTPSink(url=f"{server.url}/in"), [{}])


def listening(answer):
    """Return a server of one connection that reads the head of a request, sends an answer, and reads nothing more."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept = []

    def serve():
        connection, _ = listener.accept()
        kept.append(connection)
        connection.recv(1000)
        connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return listener, kept


class Forever(Source):
    """Messages of 64 KiB without end."""

    count = 0

    def produce(self, message):
        """Yield them."""
        while True:
            self.count += 1
            yield {"n": "x" * 65536}


def test_a_server_that_takes_nothing_stops_the_pipe_and_then_the_run():
    """What waits is bounded by the buffers of the system."""
    listener, kept = listening(b"")
    source = Forever()
    sink = HTTPSink(url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=1000)
    with pytest.raises(NodeFailed, match=r"took nothing for 1 s"):
        through([source, sink], [{}])
    assert source.count < 1000
    for one in (*kept, listener):
        one.close()


def test_a_server_that_answers_before_the_end_has_not_taken_all():
    """However well it speaks of it."""
    listener, kept = listening(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    sink = HTTPSink(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(NodeFailed, match="answered 200 OK before the stream had ended"):
        through([Forever(), sink], [{}])
    for one in (*kept, listener):
        one.close()


def test_a_server_that_says_nothing_at_the_end_is_not_waited_for():
    """Beyond the time."""
    listener, kept = listening(b"")
    sink = HTTPSink(url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=1000)
    with pytest.raises(NodeFailed, match=r"no answer within|nothing came for"):
        through(sink, [{}])
    for one in (*kept, listener):
        one.close()


def test_what_json_has_no_words_for_is_an_error():
    """With the type that it has."""
    with serving({"/in": Page()}) as server, pytest.raises(NodeFailed, match="object"):
        through(HTTPSink(url=f"{server.url}/in"), [{"n": object()}])


def test_a_url_that_is_none_is_refused():
    """Before anything runs."""
    with pytest.raises(UsageError, match=":url"):
        HTTPSink(url="ftp://example.org")
