"""The Python client without asyncio: in threads, in notebooks, and with handlers that nobody could wait for."""

import asyncio
import functools
import gc
import logging
import threading
import warnings

import pytest
from local_server import serving

from transmissions.client import EventMeshStreamClient, StreamClient, StreamError, SyncStreamClient

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson; charset=utf-8\r\nX-Request-ID: r\r\nConnection: close\r\n\r\n"
SUMMARY = b'{"event": "summary", "status": "complete", "successful": 1, "total_urls": 1}\n'
RESULT = b'{"event": "result", "result": {"url": "a"}, "buffer_info": {"used": 9, "capacity": 10}}\n'


async def later(event):
    """Do nothing, later."""


class Later:
    """Does nothing, later."""

    async def __call__(self, event):
        pass


@pytest.mark.parametrize("kind", [SyncStreamClient, EventMeshStreamClient])
@pytest.mark.parametrize("handler", [later, functools.partial(later), Later()])
def test_a_coroutine_function_is_no_handler_where_nothing_waits_for_it(kind, handler):
    """However it is written; it would never run."""
    with pytest.raises(TypeError, match="a handler of 'result' cannot be a coroutine function here: StreamClient takes it"):
        kind().register_handler("result", handler)


def test_a_handler_that_returns_a_coroutine_has_failed(caplog):
    """What nobody waits for did not happen: that is logged and counted."""
    with serving(lambda _: [HEAD, RESULT, SUMMARY]) as server, SyncStreamClient(server.url) as client:
        client.register_handler("result", lambda event: later(event))  # noqa: PLW0108 - as one writes it
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            stream = client.stream("a")
            stream.run()
            gc.collect()
    assert stream.metrics.dropped_events == 1
    assert "a handler of 'result' failed: TypeError: it returned a coroutine, for which nothing waits here" in caplog.text


def test_alerts_reach_a_handler_of_the_published_client():
    """As a dict like all else it is told."""
    alerts = []
    with serving(lambda _: [HEAD, RESULT, SUMMARY]) as server:
        client = EventMeshStreamClient(server.url)
        client.register_handler("alert", alerts.append)
        metrics = client.stream_crawl_results(["http://a"])
    assert alerts == [{"level": "warning", "info": {"used": 9, "capacity": 10}}]
    assert metrics.dropped_events == 0


def test_threads_may_crawl_with_one_client(server):
    """None of them ends the crawl of another."""
    client = EventMeshStreamClient(server.url, path="/apps/crawl")
    found = {}

    def crawl(number):
        found[number] = client.stream_crawl_results(["http://a"] * number, {"wait": 0.02}).events_by_type["result"]

    threads = [threading.Thread(target=crawl, args=(number,), daemon=True) for number in (1, 2, 8, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == {1: 1, 2: 2, 8: 8, 20: 20}


def test_threads_share_one_client(server):
    """Its connections live in one thread, however many begin at once."""
    found, ready = [], threading.Barrier(8)
    with SyncStreamClient(server.url) as client:

        def work():
            ready.wait(10)
            found.append(client.run("numbers", {"count": 20}).successful)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sum(thread.name == "stream client" for thread in threading.enumerate()) == 1
    assert found == [20] * 8


def test_closing_a_client_ends_who_waits(server):
    """In another thread: with an error, and not by waiting for ever."""
    client, begun, ended = SyncStreamClient(server.url), threading.Event(), []

    def work():
        try:
            for _ in client.stream("numbers", {"count": 1, "wait": 30}):
                begun.set()
        except StreamError as error:
            ended.append(str(error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert begun.wait(10)
    client.close()
    thread.join(10)
    assert ended == ["the client was closed"]
    assert not [one for one in threading.enumerate() if one.name == "stream client"]


def test_a_stream_may_be_closed_behind_its_client(server):
    """Which begins no new thread, and says nothing."""
    with SyncStreamClient(server.url) as client:
        stream, other = client.stream("numbers", {"count": 100, "wait": 0.05}), client.stream("numbers")
        next(stream)
    stream.close()
    other.close()
    assert not [one for one in threading.enumerate() if one.name == "stream client"]


def test_a_client_works_where_a_loop_is_running(server):
    """As in a notebook."""

    async def cell():
        with SyncStreamClient(server.url) as client:
            return client.run("numbers", {"count": 3}).successful

    assert asyncio.run(cell()) == 3


@pytest.mark.parametrize("steps", [0, 2])
def test_a_stream_that_is_forgotten_says_nothing(server, steps, caplog):
    """Whether an event of it was read or not."""

    async def main():
        async with StreamClient(server.url) as client:
            stream = client.stream("numbers", {"count": 1000, "wait": 0.01})
            for _ in range(steps):
                await anext(stream)
            del stream
            gc.collect()
            await asyncio.sleep(0.05)

    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG, "asyncio"):
        warnings.simplefilter("error")
        asyncio.run(main())
        gc.collect()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_client_that_was_closed_can_be_read_no_further(server):
    """What it says is that it was closed."""

    async def main():
        client = StreamClient(server.url)
        stream = client.stream("numbers", {"count": 1000, "wait": 0.01})
        await anext(stream)
        await client.close()
        return [event async for event in stream]

    with pytest.raises(StreamError, match="the client was closed"):
        asyncio.run(main())
