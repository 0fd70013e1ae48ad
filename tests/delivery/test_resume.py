"""What a client gets that comes back: every numbered event once and in order, or word that some are lost."""

import asyncio
import random

import pytest
from delivering import decoded, live, log, make_home, running, timed
from hypothesis import given, settings
from hypothesis import strategies as st

from transmissions.delivery.connection import Connection, Pace
from transmissions.delivery.envelope import as_line
from transmissions.delivery.errors import BackpressureExceeded
from transmissions.delivery.lifecycle import Lifecycle


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)
    return tmp_path


class Fixed:
    """A run's place for a connection: a log that a task fills."""

    def __init__(self, events):
        self.log, self.lifecycle = events, Lifecycle()
        self.name, self.identity, self.summary = "r", {}, {}
        self.terms = type("Terms", (), {"bare": False})
        self.counts = type("Counts", (), {"total": None, "done": 0})
        self.throughput, self._taker = 0.0, None

    def attach(self, taker):
        """Let another take."""
        before, self._taker = self._taker, taker
        return before

    def detach(self, taker):
        """Know that one is gone."""
        self._taker = None if self._taker is taker else self._taker


class Flaky:
    """A client that keeps what came through, fails at random, and then comes again from its last number."""

    def __init__(self, chance):
        self.chance = chance
        self.got = []

    @property
    def last(self):
        """The number of the latest event that came through."""
        return self.got[-1] if self.got else 0

    async def send(self, pieces):
        """Take some of the events, or all, and fail or not; what it took it has."""
        through = self.chance.randint(0, len(pieces)) if self.chance.random() < 0.4 else len(pieces)
        await asyncio.sleep(0)
        self.got += [event["seq"] for event in decoded(b"".join(pieces[:through])) if event.get("seq", 0) > 0]
        if through < len(pieces):
            raise ConnectionResetError
        if self.chance.random() < 0.1:
            await asyncio.sleep(60)  # until it is cancelled, or replaced and cancelled


async def fill(events, count):
    """Put events of many sizes, and end."""
    for number in range(count - 1):
        await events.put("result", {"n": number, "fill": "x" * (number * 37 % 900)})
    await events.put("summary", {})
    events.end()


async def follow(place, client, chance):
    """Have a client come again and again until it has the summary."""
    while not place.log.is_ended or client.last < place.log.last:
        task = asyncio.create_task(Connection(place, "ndjson", as_line, Pace(send=0.01)).deliver(client.send, client.last))
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() / 1000)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 400), st.integers(1, 6), st.integers(200, 5000))
def test_nd08_every_numbered_event_comes_once_and_in_order_whatever_breaks(seed, count, ring, memory):
    """For a client that resumes by its last number, at any await, with what it had read of a batch that broke."""
    chance = random.Random(seed)

    async def main():
        events = log(limits={"memory": memory, "slow_send": 1}, kept={"ring": ring, "memory": memory})
        client, place = Flaky(chance), Fixed(events)
        filling = asyncio.create_task(fill(events, count))
        await follow(place, client, chance)
        await filling
        events.close()
        return client.got

    assert timed(main(), 60) == list(range(1, count + 1))


def test_ss06_what_is_not_kept_is_said_to_be_lost_and_the_rest_is_sent():
    """`reset` names the first event that follows it; nothing is missing behind it."""

    async def main():
        events, got = log(kept={"ring": 4, "memory": 1000, "size": 4000}), []

        async def send(pieces):
            got.extend(decoded(b"".join(pieces)))

        filling = asyncio.create_task(fill(events, 300))
        place = Fixed(events)
        await Connection(place, "ndjson", as_line, Pace()).deliver(send)
        await filling
        first, got[:] = list(got), []
        await Connection(place, "ndjson", as_line, Pace()).deliver(send, 1)
        return first, got

    first, again = timed(main())
    assert [event["seq"] for event in first] == list(range(1, 301))
    assert (again[0]["event"], again[0]["since"], again[0]["last"]) == ("reset", 1, 300)
    assert [event["seq"] for event in again[1:]] == list(range(again[0]["first"], 301))


@pytest.mark.parametrize("since", [-1, 7, 10**12])
def test_ss06_a_number_nobody_was_sent_is_answered_by_a_reset(since):
    """And everything from the first event on."""

    async def main():
        events, got = log(), []
        await fill(events, 5)

        async def send(pieces):
            got.extend(decoded(b"".join(pieces)))

        await Connection(Fixed(events), "ndjson", as_line, Pace()).deliver(send, since)
        return got

    got = timed(main())
    assert got[0]["event"] == "reset"
    assert [event["seq"] for event in got[1:]] == [1, 2, 3, 4, 5]


def test_ss10_a_full_disk_loses_what_was_sent_but_never_what_is_to_be(monkeypatch):
    """Whoever reads on gets everything; whoever comes back is told what is lost."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("transmissions.delivery.spool.os.pwrite", full)

    async def main():
        events, got = log(kept={"ring": 4, "memory": 500}), []

        async def send(pieces):
            got.extend(decoded(b"".join(pieces)))

        filling = asyncio.create_task(fill(events, 100))
        await Connection(Fixed(events), "ndjson", as_line, Pace()).deliver(send)
        await filling
        return [event["seq"] for event in got], events.place(1)

    assert timed(main()) == (list(range(1, 101)), None)


def test_ss16_a_second_reader_takes_over_and_the_first_is_ended(home):
    """Neither has an event twice, and together they have them all."""

    async def main():
        run = live("numbers", {"count": 2000})
        got, readers = ([], []), [Connection(run, "ndjson", as_line, Pace()) for _ in range(2)]

        def sending(number):
            async def send(pieces):
                got[number].extend(event["seq"] for event in decoded(b"".join(pieces)))
                if number == 0 and len(got[0]) > 300:
                    await asyncio.sleep(0.05)

            return send

        run.start()
        first = asyncio.create_task(readers[0].deliver(sending(0)))
        while len(got[0]) < 300:
            await asyncio.sleep(0)
        seen = got[0][-1]
        await readers[1].deliver(sending(1), seen)
        await first
        await run.close()
        return got, seen, [reader.ended for reader in readers]

    (first, second), seen, ended = timed(main())
    assert ended == ["replaced", "complete"]
    assert first[: first.index(seen) + 1] + second == list(range(1, second[-1] + 1))


def test_bp12_a_client_that_takes_nothing_is_cut_off_and_what_it_missed_is_kept():
    """The error cannot be mended by trying again at once; the events can be asked for."""

    async def main():
        events = log()
        await fill(events, 5)

        async def send(_):
            await asyncio.sleep(60)

        connection = Connection(Fixed(events), "ndjson", as_line, Pace(send=0.01))
        with pytest.raises(BackpressureExceeded) as caught:
            await connection.deliver(send)
        return caught.value, connection.ended, events.place(0)

    error, ended, place = timed(main())
    assert (error.retryable, ended, place) == (False, "slow", 0)


@pytest.mark.parametrize("protocol", ["stream", "sse"])
def test_ss05_a_run_is_read_in_pieces_over_connections_that_break(home, protocol):
    """Each begins where the last one ended, by its last number, with no event lost or doubled."""
    with running("numbers") as server:
        numbers, path, headers = [], f"/apps/numbers/{protocol}", {}
        with server.asked("POST", path, {"count": 3000, "size": 200}, x_request_id="pieces") as reply:
            numbers += seen(reply, 50)
        while numbers[-1] < 3002:
            accept = "text/event-stream" if protocol == "sse" else "*/*"
            headers = {"last_event_id": str(numbers[-1]), "accept": accept}
            with server.asked("GET", "/runs/pieces/stream", **headers) as reply:
                numbers += seen(reply, 400)
        assert numbers == list(range(1, numbers[-1] + 1))
        assert server.ask("GET", f"/runs/pieces/stream?since={numbers[-1]}")[0] in {200, 204}


def seen(reply, count):
    """Return the numbers of the next events, and then let go."""
    numbers = []
    while len(numbers) < count and (line := reply.readline()):
        line = line.removeprefix(b"data: ")
        if line.startswith(b"{") and (number := decoded(line)[0].get("seq")):
            numbers.append(number)
    return numbers
