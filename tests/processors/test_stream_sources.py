"""Sources that follow streams of other servers, which are on the loopback here and break off as they like."""

import json
from email.utils import formatdate

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
        return server.seen, through(source(**{**FAST, "url": f"{server.url}/s", **settings}), [message or {}])


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


@pytest.mark.parametrize("word", ["NaN", "-Infinity", '{"n": Infinity}', "{", ""])
def test_data_that_is_no_json_is_text(word):
    """A number that is none as well: nothing behind could write it."""
    _, told = follow(SSESource, lambda _: sse(f"data: {word}\n\n".encode()), reconnect=False)
    assert told == [{"event": "message", "data": word, "id": ""}]


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
        (Page(b"", {"Content-Type": "text/event-stream"}, 302), 1, "127.0.0.1:[0-9]+/ answered 302"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", 1, "127.0.0.1:[0-9]+/ answered 304 Not Modified"),
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
    with pytest.raises(NodeFailed, match="line 1 of http://"):
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


def in_turn(*answers):
    """Return what answers the first request, the second, and so on."""
    left = iter(answers)
    return lambda _: next(left)


NOTHING_MORE = Page(status=204)


def test_what_is_large_is_read_in_proportion():
    """A line in many pieces, and an event of many lines, cost as much as their bytes do."""
    pieces = [b"data: ", *[b"x" * 4096] * 1000, b"\n", b"data: y\n" * 20_000, b"\n"]
    ((told,),) = [follow(SSESource, lambda _: sse(*pieces), reconnect=False)[1]]
    assert len(told["data"]) == 4096 * 1000 + 2 * 20_000


def test_an_event_goes_on_as_soon_as_it_is_whole():
    """Also where its lines end with CR only, and whether that was one of CRLF the next piece tells."""
    events = iter(sse(b"data: 1\r\r", b"data: 2\r\n\r", b"\ndata: 3\n\n", b"data: ha"))
    _, told = follow(SSESource, in_turn(events, NOTHING_MORE))
    assert [one["data"] for one in told] == [1, 2, 3]


def test_an_id_counts_without_data_too_and_an_empty_one_is_none():
    """As browsers have it; an event that was not whole has none."""
    answers = in_turn(sse(b"id: 7\ndata: a\n\nid: 9\n\nid: 10\n"), sse(b"data: b\n\nid\ndata: c\n\n"), NOTHING_MORE)
    seen, told = follow(SSESource, answers)
    assert [(one["data"], one["id"]) for one in told] == [("a", "7"), ("b", "9"), ("c", "")]
    assert [one.headers.get("last-event-id") for one in seen] == [None, "9", None]


def test_an_id_no_header_has_room_for_is_told_in_a_sentence():
    """It is no traceback."""
    with pytest.raises(NodeFailed, match="header 'last-event-id' is not one HTTP has room for"):
        follow(SSESource, lambda _: sse(b"id: a\x01b\ndata: a\n\n"), attempts=1)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"data: 1\n\n", "ended the stream before its last event"),
        (b"data: [DONE]\n\ndata: 1\n\n", None),
        (b"data: 1\n\ndata: [DONE]\n", None),
        (b"data: 1\n\ndata: [DO", "in the middle of an event"),
    ],
)
def test_a_stream_that_should_tell_of_its_end_was_cut_off_without(body, fault):
    """Also where no connection is made again; a last event needs no blank line behind it."""
    if fault is None:
        follow(SSESource, lambda _: sse(body), reconnect=False, end_data=("[DONE]",))
        return
    with pytest.raises(NodeFailed, match=fault):
        follow(SSESource, lambda _: sse(body), reconnect=False, end_data=("[DONE]",))


def test_an_event_of_lines_without_anything_grows_too():
    """Each of them is a line of its data."""
    with pytest.raises(NodeFailed, match="an event is larger than 100 bytes"):
        follow(SSESource, lambda _: sse(b"data:\n" * 200), reconnect=False, max_record=100)


def test_half_an_event_at_the_end_is_a_loss():
    """Though the server closed the connection as it should be."""
    with pytest.raises(NodeFailed, match="ended the stream in the middle of an event"):
        follow(SSESource, lambda _: sse(b"data: 1\n\ndata: 2"), reconnect=False)


def test_json_is_no_stream_of_events():
    """An error that is answered with 200 is not taken for a stream without events."""
    with pytest.raises(NodeFailed, match="no stream of text/event-stream but of application/json"):
        follow(SSESource, lambda _: Page(b'{"error": 1}', {"Content-Type": "application/json"}), reconnect=False)


def test_a_redirect_that_is_refused_is_not_asked_for_again():
    """It would be refused again."""
    answer = Page(b"", {"Location": "http://169.254.169.254/"}, 302)
    with serving(lambda _: answer) as server, pytest.raises(NodeFailed, match="link-local"):
        through(SSESource(**FAST, url=server.url), [{}])
    assert len(server.seen) == 1


def test_each_message_may_come_back_as_often():
    """A stream that was given up leaves its tries and waits to itself."""
    with serving(in_turn(Page(status=503), Page(status=503), Page(status=503), NOTHING_MORE)) as server:
        through(SSESource(**FAST, attempts=1, url=server.url), [{}, {}], on_error="skip")
    assert len(server.seen) == 4


def test_a_server_may_say_when_to_come_back_as_a_date(monkeypatch):
    """It is not asked before."""
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr("transmissions.processors.stream_following._sleep", sleep)
    later = Page(b"", {"Retry-After": formatdate(4_000_000_000, usegmt=True)}, 503)
    follow(SSESource, in_turn(later, NOTHING_MORE), max_delay=7000)
    assert waits == [7.0]


@pytest.mark.parametrize("kind", ["application/ndjson", "application/jsonlines", "text/plain", "application/octet-stream"])
def test_lines_of_json_go_by_many_names(kind):
    """And may begin with a byte order mark."""
    assert follow(NDJSONSource, lambda _: iter([head(kind), b'\xef\xbb\xbf{"a": 1}\n']))[1] == [{"a": 1}]


def test_a_line_that_was_cut_comes_whole_with_the_next_connection():
    """Where records have numbers; the place of one that is no JSON is told."""
    half = iter([head("application/x-ndjson"), b'{"n": 1}\n{"n": 2'])
    seen, told = follow(NDJSONSource, in_turn(half, lines({"n": 2})), resume_field="n")
    assert (told, seen[1].query) == ([{"n": 1}, {"n": 2}], "since=1")
    with pytest.raises(NodeFailed, match=r"line 3 of http://.*:1:2: not valid JSON"):
        follow(NDJSONSource, lambda _: iter([head("application/x-ndjson"), b"{}\n\n{\n{}\n"]))


def test_a_place_in_the_url_gives_way_to_a_later_one():
    """The parameter stands in the query once."""
    with serving(in_turn(iter([*lines({"n": 8}), b"{"]), lines({"n": 9}))) as server:
        through(NDJSONSource(**FAST, url=f"{server.url}/s?a=1&since=7&b=2#c", resume_field="n"), [{}])
    assert [one.query for one in server.seen] == ["a=1&since=7&b=2", "a=1&b=2&since=8"]
