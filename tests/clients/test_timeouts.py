"""T2-42: every wait of a client has an end: for the connection, the first byte, the next byte, and the whole run."""

import asyncio
import contextlib
import socket
import threading
import time

import delivering
import pytest
from local_server import serving, switched

from transmissions.client import Backoff, Disconnected, StreamClient, StreamError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n"
RESULT = b'{"event": "result", "seq": %d, "index": 0, "result": {}}\n'
ONCE = Backoff(0, 0.01)


async def asked(url, **options):
    """Run an app at a server, without a second try."""
    async with StreamClient(url, backoff=ONCE, **options) as client:
        return await client.run("numbers")


@contextlib.contextmanager
def deaf():
    """Give the URL of a port that completes no connection: as many as may wait to be accepted do."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield "http://{}:{}".format(*listener.getsockname())


def drip(pause, count, data=RESULT):
    """Return an answer that comes in pieces, so many seconds apart."""

    def answer(_):
        yield HEAD
        for number in range(count):
            time.sleep(pause)
            yield data % (number + 1)

    return answer


def test_t2_42_a_connection_that_is_not_made_is_given_up():
    """After `connect_timeout`, long before the others."""
    with deaf() as url, pytest.raises(Disconnected, match="nothing for too long"):
        delivering.timed(asked(url, connect_timeout=0.2))


def test_t2_42_a_server_that_does_not_begin_to_answer_is_given_up():
    """After `first_byte_timeout`; it has accepted the connection, and read what was asked."""
    with serving(lambda _: (time.sleep(piece) or b"" for piece in (3,))) as server, pytest.raises(Disconnected):
        delivering.timed(asked(server.url, first_byte_timeout=0.3))
    assert [seen.path for seen in server.seen] == ["/apps/numbers/stream"]


def test_t2_42_a_server_that_falls_silent_is_given_up():
    """When nothing came for three heartbeats; what comes more often than that keeps the connection."""
    with serving(drip(3, 1)) as server, pytest.raises(Disconnected, match="nothing for too long"):
        delivering.timed(asked(server.url, heartbeat=0.1))
    with serving(drip(0.2, 5)) as server, pytest.raises(StreamError) as caught:
        delivering.timed(asked(server.url, heartbeat=0.5))
    assert "too long" not in str(caught.value)


def test_t2_42_a_run_that_goes_on_and_on_is_given_up():
    """After `timeout`, though something comes all the time."""
    with serving(drip(0.05, 100)) as server, pytest.raises(StreamError, match="longer than"):
        delivering.timed(asked(server.url, timeout=0.5))


def test_who_leaves_does_not_wait_for_a_server_that_answers_no_close():
    """It is told that the socket is closed, and has a moment to say so, too; the library would wait for ten seconds."""
    held = threading.Event()

    def answer(seen):
        yield switched(seen, b'{"message_type": "metadata", "data": {"event": "metadata", "seq": 1}}')
        held.wait(30)

    async def leave(url):
        async with StreamClient(url, backoff=ONCE, protocol="websocket") as client:
            stream = client.stream("numbers")
            first = await anext(stream)
            await asyncio.wait_for(stream.aclose(), 8)
            return first.name

    with serving(answer) as server:
        assert delivering.timed(leave(server.url)) == "metadata"
        held.set()
