"""What a client that is slow, silent or gone is told, and what it does to its run."""

import asyncio
import contextlib
import json
import socket
import time

import pytest
from delivering import decoded, live, make_home, running, timed
from waiting import eventually

from transmissions.delivery import connection as connections
from transmissions.delivery.connection import _GATHERED, Connection, Pace
from transmissions.delivery.doors import _UNSENT
from transmissions.delivery.envelope import as_line
from transmissions.delivery.http import StreamResponse

SLOW = {"initial": 64, "minimum": 64, "slow_send": 1, "memory": 1 << 20, "adaptive": False}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers, whose runs tell of their progress with each result."""
    make_home(tmp_path, monkeypatch)
    monkeypatch.setattr("transmissions.delivery.telling._EVERY", 0.0)
    monkeypatch.setattr("transmissions.delivery.telling._RESULTS", 0)


async def read_slowly(run, seconds):
    """Return the events that a client gets whose every read takes so long."""
    events = []

    async def send(pieces):
        await asyncio.sleep(seconds)
        events.extend(decoded(b"".join(pieces)))

    run.start()
    await Connection(run, "ndjson", as_line, Pace()).deliver(send)
    await run.close()
    return events


def test_bp09_a_client_that_is_behind_is_warned_once_in_a_while(monkeypatch):
    """With how far it is behind and what it can do; a warning has no number and is left out of the log."""
    monkeypatch.setattr(connections, "_WARNINGS", 1e9)
    run = live("numbers", {"count": 1000}, limits=SLOW, may_drop=False)
    events = timed(read_slowly(run, 0.01))
    [told] = [event for event in events if event["event"] == "backpressure_warning"]
    assert told["current_metrics"]["buffer_used"] > 64 * 25 // 32
    assert (told["warning"]["type"], len(told["warning"]["suggested_actions"])) == ("slow_client", 3)
    assert told["warning"]["buffer_utilization"] > 0.75
    assert "seq" not in told


def test_bp05_bp08_bp15_t2_36_a_slow_client_has_every_result_and_is_told_that_it_is_slow():
    """Its progress says so with figures that rise; what is left out is counted, and is never a result."""
    run = live("numbers", {"count": 200, "wait": 0.004}, limits=SLOW)
    events = timed(read_slowly(run, 0.004))
    healths = [event["connection_health"] for event in events if event["event"] == "progress"]
    counts = [health["slow_sends_count"] for health in healths]
    assert [event["result"]["n"] for event in events if event["event"] == "result"] == list(range(200))
    assert [health["is_slow_client"] for health in healths[:1] + healths[-1:]] == [False, True]
    assert counts == sorted(counts)
    assert counts[-1] > 0
    dropped = events[-1]["buffer_statistics"]["messages_dropped"]
    assert dropped == 200 - len(healths)
    assert (run.log.pressure.dropped, run.log.pressure.last_drop is None) == (dropped, dropped == 0)


def test_bp06_bp10_a_run_that_nobody_reads_stands_still():
    """As soon as what may wait does: the length of the queue counts, and not how much room there is."""

    async def main():
        run = live("numbers", {"count": 10**6}, limits=SLOW)
        run.start()
        while len(run.log) < 64:
            await asyncio.sleep(0.01)
        done = run.counts.done
        await asyncio.sleep(0.1)
        assert (run.counts.done, len(run.log)) == (done, 64)
        await run.close()

    timed(main())


def test_bp14_a_client_is_not_slow_because_the_server_was_busy():
    """A step that keeps the loop from all others keeps it from their clients, too; what is behind it is sent."""

    async def main():
        run, events = live("numbers", {"count": 3}), []

        async def send(pieces):
            asyncio.get_running_loop().call_soon(time.sleep, 0.4)
            await asyncio.sleep(0.01)
            events.extend(decoded(b"".join(pieces)))

        run.start()
        connection = Connection(run, "ndjson", as_line, Pace(send=0.2))
        await connection.deliver(send)
        await run.close()
        return connection.ended, events[-1]["event"]

    assert timed(main()) == ("complete", "summary")


def test_bp14_nothing_is_sent_to_a_client_that_is_gone():
    """A server takes what is sent to one as if it were there, so it is the word of its leaving that ends the delivery."""
    sent = []

    async def main():
        run = live("numbers", {"count": 10**6})
        left = asyncio.Event()

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if len(sent) == 5:
                left.set()

        run.start()
        response = StreamResponse(run, "ndjson", Pace())
        await response({"type": "http", "headers": [], "http_version": "1.1"}, receive, send)
        count = len(sent)
        await asyncio.sleep(0.05)
        assert (len(sent), response.connection.ended) == (count, "gone")
        await run.close()

    timed(main())
    assert all(message.get("more_body", True) for message in sent)


async def waiting_by_header(run, since):
    """Return how many events wait, as a client is told that is gone as soon as it comes."""
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    while len(run.log) < 64:
        await asyncio.sleep(0.01)
    scope = {"type": "http", "headers": [], "http_version": "1.1"}
    await StreamResponse(run, "ndjson", Pace(), since)(scope, receive, send)
    return int(dict(sent[0]["headers"])[b"x-buffer-current"])


def test_hd17_a_client_that_comes_back_is_told_of_all_that_waits():
    """Only the first event of a run goes with the head of an answer, and does not wait."""

    async def main():
        run = live("numbers", {"count": 10**6}, limits=SLOW)
        run.start()
        told = [await waiting_by_header(run, 0)]
        told += [await waiting_by_header(run, since) for since in (run.log.taken, 0)]
        await run.close()
        return told

    assert timed(main()) == [63, 64, 64]


def test_nd02_nd04_what_there_is_is_sent_at_once(monkeypatch):
    """The metadata while the first step is still at work, and a result while the second is."""

    async def main():
        run = live("numbers", {"count": 2, "wait": 3600})
        arrived = asyncio.Queue()

        async def send(pieces):
            for piece in pieces:
                arrived.put_nowait(json.loads(piece)["event"])

        run.start()
        task = asyncio.create_task(Connection(run, "ndjson", as_line, Pace()).deliver(send))
        first = await arrived.get()
        run.cancel()
        await task
        await run.close()
        return first, run.counts.done

    assert timed(main()) == ("metadata", 0)


def test_bf13_bf14_bf15_what_waits_for_a_client_is_bounded_in_bytes_and_goes_with_its_run():
    """Long before 2048 results are in it; nobody has to come for it to be forgotten."""

    async def main():
        run = live("numbers", {"count": 5000, "size": 300}, grace=0.3, limits={"initial": 2048})
        run.start()
        while not run.log.is_closed:
            assert run.log._bytes <= 65536
            assert len(run.log) < 300
            await asyncio.sleep(0.01)
        assert (len(run.log), run.log._memory.used, run.state) == (0, 0, "cancelled")
        await run.close()

    timed(main())


def test_bf10_counting_begins_anew_without_a_change_of_the_capacity():
    """The capacity is what was learnt."""
    buffer = live("numbers", {}, limits=SLOW | {"minimum": 16, "adaptive": True}).log.buffer
    for _ in range(50):
        buffer.record_send(1.0)
    assert buffer.adapt()
    capacity = buffer.capacity
    buffer.reset_stats()
    assert (buffer.capacity, buffer.sends, buffer.slow_sends, buffer.is_under_backpressure) == (capacity, 0, 0, False)


@contextlib.contextmanager
def unread(server, protocol, message):
    """Ask for a run, and read nothing of it while the block lasts."""
    text = json.dumps(message).encode()
    with contextlib.closing(socket.create_connection(server.address)) as client:
        if protocol == "ws":
            upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            client.sendall(f"GET /apps/numbers/ws HTTP/1.1\r\nHost: 127.0.0.1\r\n{upgrade}{key}\r\n".encode())
            assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
            asked = json.dumps({"action": "run", "data": message}).encode()
            client.sendall(b"\x81" + bytes([0x80 | len(asked)]) + bytes(4) + asked)
        else:
            head = f"POST /apps/numbers/{protocol} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(text)}\r\n\r\n"
            client.sendall(head.encode() + text)
        yield


def held_of(server):
    """Return the bytes that wait for the one client of a server: in the log of its run, and for the network."""
    [live] = server.streams.hub.runs.values()
    [connection] = server.server.server_state.connections
    return live.log._bytes, connection.transport.get_write_buffer_size()


def is_still(server):
    """Whether the run of the one client of a server stands still: what it has made was seen before."""
    [live] = server.streams.hub.runs.values() or [None]
    if live is None or not live.log.waits.events:
        return False
    done = live.counts.done
    time.sleep(0.2)
    return live.counts.done == done


@pytest.mark.parametrize("protocol", ["stream", "sse", "ws"])
def test_bf14_what_one_client_holds_that_never_reads_is_bounded(protocol):
    """On each protocol: what waits in the log of its run, and little more than two sends that wait for the network."""
    message = {"count": 10**6, "size": 4000}
    with running("numbers", pace=Pace(send=60)) as server, unread(server, protocol, message):
        assert eventually(lambda: is_still(server))
        waiting, unsent = held_of(server)
    assert 0 < waiting < 65536 + 100  # an event is counted before it has its number
    assert unsent <= _UNSENT + _GATHERED + 4400
