"""A client whose connection breaks gets every result once, in order. TRANS_LONG=1 has the full numbers."""

import asyncio
import os

import delivering
import pytest
from clients.cutting import cutting

from transmissions.client import Backoff, Disconnected, Heartbeat, Reset, Result, StreamClient, SyncStreamClient

LONG = os.environ.get("TRANS_LONG") == "1"
RESULTS, CUTS = (100_000, 100) if LONG else (3_000, 12)
BYTES = 190  # of one result, roughly
QUICK = Backoff(8, 0.01, 0.1)
PROTOCOLS = ("ndjson", "sse", "websocket")


async def indices(client, message, app="numbers"):
    """Return the numbers of the results of a run, and its stream."""
    found = []
    async with client.stream(app, message) as stream:
        async for event in stream:
            assert not isinstance(event, Reset)
            if isinstance(event, Result):
                found.append(event.result["n"])
    return found, stream


@pytest.mark.timeout(600)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_result_comes_once_and_in_order_however_often_the_connection_breaks(server, protocol):
    """Connections are reset in the middle of events, and the results are those of a run that nothing happened to."""

    async def main(url):
        async with StreamClient(url, protocol=protocol, backoff=QUICK) as client:
            return await indices(client, {"count": RESULTS})

    with cutting(server, RESULTS * BYTES / CUTS / 2, CUTS) as proxy:
        found, stream = delivering.timed(main(proxy.url), 500)
    assert found == list(range(RESULTS))
    assert (stream.summary.status, stream.summary.successful) == ("complete", RESULTS)
    assert stream.metrics.resets == 0
    assert proxy.cuts == CUTS
    assert stream.metrics.reconnects >= proxy.cuts


@pytest.mark.timeout(600)
@pytest.mark.parametrize("protocol", ["ndjson", "sse"])
def test_another_client_goes_on_where_one_was_killed(server, protocol):
    """What it needs is the name of the run and the number of the last event that was dealt with."""
    found, last, name, clients = [], 0, "", 0
    while len(found) < RESULTS:
        clients += 1
        with SyncStreamClient(server.url, protocol=protocol) as client:
            stream = client.follow(name, last) if name else client.stream("numbers", {"count": RESULTS})
            for number, event in enumerate(stream):
                found += [event.result["n"]] if isinstance(event, Result) else []
                last, name = event.seq or last, stream.request_id
                if number > RESULTS // CUTS:
                    break
            stream.close()
    assert found == list(range(RESULTS))
    assert clients >= CUTS * 0.9


def test_what_the_server_has_no_longer_is_told(home):
    """`Reset` says which event comes next, and the rest comes."""
    terms = {"numbers": delivering.Terms(delivering.BufferLimits(), ring=8, replay=2000)}

    async def main(server):
        async with StreamClient(server.url) as client:
            async with client.stream("numbers", {"count": 500}) as stream:
                async for event in stream:
                    if event.seq > 400:
                        break
            return [event async for event in client.follow(stream.request_id)]

    with delivering.running("numbers", terms=terms) as server:
        reset, *events = delivering.timed(main(server))
    assert isinstance(reset, Reset)
    assert reset.first > 1
    numbered = [event.seq for event in events if event.seq]
    assert numbered == list(range(reset.first, numbered[-1] + 1))
    assert events[-1].name == "summary"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_heartbeats_keep_a_connection_that_is_quiet(home, protocol):
    """A run that says nothing for longer than three heartbeats is not taken for dead."""

    async def main(server):
        async with StreamClient(server.url, protocol=protocol, heartbeat=0.3) as client:
            stream = client.stream("numbers", {"count": 1, "wait": 1.5})
            return [type(event) async for event in stream], stream.metrics

    with delivering.running("numbers", pace=delivering.Pace(heartbeat=0.2)) as server:
        kinds, metrics = delivering.timed(main(server))
    assert Heartbeat in kinds
    assert metrics.reconnects == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_without_heartbeats_is_made_anew(home, protocol):
    """When nothing came for three of them; what was begun goes on."""

    async def main(server):
        async with StreamClient(server.url, protocol=protocol, heartbeat=0.2, backoff=QUICK) as client:
            return await indices(client, {"count": 2, "wait": 0.9})

    with delivering.running("numbers", pace=delivering.Pace(heartbeat=60)) as server:
        found, stream = delivering.timed(main(server))
    assert found == [0, 1]
    assert stream.metrics.reconnects > 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_that_lasted_as_long_as_it_may_is_made_anew(home, protocol):
    """The server ends it in good order without a summary, and the client asks for the rest."""

    async def main(server):
        async with StreamClient(server.url, protocol=protocol, backoff=QUICK) as client:
            return await indices(client, {"count": 20, "wait": 0.05})

    with delivering.running("numbers", pace=delivering.Pace(longest=0.3)) as server:
        found, stream = delivering.timed(main(server))
    assert found == list(range(20))
    assert stream.metrics.reconnects > 1


def test_a_server_that_is_gone_is_given_up(home):
    """After as many tries as there may be; the error says what happened last."""
    with delivering.running("numbers") as server:
        url = server.url

    async def main():
        async with StreamClient(url, backoff=Backoff(2, 0.01)) as client:
            with pytest.raises(Disconnected, match=r"^no connection to 127\.0\.0\.1 port \d+: connection refused$"):
                await client.run("numbers")

    asyncio.run(main())
