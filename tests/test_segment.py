"""Segments: batches that fit time and size, concurrency in and out of order, groups, and who is asked about their ends."""

import asyncio
import time
import weakref
from collections import OrderedDict

import pytest
from engine_parts import AsyncCount, Close, Collect, Count, Every, Items, Pass, Slow, ids, work

from transmissions import Processor, Source
from transmissions.channel import ITEMS, WEIGHT, Channel
from transmissions.message import END
from transmissions.pace import Pace
from transmissions.segment import Segment
from transmissions.testing import through


def cube(side):
    """Return numbers nested three deep."""
    return [[[100 * a + 10 * b + c for c in range(side)] for b in range(side)] for a in range(side)]


@pytest.mark.parametrize("node", [{}, {"buffer": {"max_items": 3}}, {"concurrency": 3}])
def test_groups_nest_three_deep(tmp_path, node):
    """Ten times ten times ten items come back as the cube they were, through channels and workers too."""
    pipe = [Items(), Items(), Items(), Collect(), Close(), Collect(), Close(), Collect(), Close()]
    node = node | ({"concurrency": 1} if "concurrency" in node else {})
    found, _ = work(tmp_path, pipe, [{"items": cube(10)}], **node)
    assert [message["items"] for message in found] == [cube(10)]


def test_an_empty_group_ends_too():
    """A list without items still gives its group's message."""
    assert through([Items(), Collect(), Close()], [{"items": []}]) == [{"items": []}]


def test_nobody_behind_cares_and_no_token_is_sent(tmp_path):
    """Without a step that ends groups, sources send no tokens."""
    from transmissions.testing import bench

    async def main():
        async with bench([Count(), Pass()], [{}], tmp_path) as run:
            await run.wait()
        return run

    assert asyncio.run(main()).result.sent == 10


def test_concurrency_keeps_order(tmp_path):
    """Four workers of different speed deliver in the order of arrival."""
    found, _ = work(tmp_path, [Count(count=60), Slow()], concurrency=4)
    assert ids(found) == list(range(60))


def test_concurrency_works_at_the_same_time(tmp_path):
    """With four workers, four messages are worked on at once, and never five."""
    at_once = []

    class Busy(Processor):
        def __post_init__(self):
            self._now = 0

        async def process(self, message):
            self._now += 1
            at_once.append(self._now)
            await asyncio.sleep(0.002)
            self._now -= 1
            return message

    found, _ = work(tmp_path, [AsyncCount(count=40), Busy()], concurrency=4)
    assert len(found) == 40
    assert max(at_once) == 4


def test_what_is_quick_does_not_wait_for_what_is_slow(tmp_path):
    """A worker takes a single message at a time where a class asks for it, so the slow one arrives last, wherever it stood."""

    class Asks(Processor):
        one_by_one = True

        async def process(self, message):
            if message["id"] == 60:
                await asyncio.sleep(0.2)
            return message

    found, _ = work(tmp_path, [Count(count=100), Asks()], concurrency=2, ordered=False)
    assert ids(found)[-1] == 60


def test_without_order_nothing_is_lost(tmp_path):
    """Out of order, every message still arrives once, also with failures among them."""
    found, run = work(tmp_path, [Count(count=300), Slow(), Every(fail=10)], concurrency=3, ordered=False, on_error="skip")
    assert sorted(ids(found)) == [number for number in range(300) if number % 10]
    assert run.result.skipped == 30


@pytest.mark.parametrize("ordered", [True, False])
def test_a_group_ends_behind_its_last_message(tmp_path, ordered):
    """Workers never let the end of a group overtake its messages, nor later ones overtake the end."""

    class Lag(Processor):
        async def process(self, message):
            await asyncio.sleep(0.0005 * (message["items"] % 4))
            return message

    messages = [{"items": list(range(number, number + 5))} for number in range(0, 50, 5)]
    pipe = [Items(), Lag(), Collect(), Close()]
    found = _with_concurrency(tmp_path, pipe, messages, ordered)
    assert [sorted(message["items"]) for message in found] == [message["items"] for message in messages]


def _with_concurrency(folder, pipe, messages, ordered):
    from transmissions.testing import bench

    run = bench(pipe, messages, folder)
    (transmission,) = run.plan.transmissions
    lag = transmission.pipe[1]._replace(concurrency=4, ordered=ordered)
    changed = (transmission._replace(pipe=(transmission.pipe[0], lag, *transmission.pipe[2:])),)
    run.plan = run.state.plan = run.plan._replace(transmissions=changed)

    async def main():
        async with run:
            return [message async for message in run]

    return asyncio.run(main())


def test_a_batch_grows_while_it_is_quick_and_shrinks_when_it_is_slow():
    """A batch doubles up to its limit, and is cut to what fits the time budget."""
    pace = Pace()
    sizes = []
    for _ in range(10):
        pace.adapt(pace.size, 1e-6)
        sizes.append(pace.size)
    assert sizes[:3] == [2, 4, 8]
    assert sizes[-1] == ITEMS
    pace.adapt(256, 2.56)
    assert pace.size == 1


def test_big_messages_come_one_by_one():
    """Messages of a megabyte are taken one at a time."""
    pace = Pace()
    pace.size = ITEMS
    pace.gauge.look([{"text": "x" * WEIGHT}])
    pace.adapt(1, 1e-6)
    assert pace.size == 1


def test_a_message_may_be_of_a_class_of_its_own():
    """What is a dict by inheritance flows like any other message."""

    class Ordered(Processor):
        def process(self, message):
            return OrderedDict(message)

    assert through(Ordered(), [{"id": 1}, {"id": 2}]) == [{"id": 1}, {"id": 2}]


class Step:
    """As much of a node as a segment needs."""

    def __init__(self, text):
        self.pace = Pace()
        self.sizes = []
        self._text = text

    async def step(self, batch, _rest):
        """Give every message a text."""
        self.sizes.append(len(batch))
        return [{"text": self._text} for _ in batch]

    async def finish(self, _rest):
        """Give nothing more."""


def test_messages_that_are_big_between_two_steps_only_come_one_by_one():
    """A step that makes messages big is noticed before there are batches of them, though the next one makes them small."""

    async def main():
        grows, inlet, outlet = Step("x" * WEIGHT), Channel(), Channel()
        segment = Segment([grows, Step("x")], inlet, outlet)
        await inlet.put_many([{"id": number} for number in range(300)])
        await inlet.put_token(END)
        await segment.run()
        return grows.sizes

    sizes = asyncio.run(main())
    assert sum(sizes) == 300
    assert max(sizes) <= 2


def test_batches_are_long_again_where_a_step_drops_what_follows_a_big_message(monkeypatch):
    """A big message is forgotten also where nothing comes after it that could be looked at."""
    monkeypatch.setattr("transmissions.segment.clock", lambda: 0.0)

    class First(Step):
        async def step(self, batch, rest):
            grown = await super().step(batch, rest)
            return grown if len(self.sizes) == 1 else []

    async def main():
        step, inlet, outlet = First("x" * WEIGHT), Channel(items=4 * ITEMS), Channel()
        await inlet.put_many([{"id": number} for number in range(3 * ITEMS)])
        await inlet.put_token(END)
        await Segment([step], inlet, outlet).run()
        return step.sizes

    assert max(asyncio.run(main())) > ITEMS // 4


def test_a_slow_source_is_not_waited_for():
    """A pull ends when its time is used up, however many messages it might still take."""
    pace = Pace()
    pace.size = ITEMS

    def slow():
        while True:
            time.sleep(0.0001)
            yield {}

    out = []
    assert pace.take(slow(), out)
    assert 0 < len(out) < ITEMS


def test_other_tasks_run_beside_a_busy_segment(tmp_path):
    """A pipe that never waits still lets the loop go round."""

    class Busy(Source):
        def produce(self, message):
            until = time.perf_counter() + 0.05
            while time.perf_counter() < until:
                yield {}

    async def main():
        from transmissions.testing import bench

        rounds = 0
        async with bench([Busy(), Pass()], [{}], tmp_path) as run:
            waiting = asyncio.create_task(run.wait())
            while not waiting.done():
                rounds += 1
                await asyncio.sleep(0)
        return rounds

    assert asyncio.run(main()) > 5


def test_what_was_dropped_is_gone():
    """What a step dropped is gone while all wait for the next message, with workers of one step and without."""

    class Thing:
        pass

    class Waiting(Source):
        async def produce(self, message):
            gone = asyncio.Event()
            thing = Thing()
            weakref.finalize(thing, gone.set)
            yield {"thing": thing}
            del thing
            await asyncio.wait_for(gone.wait(), 5)
            yield message

    class Dropping(Processor):
        def process(self, message):
            return None if "thing" in message else message

    for concurrency in (1, 2):
        assert through([Waiting(), Dropping()], [{}], concurrency=concurrency, ordered=False) == [{}]
