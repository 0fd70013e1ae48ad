"""RateLimiter, Batch and Unbatch."""

import asyncio

import pytest

from transmissions import RunError
from transmissions.processors.pace import Batch, RateLimiter, Unbatch


class Clock:
    """A clock that only moves when somebody sleeps, `late` seconds longer than asked."""

    def __init__(self, late=0.0):
        self.now, self.late = 100.0, late

    async def sleep(self, seconds):
        self.now += seconds + self.late

    def limit(self, **settings):
        """Return a limiter that lives by this clock."""
        limiter = RateLimiter(**settings)
        limiter._bucket.clock, limiter._sleep = lambda: self.now, self.sleep
        return limiter


async def passing_times(limiter, clock, count):
    """Return when each of a number of messages passes, from the start."""
    times = []
    for number in range(count):
        assert await limiter.process({"n": number}) == {"n": number}
        times.append(round(clock.now - 100, 3))
    return times


def test_messages_are_spaced_evenly():
    """Ten a second pass a tenth of a second apart."""
    clock = Clock()
    times = asyncio.run(passing_times(clock.limit(rate=10), clock, 5))
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=0.006)


def test_a_burst_passes_at_once_and_fills_up_again_in_a_pause():
    """As many as `burst` pass together, after a pause again."""
    clock = Clock()
    limiter = clock.limit(rate=10, burst=3)
    assert asyncio.run(passing_times(limiter, clock, 5)) == pytest.approx([0, 0, 0, 0.1, 0.2])
    clock.now = 200.0
    assert asyncio.run(passing_times(limiter, clock, 4)) == pytest.approx([100, 100, 100, 100.1])


def test_a_late_timer_does_not_lower_the_rate():
    """Timers that wake a millisecond late are made up for."""
    clock = Clock(late=0.001)
    times = asyncio.run(passing_times(clock.limit(rate=1000), clock, 1001))
    assert times[-1] == pytest.approx(1.0, abs=0.02)


def test_messages_are_gathered_and_the_rest_is_sent_at_the_end(bench):
    """Batches have the size asked for, the last one what is left."""
    assert bench.through(Batch(size=2, target_field="in.it"), {"n": 1}, {"n": 2}, {"n": 3}) == [
        {"in": {"it": [{"n": 1}, {"n": 2}]}},
        {"in": {"it": [{"n": 3}]}},
    ]


def test_a_batch_does_not_cross_the_end_of_a_group():
    """At the end of a group what it left is sent."""
    batch = Batch(size=10)
    assert batch.process({"n": 1}) is None
    assert list(batch.end_group({})) == [{"items": [{"n": 1}]}]
    assert list(batch.finish()) == []


def test_unbatch_is_the_reverse(bench):
    """A batch becomes the messages it was made of."""
    assert bench.through(Unbatch(), {"items": [{"n": 1}, {"n": 2}]}) == [{"n": 1}, {"n": 2}]
    with pytest.raises(RunError, match="not a list of messages"):
        bench.through(Unbatch(), {"items": [1]})
