"""Processors that own their stream: `run(reader, writer)`."""

import pytest
from engine_parts import Close, Collect, Count, Items, Pass, ids, work

from transmissions import NodeFailed, Processor


class Pairs(Processor):
    """Send messages two by two."""

    async def run(self, reader, writer):
        waiting = None
        async for message in reader:
            if waiting is None:
                waiting = message
            else:
                await writer.write({"id": (waiting["id"], message["id"])})
                waiting = None
        if waiting is not None:
            await writer.write(waiting)


class Batches(Processor):
    async def run(self, reader, writer):
        while batch := await reader.batch(50):
            await writer.write_many(batch)


class First(Processor):
    async def run(self, reader, writer):
        await writer.write_many(await reader.batch(1))


class Broken(Processor):
    async def run(self, reader, writer):
        await reader.batch()
        raise ValueError("lost the connection")


def test_a_processor_may_own_its_stream(tmp_path):
    """It reads as it likes and writes as it likes, also after the last message."""
    found, run = work(tmp_path, [Count(count=5), Pairs(), Pass()])
    assert ids(found) == [(0, 1), (2, 3), 4]
    counts = run.snapshot()["nodes"]["test/Pairs"]
    assert (counts["received"], counts["sent"]) == (5, 3)


def test_batches_are_read_and_written_whole(tmp_path):
    """Reading and writing batches keeps everything in order."""
    assert ids(work(tmp_path, [Count(count=1000), Batches()])[0]) == list(range(1000))


def test_groups_pass_by(tmp_path):
    """The ends of groups go on behind the messages that were read before them."""
    found, _ = work(tmp_path, [Items(), Batches(), Collect(), Close()], [{"items": [1, 2]}, {"items": [3]}])
    assert [message["items"] for message in found] == [[1, 2], [3]]


def test_what_is_left_unread_is_counted(tmp_path):
    """A processor that stops reading drops the rest, visibly."""
    found, run = work(tmp_path, [Count(count=20), First()])
    counts = run.snapshot()["nodes"]["test/First"]
    assert ids(found) == [0]
    assert (counts["received"], counts["dropped"]) == (20, 19)


def test_a_failure_ends_the_run_whatever_the_policy(tmp_path):
    """There is no one message to skip when the stream itself breaks."""
    with pytest.raises(NodeFailed, match="test/Broken: ValueError: lost the connection"):
        work(tmp_path, [Count(), Broken()], on_error="skip")
