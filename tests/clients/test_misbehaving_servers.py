"""The Python client against servers that answer what no good server does."""

import asyncio
import gzip
import json
from collections import deque

import delivering
import pytest
from local_server import Page, redirect, serving

from transmissions.client import Backoff, Disconnected, Refused, StreamClient, StreamError, SyncStreamClient
from transmissions.client.events import read
from transmissions.client.wire import Arrived, Frames, Lines

QUICK = Backoff(2, 0.001)
SUMMARY = b'{"event": "summary", "status": "complete", "successful": 1, "total_urls": 1}\n'
META = b'{"event": "metadata", "seq": 1}\n'


def head(kind="application/x-ndjson", more=""):
    """Return the head of an answer that ends with its connection."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nX-Request-ID: r\r\n{more}Connection: close\r\n\r\n".encode()


def outcome(answer, **options):
    """Return the events of a run that is answered so, how often it was asked for, and what it failed with."""
    events, failure = deque(), None
    with serving(answer if callable(answer) else lambda _: answer) as server:
        with SyncStreamClient(server.url, **{"backoff": QUICK, "timeout": 20, **options}) as client:
            try:
                events.extend(client.stream("a"))
            except StreamError as error:
                failure = error
        return list(events), len(server.seen), failure


@pytest.mark.parametrize(
    "event",
    [
        {"event": "result", "seq": -5},
        {"event": "result", "seq": True},
        {"event": "reset", "first": "abc"},
        {"event": "reset", "first": [1], "since": {}},
        {"event": "reset", "first": -7},
        {"event": "progress", "buffer_info": {"used": 10**400, "capacity": 2}},
        {"event": "progress", "buffer_info": {"used": "1", "capacity": None}, "completed": "x"},
        {"event": "result", "index": [], "seq": 10**30},
    ],
)
def test_numbers_that_are_none_cost_nothing(event):
    """What is no number of an event is not taken for one, and the run goes on to its end."""
    events, _, failure = outcome([head(), json.dumps(event).encode() + b"\n", SUMMARY])
    assert (failure, [one.name for one in events]) == (None, [event["event"], "summary"])


def test_typed_events_never_raise():
    """Whatever stands where a number should be is 0."""
    told = {
        "index": "x",
        "first": [],
        "since": {},
        "completed": 1e400,
        "successful": -1,
        "failed": "3",
        "results": [1, {"rank": "x"}],
    }
    named = {name: read({"event": name, **told}) for name in ("result", "reset", "progress", "summary", "search_results")}
    assert (named["result"].index, named["reset"].since, named["reset"].first) == (0, 0, 1)
    assert (named["progress"].completed, named["summary"].successful, named["summary"].failed) == (0, 0, 0)
    assert [hit.rank for hit in named["search_results"].hits] == [0]


def test_an_id_of_many_digits_is_none():
    """Python refuses to read such a number."""
    assert Frames().feed(b"id: " + b"9" * 5000 + b"\ndata: 1\n\n") == [Arrived(1, 0, "")]


@pytest.mark.parametrize("reader", [Lines, Frames])
def test_a_large_event_is_looked_at_once(reader):
    """What came before is not searched again with each piece of it."""
    read_bytes = 0

    class Counted(bytes):
        def __radd__(self, other):
            nonlocal read_bytes
            read_bytes += len(other) + len(self)
            return bytes(other) + bytes(self)

    cut = reader()
    cut.feed(b'data: "' if reader is Frames else b'"')
    for _ in range(2000):
        assert cut.feed(Counted(b"x" * 1000)) == []
    [event] = cut.feed(b'"\n\n')
    assert event.data == "x" * 2_000_000
    assert read_bytes < 20_000_000


def test_a_refusal_may_come_in_pieces():
    """Its sentence is read to the end."""
    first, second = b'{"error": {"mes', b'sage": "hello!!"}}'

    def answer(_):
        yield f"HTTP/1.1 400 Bad\r\nContent-Length: {len(first + second)}\r\nConnection: close\r\n\r\n".encode()
        yield first
        yield second

    for _ in range(5):  # the pieces may well come at once
        _, _, failure = outcome(answer)
        assert str(failure) == "the server refused (400): hello!!"


@pytest.mark.parametrize("asked", [10**400, float("nan"), "5", -1, True, [1]])
def test_a_wait_that_is_none_is_not_waited_for(asked):
    """Whatever the server says of how long to wait."""
    _, times, failure = outcome(Page(json.dumps({"error": {"message": "x", "retry_after_seconds": asked}}).encode(), {}, 429))
    assert (type(failure), times) == (Refused, 3)
    assert failure.retry_after == 0


def test_a_server_may_say_when_to_come_back():
    """`Retry-After` holds seconds, or a date."""
    _, _, failure = outcome(Page(b"{}", {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, 503), backoff=Backoff(0))
    assert failure.retry_after > 10**6
    _, _, failure = outcome(Page(b"{}", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 503), backoff=Backoff(0))
    assert failure.retry_after == 0


def test_a_page_is_no_stream():
    """That of a proxy or a portal, with status 200, is said to be one, and not asked for again."""
    _, times, failure = outcome(Page(b"<html>log in</html>", {"Content-Type": "text/html; charset=utf-8"}))
    assert (times, type(failure)) == (1, StreamError)
    assert str(failure) == "the server answered with 'text/html', which is no stream of events"


def test_a_short_answer_that_is_no_json_is_told():
    """As an error of streams, whatever it is instead."""
    for body in (b"<html>", b"[]", b'{"runs": 1}', b"{}", b"\xff\xfe"):

        async def main(url):
            async with StreamClient(url) as client:
                await client.runs()

        with serving(lambda _, body=body: Page(body)) as server, pytest.raises(StreamError, match="the server answered with"):
            delivering.timed(main(server.url))


def test_nothing_is_read_behind_a_summary():
    """Not even where it came in one piece with it."""
    events, _, failure = outcome([head(), SUMMARY + META + SUMMARY])
    assert (failure, [event.name for event in events]) == (None, ["summary"])


def test_an_unknown_event_without_a_number_does_not_make_a_stream_one_of_bare_records():
    """A stream that began with an envelope and was cut has no end, whatever a newer server says in it."""
    events, times, failure = outcome([head(), META + b'{"event": "something_new"}\n'])
    assert (type(failure), times) == (Disconnected, 3)
    assert [event.name for event in events][:2] == ["metadata", "something_new"]


def test_a_run_that_never_gets_further_is_given_up():
    """Though it is begun anew each time: events that were had before are no way forward."""

    def answer(seen):
        return Page(b"", {}, 404) if seen.method == "GET" else [head(), META + b'{"event": "result", "seq": 2}\n']

    _, times, failure = outcome(answer)
    assert isinstance(failure, Disconnected)
    assert times < 10


def test_a_gap_that_stays_is_given_up():
    """Though heartbeats come in between."""
    _, times, failure = outcome([head(), b'{"event": "heartbeat"}\n' + META + b'{"event": "result", "seq": 3}\n'])
    assert (str(failure), times) == ("event 2 did not come, but 3", 3)


@pytest.mark.parametrize("cut", [8, 20, 40])
def test_what_is_packed_and_ends_early_is_no_end(cut):
    """Nor is what is not packed at all."""
    for body in (gzip.compress(META + SUMMARY)[:cut], b"not packed"):
        events, times, failure = outcome([head(more="Content-Encoding: gzip\r\n"), body])
        assert (type(failure), times) == (Disconnected, 3)
        assert "summary" not in [event.name for event in events]


@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(protocol, status):
    """On no protocol: neither the token nor the message is for anybody else."""
    with serving(lambda _: Page(b"{}")) as other:
        _, times, failure = outcome(lambda _: redirect(f"{other.url}/x", status), protocol=protocol, token="T")
        assert (type(failure), failure.status, times) == (Refused, status, 1)
        assert other.connections == 0


def test_the_name_that_a_server_gives_a_run_is_a_name():
    """It stands in the path as one word, whatever is in it."""

    def answer(seen):
        name = "../apps?x=1#/%2e"
        answers = [head().replace(b"X-Request-ID: r", f"X-Request-ID: {name}".encode()), META]
        return (
            answers
            if seen.method == "POST"
            else [head().replace(b"X-Request-ID: r\r\n", b""), b'{"event": "summary", "seq": 2}\n']
        )

    with serving(answer) as server, SyncStreamClient(server.url, backoff=QUICK) as client:
        stream = client.stream("a")
        stream.run()
        assert server.seen[-1].path == "/runs/..%2Fapps%3Fx%3D1%23%2F%252e/stream"
        assert stream.request_id == "../apps?x=1#/%2e"


@pytest.mark.parametrize("url", ["http://user:secret-word@127.0.0.1:1", "http://127.0.0.1:1/?a=1", "http://127.0.0.1:1/#a"])
def test_a_url_with_more_than_a_path_is_refused(url):
    """A password in it would be sent in place of the token, and stand in what is logged."""
    with pytest.raises(ValueError, match=r"is no URL of a server|has a name and a password") as caught:
        StreamClient(url)
    assert "secret-word" not in str(caught.value)


def test_the_token_is_not_printed():
    """Neither with the options of a client, nor in what one says of itself."""
    client = StreamClient("http://h", token="secret-word")
    assert "secret-word" not in f"{client.options!r} {client.options} {client!r}"
    assert "buffer_size" in repr(client.options)


@pytest.mark.parametrize("url", ["http://[::1]", "http://127.0.0.1"])
@pytest.mark.parametrize("protocol", ["ndjson", "sse"])
def test_a_server_may_be_below_a_path_and_at_an_address_of_ipv6(url, protocol):
    """Both are asked as they are written."""
    try:
        with serving(lambda _: [head(), SUMMARY], host=url[7:].strip("[]")) as server:
            with SyncStreamClient(f"{server.url}/below/it/", protocol=protocol) as client:
                assert client.run("a").status == "complete"
            assert server.seen[0].path == f"/below/it/apps/a/{'sse' if protocol == 'sse' else 'stream'}"
    except OSError:
        pytest.skip("there is no IPv6 here")


@pytest.mark.parametrize(("code", "times"), [(1000, 1), (1001, 3), (1008, 3), (1011, 3), (1013, 3), (3000, 3), (4999, 3)])
def test_ws20_a_socket_that_is_closed_in_good_order_is_not_opened_again(code, times):
    """Any other is, so many times; why it was closed is told."""
    from websockets.asyncio.server import serve

    opened = []

    async def answer(socket):
        opened.append(await socket.recv())
        await socket.send(json.dumps({"message_type": "metadata", "data": {"event": "metadata"}}))
        await socket.close(code, "because")

    async def main():
        async with serve(answer, "127.0.0.1", 0) as server:
            url = "http://{}:{}".format(*next(iter(server.sockets)).getsockname())
            async with StreamClient(url, protocol="websocket", backoff=QUICK) as client:
                with pytest.raises(StreamError, match=r"closed.* the socket|socket was closed") as caught:
                    await client.run("a")
                return str(caught.value)

    said = delivering.timed(main())
    assert len(opened) == times
    assert code == 1000 or f"({code}: because)" in said


@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
def test_a_step_that_was_cancelled_is_not_the_end(server, protocol):
    """Whoever waits for an event for a while only, goes on behind the last that came."""

    async def main():
        found, cancelled = [], 0
        async with (
            StreamClient(server.url, protocol=protocol) as client,
            client.stream("numbers", {"count": 4, "wait": 0.3}) as stream,
        ):
            while stream.summary is None:
                try:
                    event = await asyncio.wait_for(anext(stream), 0.1)
                    found += [event.result["n"]] if event.name == "result" else []
                except TimeoutError:
                    cancelled += 1
        return found, cancelled

    found, cancelled = delivering.timed(main())
    assert found == [0, 1, 2, 3]
    assert cancelled > 0


@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
def test_a_stream_can_be_left_while_somebody_waits_for_it(server, protocol):
    """By a handler, or by another task: the events end."""

    async def main():
        async with StreamClient(server.url, protocol=protocol) as client:
            stream = client.stream("numbers", {"count": 1000, "wait": 0.05})
            await anext(stream)
            waiting = asyncio.create_task(stream.run())
            await asyncio.sleep(0.12)
            await asyncio.gather(stream.aclose(), stream.aclose())
            await asyncio.sleep(0)
            await stream.aclose()
            await waiting
            by_handler = client.stream("numbers", {"count": 1000, "wait": 0.05})
            client.register_handler("result", lambda _: by_handler.aclose())
            await by_handler.run()
            return [event async for event in stream], by_handler.metrics.dropped_events

    assert delivering.timed(main()) == ([], 0)
