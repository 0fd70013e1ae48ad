"""What holds on every protocol alike, where the reference would have it otherwise for each; and what is told of a run."""

import asyncio
import json
import socket

import pytest
from delivering import decoded, live, log, make_home, running, timed
from waiting import eventually

from transmissions.client import StreamClient
from transmissions.delivery import lifecycle
from transmissions.delivery.buffer import BufferLimits, DynamicBuffer
from transmissions.delivery.connection import Connection, Pace
from transmissions.delivery.envelope import as_line
from transmissions.delivery.lifecycle import PROTOCOLS
from transmissions.delivery.measures import MEASURES

TELLING = '''
from transmissions import Processor


class Found(Processor):
    """Pass messages on, and say that half of them were known."""

    known: int = 0

    def process(self, message):
        self.context.emit("summary", from_cache=(message["n"] + 1) // 2)
        if message["n"] == 3:
            raise ValueError("the fourth")
        return message
'''
FOUND = ':found a :EntryTransmission ; :pipe ( [ a :Numbers ] :half ) . :half a :Found ; :onError "deadLetter" .'


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers, and one that says more of its run."""
    make_home(tmp_path, monkeypatch)
    (tmp_path / "processors" / "found.py").write_text(TELLING)
    (tmp_path / "apps" / "found").mkdir()
    text = (tmp_path / "apps" / "numbers" / "transmissions.ttl").read_text()
    (tmp_path / "apps" / "found" / "transmissions.ttl").write_text(text.partition(":numbers")[0] + FOUND)
    return tmp_path


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_lc12_nd11_buffer_and_heartbeat_are_those_of_the_seed_on_each_protocol(protocol):
    """256 events, and a sign of life every 30 s: none of them needs to be told apart."""

    async def main(server):
        async with StreamClient(server.url, protocol=protocol) as client, client.stream("numbers") as stream:
            return (await anext(aiter(stream))).data["buffer_info"]["capacity"]

    with running("numbers") as server:
        assert timed(main(server)) == 256
    assert Pace().heartbeat == 30


def test_lc11_protocols_have_three_names_in_all_that_is_measured():
    """Under which each is known from its first connection on."""
    with running("numbers") as server:

        async def main():
            for protocol in PROTOCOLS:
                async with StreamClient(server.url, protocol=protocol) as client:
                    await client.run("numbers")

        timed(main())
        assert eventually(lambda: not server.streams.hub.lifecycle.connections)
        said = json.loads(server.ask("GET", "/health/streaming")[2])["protocols"]
        text = server.ask("GET", "/metrics")[2].decode()
    assert {name: one["connections"] for name, one in said.items()} == {"ndjson": 1, "sse": 1, "websocket": 1}
    named = [one.name for one in MEASURES if "protocol" in one.labels]
    for line in (line for line in text.splitlines() if line.startswith(tuple(named))):
        assert any(f'protocol="{name}"' in line for name in PROTOCOLS)


def test_lc03_all_that_happens_is_told_while_what_is_sent_is_bounded():
    """A listener hears of every event that was left out, and nobody waits for it; no more than fits waits for the client."""
    told = []

    async def main():
        run = live("numbers", {"count": 3000}, limits={"initial": 64, "maximum": 64, "slow_send": 1})
        run.lifecycle.listen(told.append, lifecycle.Dropped, lifecycle.Sent)
        most = 0

        async def send(_):
            nonlocal most
            most = max(most, len(run.log))
            for _ in range(20):
                await run.log.put("progress", {})
            await asyncio.sleep(0.003)

        run.start()
        await Connection(run, "ndjson", as_line, Pace()).deliver(send)
        await run.close()
        return most, run.log.buffer.dropped

    most, dropped = timed(main())
    assert most <= 64
    assert sum(isinstance(one, lifecycle.Dropped) for one in told) == dropped > 0
    assert sum(one.names.get("result", 0) for one in told if isinstance(one, lifecycle.Sent)) == 3000


def test_er04_a_client_that_leaves_is_no_error():
    """That it left is seen in how its connection ended, and its run, which waits for it, has not failed."""
    with running("numbers") as server:
        with server.asked("POST", "/apps/numbers/stream", {"count": 10**6, "wait": 0.01}, x_request_id="left") as reply:
            reply.readline()
        assert eventually(lambda: server.streams._observed.totals.closed == 1)
        text = server.ask("GET", "/metrics")[2].decode()
        assert json.loads(server.ask("GET", "/runs/left")[2])["failed"] == 0
    assert 'streaming_duration_seconds_count{status="gone"} 1.0' in text
    assert "streaming_errors_total{" not in text


def test_lc06_what_is_told_of_a_run_that_ended_has_its_figures():
    """How many there were, went well and did not, came from a cache, how long it took, and the shares that follow."""
    told = []
    with running("found") as server:
        server.streams.hub.lifecycle.listen(told.append, lifecycle.StreamCompleted)
        sent = server.events("found", {"count": 4})[-1]
        assert eventually(lambda: told)
    summary = told[0].summary
    assert [summary[name] for name in ("total", "successful", "failed", "from_cache")] == [4, 3, 1, 2]
    assert (summary["success_rate"], summary["total_time_ms"] >= 0) == (0.75, True)
    assert summary["throughput_per_second"] > 0
    assert summary.items() <= sent.items()


@pytest.mark.parametrize(("seconds", "drops", "capacity"), [(0.2, 0, 64), (0.001, 1, 384), (0.001, 0, 256), (0.0, 0, 256)])
def test_tp09_a_buffer_is_as_large_as_its_client_needs(seconds, drops, capacity):
    """The least for a slow one, half as much again where events were left out, else what it was, however fast it is."""
    buffer = DynamicBuffer(BufferLimits())
    for _ in range(400):
        buffer.record_send(seconds)
        if seconds > 0.1:
            buffer.adapt()
    for _ in range(drops * 20):
        buffer.record_drop()
    buffer.adapt()
    assert buffer.capacity == capacity


def asked(server, message, *headers):
    """Return the pieces of an answer as the server wrote them, and its headers."""
    body = json.dumps(message).encode()
    lines = ["POST /apps/numbers/stream HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", "Connection: close"]
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, *headers, "", ""]).encode() + body)
        data = b""
        while piece := connection.recv(1 << 16):
            data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    pieces = []
    while not rest.startswith(b"0\r\n"):
        size, _, rest = rest.partition(b"\r\n")
        pieces.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    return head.decode().lower(), pieces


def test_t2_41_what_is_there_together_is_written_together():
    """A run that is faster than its client has far fewer writes than events; each has whole events."""
    with running("numbers") as server:
        _, pieces = asked(server, {"count": 3000})
    events = decoded(b"".join(pieces))
    assert sum(event["event"] == "result" for event in events) == 3000
    assert len(pieces) < len(events) / 5
    assert all(piece.endswith(b"\n") for piece in pieces if piece)


def test_tp10_nothing_is_compressed_and_no_answer_bounded_unless_it_is_asked_for():
    """Gzip where a client takes it, and as many bytes as it says."""
    with running("numbers") as server:
        head, pieces = asked(server, {"count": 300, "size": 1000})
        small, _ = asked(server, {"count": 300, "size": 1000}, "Accept-Encoding: gzip")
        _, few = asked(server, {"count": 300, "size": 1000}, "X-Max-Bytes: 100000")
    assert ("content-encoding" in head, "content-encoding: gzip" in small) == (False, True)
    assert decoded(b"".join(pieces))[-1].items() >= {"status": "complete", "successful": 300}.items()
    assert decoded(b"".join(few))[-1].items() >= {"status": "partial", "reason": "byte limit"}.items()


def test_t2_23_whoever_tells_an_event_learns_whether_it_was_taken():
    """Nothing is once all is over, and nobody who waits for room is left waiting."""

    async def main():
        one = log(limits={"initial": 2, "minimum": 1, "maximum": 2})
        taken = [await one.put("result", {"n": number}) for number in range(2)]
        waits = asyncio.create_task(one.put("result", {"n": 2}))
        await asyncio.sleep(0)
        assert not waits.done()
        one.close()
        return [*taken, await waits, await one.put("summary", {}), one.is_closed]

    assert timed(main()) == [True, True, False, False, True]
