"""One processor at work: what it may return, what is counted, what is caught."""

import asyncio

import pytest
from engine_parts import Count, Every, Pass, ids, work

from transmissions import NodeFailed, Processor
from transmissions.channel import BATCHES, ITEMS
from transmissions.testing import through


class Many(Processor):
    how: str = "list"

    def process(self, message):
        results = [{"id": message["id"], "part": part} for part in range(3)]
        return {"list": results, "tuple": tuple(results), "generator": (one for one in results)}[self.how]


class Later(Processor):
    async def process(self, message):
        await asyncio.sleep(0)
        return message if message["id"] % 2 else None


class Whole(Processor):
    broken: bool = False

    def process_batch(self, messages):
        if self.broken and any(message["id"] == 3 for message in messages):
            raise ValueError("a batch with 3")
        return messages


class Both(Whole):
    def process(self, message):
        if message["id"] == 3:
            raise ValueError("3 itself")
        return message


class Blocking(Pass):
    placement = "thread"


class Fresh(Processor):
    def process(self, message):
        return {**message, "new": True} if message["id"] % 3 else message


@pytest.mark.parametrize("how", ["list", "tuple", "generator"])
def test_a_step_may_make_many_of_one(how):
    """Lists, tuples and generators are sent on one message after the other, in order."""
    made = through([Count(count=400), Many(how=how)], [{}])
    assert [(message["id"], message["part"]) for message in made] == [
        (number, part) for number in range(400) for part in range(3)
    ]


def test_one_message_that_explodes_goes_on_in_parts(tmp_path):
    """A generator of a hundred thousand messages never fills a channel beyond its bound."""

    class Explode(Processor):
        def process(self, message):
            return ({"id": number} for number in range(100_000))

    class Aside(Pass):
        pass

    found, run = work(tmp_path, [Explode(), Aside()], concurrency=2)
    assert len(found) == 100_000
    assert max(figures["peakItems"] for figures in run.snapshot()["buffers"].values()) <= BATCHES * ITEMS


def test_new_messages_and_changed_ones_may_alternate():
    """A step may return its message or another, in any order."""
    made = through([Count(count=20), Fresh()], [{}])
    assert ids(made) == list(range(20))
    assert [message["id"] for message in made if "new" not in message] == list(range(0, 20, 3))


@pytest.mark.parametrize("step", [Pass(), Whole(), Both(), Blocking()])
def test_every_way_of_working_keeps_the_stream(step):
    """Plain, batch-wise and threaded processors give the same messages in the same order."""
    assert ids(through([Count(count=600), step], [{}])) == list(range(600))


def test_an_asynchronous_step_may_wait_and_drop(tmp_path):
    """What an asynchronous step drops is counted as dropped."""
    found, run = work(tmp_path, [Count(count=100), Later()])
    assert ids(found) == list(range(1, 100, 2))
    counts = run.snapshot()["nodes"]["test/Later"]
    assert (counts["received"], counts["sent"], counts["dropped"]) == (100, 50, 50)


def test_a_failing_batch_is_tried_one_by_one(tmp_path):
    """Where a batch fails, `process` finds out which message it was."""
    found, run = work(tmp_path, [Count(), Both(broken=True)], on_error="skip")
    assert ids(found) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert run.snapshot()["nodes"]["test/Both"]["skipped"] == 1


def test_a_failing_batch_without_process_fails_whole(tmp_path):
    """Without `process`, every message of the failing batch goes the way of the policy."""
    found, run = work(tmp_path, [Count(), Whole(broken=True)], on_error="skip")
    counts = run.snapshot()["nodes"]["test/Whole"]
    assert counts["received"] == counts["sent"] + counts["skipped"] == 10
    assert 3 not in ids(found)


def test_a_failure_names_node_place_and_cause():
    """The error of a run says which node failed, where it is declared, and why."""
    with pytest.raises(NodeFailed, match=r"transmissions\.ttl:1:1: test/Every: ValueError: id 0") as caught:
        through([Count(), Pass(), Every(fail=5)], [{}])
    assert caught.value.message == {"id": 0}


def test_nothing_else_may_be_returned():
    """A processor that returns a number is at fault, by name."""

    class Wrong(Processor):
        def process(self, message):
            return 5

    with pytest.raises(NodeFailed, match="test/Wrong: TypeError: a processor gave an int"):
        through(Wrong(), [{}])


def test_what_is_left_comes_at_the_end():
    """What `finish` yields follows the last message, and passes the steps behind."""

    class Last(Pass):
        def finish(self):
            yield {"id": -1}

    assert ids(through([Count(count=3), Last(), Fresh()], [{}])) == [0, 1, 2, -1]


def test_slow_steps_are_timed_message_by_message(tmp_path):
    """Latency and busy time are there for every node."""
    _, run = work(tmp_path, [Count(count=50), Later()])
    counts = run.snapshot()["nodes"]["test/Later"]
    assert counts["busy"] > 0
    assert 0 < counts["latency"]["p50"] <= counts["latency"]["p99"]
