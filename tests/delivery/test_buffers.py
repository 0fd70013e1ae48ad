"""The buffer in front of a client, what is dropped for one that is slow, and what waits for one that is not there."""

import asyncio
import math

import pytest
from delivering import log, timed

from transmissions.delivery.buffer import BufferLimits, DynamicBuffer
from transmissions.delivery.envelope import ESSENTIAL, encode
from transmissions.delivery.errors import SerializationFailed
from transmissions.delivery.eventlog import Memory
from transmissions.delivery.pressure import Pressure


def buffer(**limits):
    """Return a buffer."""
    return DynamicBuffer(BufferLimits(**limits))


def test_bf01_the_defaults_are_those_of_the_seed():
    """In events, and milliseconds."""
    limits = BufferLimits()
    assert (limits.initial, limits.minimum, limits.maximum, limits.growth, limits.shrink) == (256, 64, 2048, 1.5, 0.75)
    assert (limits.slow_send, limits.window, limits.memory) == (100, 50, 65536)


def test_bf02_bf07_sends_are_counted_and_averaged():
    """Slow is what takes longer than the limit, and not as long."""
    one = buffer()
    for seconds in (0.1, 0.1001, 0.05):
        one.record_send(seconds)
    one.record_drop()
    assert one.stats() == {
        "current_size": 256,
        "peak_size": 0,
        "total_messages": 4,
        "dropped_messages": 1,
        "slow_sends": 1,
        "average_send_time_ms": 83.367,
        "resizes": 0,
    }


@pytest.mark.parametrize(
    ("slow", "quick", "is_under"), [(24, 0, False), (25, 0, True), (13, 13, False), (14, 12, True), (50, 50, False)]
)
def test_bf03_bf04_backpressure_is_more_than_half_of_the_latest_sends(slow, quick, is_under):
    """Of at most 50, and at least 25."""
    one = buffer()
    for seconds in [0.2] * slow + [0.0] * quick:
        one.record_send(seconds)
    assert one.is_under_backpressure is is_under


def test_bf05_bf11_it_grows_while_events_are_dropped_and_only_as_long():
    """What was dropped long ago does not count."""
    one, sizes = buffer(), []
    for _ in range(8):
        one.record_drop()
        one.adapt()
        sizes.append(one.capacity)
    assert sizes == [384, 576, 864, 1296, 1944, 2048, 2048, 2048]
    one.record_send(0.0, 50)
    one.capacity = 256
    assert one.adapt() is False


def test_bf06_it_shrinks_for_a_slow_client():
    """To its minimum."""
    one, sizes = buffer(), []
    for _ in range(30):
        one.record_send(1.0)
    while one.adapt():
        sizes.append(one.capacity)
    assert sizes == [192, 144, 108, 81, 64]


@pytest.mark.parametrize("wrong", [{"growth": math.nan}, {"growth": math.inf}, {"growth": -1}, {"adaptive": False}])
def test_bf08_bf17_a_factor_that_is_none_and_a_fixed_capacity_change_nothing(wrong):
    """Turtle cannot say one; code can."""
    one = buffer(**wrong)
    one.record_drop()
    assert (one.adapt(), one.capacity) == (False, 256)


@pytest.mark.parametrize(("capacity", "threshold"), [(1024, 800), (256, 200), (2048, 1600), (64, 50)])
def test_hd13_the_threshold_is_that_of_the_seed(capacity, threshold):
    """800 of 1024."""
    assert buffer(initial=capacity).threshold == threshold


def test_bf09_a_resize_changes_the_queue_at_once():
    """Whoever waited for room has it."""

    async def main():
        events = log(limits={"initial": 64, "memory": 10**6})
        putting = asyncio.create_task(put_all(events, 65))
        await asyncio.sleep(0.01)
        before = (len(events), putting.done())
        events.buffer.record_drop()
        events.sent(0.0, 0)
        await putting
        return before, len(events)

    assert timed(main()) == ((64, False), 65)


async def put_all(events, count, size=0):
    """Put results."""
    for number in range(count):
        await events.put("result", {"n": number, "fill": "x" * size})


def test_bf12_the_bytes_that_wait_are_bounded_and_a_giant_passes_alone():
    """The budget binds before the count does."""

    async def main():
        events, most = log(limits={"memory": 5000}), 0
        putting = asyncio.create_task(put_all(events, 40, 900))
        for _ in range(40):
            await asyncio.sleep(0)
            most = max(most, len(events))
            events.take(events.taken, 1)
        await events.put("result", {"fill": "x" * 20_000})
        await putting
        return most, events.last

    most, last = timed(main())
    assert (most, last) == (5, 41)


def test_bf16_without_leave_to_drop_nothing_is():
    """The run waits instead, even for progress."""

    async def main():
        events = log(limits={"initial": 64}, may_drop=False)
        await put_all(events, 64)
        putting = asyncio.create_task(events.put("progress", {}))
        await asyncio.sleep(0.01)
        waits = not putting.done()
        events.take(0, 10**6)
        return waits, await putting

    assert timed(main()) == (True, True)


def test_bf18_the_bytes_of_all_clients_together_are_bounded():
    """Each may have one event; a log that is closed gives back what it had."""

    async def main():
        memory = Memory(3000)
        logs = [log(memory=memory) for _ in range(4)]
        tasks = [asyncio.create_task(put_all(one, 10, 900)) for one in logs]
        await asyncio.sleep(0.01)
        waiting, used = [len(one) for one in logs], memory.used
        for one in logs:
            one.close()
        await asyncio.gather(*tasks)
        return waiting, used, memory.used

    waiting, used, after = timed(main())
    assert min(waiting) == 1
    assert used < 6 * 1000
    assert after == 0


@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_bf18_those_that_wait_share_what_there_is_alike(count):
    """Where they fill at once, none has more than is left for one more."""

    async def main():
        memory = Memory(1_000_000)
        logs = [log(memory=memory, limits={"memory": 10**9, "initial": 2048}) for _ in range(count)]
        is_put = True
        while is_put:
            is_put = sum(one.is_put("result", {"fill": "x" * 900}) for one in logs)
        return [one._bytes for one in logs], memory.used

    held, used = timed(main())
    assert sum(held) == used < 1_000_000
    assert max(abs(one - 1_000_000 / (count + 1)) for one in held) < 2000


def test_bf18_what_others_hold_does_not_leave_one_event_at_a_time():
    """Though they have all there is: a small part of it is there for each."""

    async def main():
        memory = Memory(10_240_000)
        first, later = [log(memory=memory, limits={"memory": most, "initial": 2048}) for most in (64_000, 10**9)]
        memory.used = 10_240_000
        for one in (first, later):
            while one.is_put("result", {"fill": "x" * 900}):
                pass
        return len(first), len(later)

    assert timed(main()) == (5, 5)


class Written(bytes):
    """What was written as JSON, counted as long as somebody has it."""

    there = 0

    def __init__(self, _):
        """Count it."""
        Written.there += 1

    def __del__(self):
        """Count it no more."""
        Written.there -= 1


def test_bf14_an_event_that_waits_for_room_is_not_held_as_json_besides(monkeypatch):
    """The run has what it is made of; it is written when there is room, and comes in its turn."""
    monkeypatch.setattr("transmissions.delivery.eventlog.encode", lambda value: Written(encode(value)))

    async def main():
        events = log(limits={"initial": 1}, bare=True)
        first = await events.put("result", {}, {"n": 0})
        putting = asyncio.create_task(events.put("result", {}, {"n": 1}))
        await asyncio.sleep(0.01)
        waiting = (Written.there, putting.done())
        taken = [event.body for event in events.take(0, 10**6)]
        return first, waiting, taken, await putting, [event.body for event in events.take(1, 10**6)]

    first, waiting, *rest = timed(main())
    assert (first, waiting) == (True, (1, False))
    assert rest == [[b'{"n": 0}'], True, [b'{"n": 1}']]


def test_bp08_bp16_only_what_is_not_essential_is_left_out_and_it_takes_no_number():
    """For a client that is behind: events of an app are essential, and so is everything the seed promises."""

    async def main():
        events = log(limits={"initial": 64, "memory": 10**6})
        await put_all(events, 51)
        put = {name: await events.put(name, {}) for name in [*ESSENTIAL, "an_event_of_an_app"]}
        return put, events.last

    put, last = timed(main())
    assert put == {**ESSENTIAL, "an_event_of_an_app": True}
    assert last == 51 + sum(put.values())


def test_a_log_that_is_closed_lets_nobody_wait_and_takes_nothing_more():
    """Neither the run that waits for room nor a client that waits for events."""

    async def main():
        events = log(limits={"initial": 64})
        putting = asyncio.create_task(put_all(events, 1000))
        waiting = asyncio.create_task(events.wait(10**6, lambda: False))
        await asyncio.sleep(0.01)
        events.close()
        await putting
        await waiting
        return len(events), await events.put("summary", {})

    assert timed(main()) == (0, False)


def test_nd10_ev36_what_json_has_no_words_for_is_an_error_of_its_own():
    """Numbers that are none are null; a key that is none is said."""
    assert encode({"a": math.nan, "b": [math.inf]}) == b'{"a": null, "b": [null]}'

    async def main():
        with pytest.raises(SerializationFailed, match="tuple"):
            await log().put("result", {(1, 2): 3})

    timed(main())


@pytest.mark.parametrize(
    ("waiting", "under", "drops"), [(1000, False, False), (1001, False, True), (1, True, True), (0, True, False)]
)
def test_bp01_whether_an_event_is_left_out(waiting, under, drops):
    """By how many wait, or by backpressure where any does."""
    assert Pressure().should_drop(waiting, under_backpressure=under) is drops


def test_bp02_bp03_a_slow_connection_has_half_the_threshold():
    """Half of at least ten sends took too long, or all on average."""
    slow, few = Pressure(), Pressure()
    for _ in range(10):
        slow.record_send(0.2)
    for _ in range(9):
        few.record_send(0.2)
    assert (slow.is_slow, few.is_slow) == (True, False)
    assert [slow.should_drop(count) for count in (500, 501)] == [False, True]


def test_bp04_bp07_the_threshold_follows_what_is_delivered_and_recovers():
    """Every hundred events, within its bounds; the share of dropped ones comes down again."""
    one = Pressure()
    for _ in range(100):
        one.record_drop(0.0)
    assert one.threshold == 900
    assert one.should_drop(1)
    one.record_send(0.0, 100)
    assert one.threshold == pytest.approx(990)
    assert not one.should_drop(1)
    for _ in range(100):
        one.record_send(0.0, 100)
    assert one.threshold == 5000
