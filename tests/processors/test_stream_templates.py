"""Rows T2-31 to T2-33 of the streaming templates: RateLimiter is its rate-limited transform, StreamBufferManager its buffer."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from transmissions.processors.demo import Delay, NumberSource
from transmissions.processors.pace import RateLimiter
from transmissions.processors.stream import StreamBufferManager
from transmissions.testing import bench, through


class Clock:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_t2_31_no_more_pass_in_a_second_than_may(pauses):
    """Whenever they come, in any window of a second; those that come too fast wait, in order."""
    limiter, clock = RateLimiter(rate=20), Clock()
    limiter._clock, limiter._sleep = clock, clock.sleep

    async def passing():
        times = []
        for pause in pauses:
            clock.now += pause / 100
            await limiter.process({})
            times.append(clock.now)
        return times

    times = asyncio.run(passing())
    assert all(later - first > 0.99 for first, later in zip(times, times[21:], strict=False))


def test_t2_32_a_full_buffer_holds_its_source_back_and_loses_nothing(tmp_path):
    """It pauses when it is full, goes on below half, and at the end of the input everything comes out."""
    source, buffer = NumberSource(count=2000), StreamBufferManager(max_items=500, high_water_mark=0.99, low_water_mark=0.5)
    told = []
    run = bench([source, buffer, Delay(delay=0)], [{}], tmp_path)
    for event in ("pause", "resume"):
        run.on(event, lambda event, _: told.append(event))

    async def collected():
        async with run:
            return [message["number"] async for message in run]

    assert asyncio.run(collected()) == list(range(2000))
    assert told[:2] == ["pause", "resume"]


def test_t2_33_source_rate_limit_buffer_and_destination_are_a_pipe():
    """What the source sends arrives, in order."""
    pipe = [NumberSource(count=50), RateLimiter(rate=10_000), StreamBufferManager(max_items=10), Delay(delay=0)]
    assert [message["number"] for message in through(pipe, [{}])] == list(range(50))
