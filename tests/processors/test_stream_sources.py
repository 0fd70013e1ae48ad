"""Sources that follow streams of other servers, which are on the loopback here and break off as they like."""

import json

import pytest
from local_server import Page, ResetNow, serving

from transmissions import NodeFailed
from transmissions.processors.stream_sources import NDJSONSource, SSESource
from transmissions.testing import through

FAST = {"delay": 1, "max_delay": 20}


def head(kind):
    """Return the head of an answer that lasts until the connection ends."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode()


def sse(*parts):
    """Return an answer of events."""
    return iter([head("text/event-stream"), *parts])


def lines(*records):
    """Return an answer of lines."""
    return iter([head("application/x-ndjson"), *(json.dumps(record).encode() + b"\n" for record in records)])


def follow(source, answer, message=None, **settings):
    """Return what a server saw and what a source made of its answers."""
    with serving(answer) as server:
        return server.seen, through(source(**FAST, url=f"{server.url}/s", **settings), [message or {}])


def test_each_event_is_a_message():
    """With its name, its data and its id, however it is cut and its lines end; comments and empty events are none."""
    body = b': hi\n\nevent: a\nid: 1\ndata: {"n": 1}\n\r\ndata:x\r\ndata: y\r\n\r\nevent: none\n\n'
    body += "data: 🌳\r\revent: done\ndata: 5\n\n".encode()
    parts = [body[at : at + 1] for at in range(len(body))]
    _, told = follow(SSESource, lambda _: sse(b"\xef\xbb\xbf", *parts), {"k": 1}, end_event=("done",))
    assert told == [
        {"k": 1, "event": "a", "data": {"n": 1}, "id": "1"},
        {"k": 1, "event": "message", "data": "x\ny", "id": "1"},
        {"k": 1, "event": "message", "data": "🌳", "id": "1"},
        {"k": 1, "event": "done", "data": 5, "id": "1"},
    ]


def test_a_lost_connection_is_made_again_from_the_last_id():
    """Whether it was reset or ended; 204 is the end."""

    def answers(seen):
        last = int(seen.headers.get("last-event-id", 0))

        def pieces():
            yield head("text/event-stream") + b"retry: 1\n\n"
            for number in (last + 1, last + 2):
                yield f"id: {number}\ndata: {number}\n\n".encode()
            yield b"id: 99\ndata: half"
            if last == 2:
                raise ResetNow

        return Page(status=204) if last == 6 else pieces()

    seen, told = follow(SSESource, answers)
    assert [one["data"] for one in told] == [1, 2, 3, 4, 5, 6]
    assert [one.headers.get("last-event-id") for one in seen] == [None, "2", "4", "6"]


@pytest.mark.parametrize(
    ("answer", "asked", "fault"),
    [
        (Page(b"no", status=404), 1, "404"),
        (Page(b"later", status=503), 3, "503"),
        (Page(b"<p>", {"Content-Type": "text/html"}), 1, "no stream of text/event-stream but of text/html"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\n", 3, "127.0.0.1"),
    ],
)
def test_a_server_that_says_no_is_believed(answer, asked, fault):
    """One that is only busy or gone is asked again, as often as was said."""
    with serving(lambda _: answer) as server, pytest.raises(NodeFailed, match=fault):
        through(SSESource(**FAST, attempts=2, url=server.url), [{}])
    assert len(server.seen) == asked


def test_t2_25_an_end_can_stand_in_the_data():
    """As providers of models have it; what is no JSON is text, unless it must not be."""
    body = b'data: {"a": 1}\n\ndata: x\n\ndata: [DONE]\n\ndata: more\n\n'
    [seen], told = follow(SSESource, lambda _: sse(body), end_data=("[DONE]",))
    assert seen.headers["accept"] == "text/event-stream"
    assert [one["data"] for one in told] == [{"a": 1}, "x"]
    with pytest.raises(NodeFailed, match="JSON"):
        follow(SSESource, lambda _: sse(body), data_as="json")


def test_without_reconnection_the_end_is_the_end():
    """And what is too large is an error."""
    _, told = follow(SSESource, lambda _: sse(b"data: 1\n\n"), reconnect=False)
    assert [one["data"] for one in told] == [1]
    for data in (b"data: " + b"x" * 200, b"data: xxxxxxxx\n" * 30):
        with pytest.raises(NodeFailed, match="larger than 100 bytes"):
            follow(SSESource, lambda _, data=data: sse(data), max_record=100)


def test_a_url_of_a_message_is_guarded():
    """It may not lead to this machine."""
    with serving(lambda _: sse(b"data: 1\n\n")) as server:
        with pytest.raises(NodeFailed, match=r"127\.0\.0\.1"):
            through(SSESource(**FAST, attempts=0), [{"url": server.url}])
        assert server.seen == []


def test_each_line_is_a_message():
    """Objects are messages, anything else is in a field; blank lines are none, and the last needs no end."""
    answer = [head("application/x-ndjson"), b'{"a": 1}\n\n[2]\r\n{"a"', b": 3}"]
    assert follow(NDJSONSource, lambda _: iter(answer), {"k": 0})[1] == [{"a": 1}, {"k": 0, "content": [2]}, {"a": 3}]
    with pytest.raises(NodeFailed, match="a line"):
        follow(NDJSONSource, lambda _: iter([head("application/x-ndjson"), b"{\n"]))


def test_a_stream_with_numbers_goes_on_where_it_was():
    """Each record comes once, in order, and the one that says so is the last."""

    def answers(seen):
        last = int(seen.query.partition("since=")[2] or 0)
        end = [{"event": "summary", "seq": 9}] if last == 6 else []
        return lines(*({"seq": number} for number in range(last + 1, min(last + 4, 9))), *end)

    seen, told = follow(NDJSONSource, answers, resume_field="seq", end_event=("summary",))
    assert [one["seq"] for one in told] == list(range(1, 10))
    assert [one.query for one in seen] == ["", "since=3", "since=6"]


def test_a_stream_without_numbers_that_breaks_off_is_an_error():
    """As is one that should have told of its end."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 99\r\n\r\n{}\n"
    for answer, end in ((lambda _: cut, ()), (lambda _: lines({}), ("summary",))):
        with pytest.raises(NodeFailed):
            follow(NDJSONSource, answer, end_event=end)
