"""StreamMonitor and StreamBufferManager: what they measure, hold, drop and tell."""

import asyncio
import logging

import pytest

from transmissions import Processor, Source, weigh
from transmissions.processors.stream import StreamBufferManager, StreamMonitor
from transmissions.testing import bench, through


class Chunks(Source):
    count: int = 1000

    def produce(self, message):
        for number in range(self.count):
            yield {"id": number, "text": "x" * 100}


class Slow(Processor):
    async def process(self, message):
        await asyncio.sleep(0.0002)
        return message


def monitored(folder, processors):
    """Run processors; return the reports of monitors and the run."""
    reports = []
    run = bench(processors, [{}], folder)
    run.on("metrics", lambda event, fields: reports.append(fields))

    async def main():
        async with run:
            return [message async for message in run]

    return asyncio.run(main()), reports, run


def test_everything_passes_unchanged_and_is_counted(tmp_path):
    """A monitor changes nothing and its last report is complete and exact."""
    found, reports, _ = monitored(tmp_path, [Chunks(), StreamMonitor()])
    assert [message["id"] for message in found] == list(range(1000))
    last = reports[-1]
    assert last["final"]
    assert (last["chunksProcessed"], last["bytesProcessed"]) == (1000, sum(map(weigh, found)))
    assert last["averageChunkSize"] == pytest.approx(last["bytesProcessed"] / 1000)
    assert last["throughput"] == pytest.approx(last["chunkRate"] * last["averageChunkSize"])


def test_instant_throughput_is_that_of_the_interval(tmp_path, monkeypatch):
    """A report divides what came since the last one by the time since then, not the total."""
    now = [100.0]
    monkeypatch.setattr("transmissions.processors.stream.time.perf_counter", lambda: now[0])
    monitor = StreamMonitor()
    through_bench(monitor, tmp_path)
    monitor.process_batch([{"t": "x" * 999}])
    now[0] += 10
    monitor.report()
    monitor.process_batch([{"t": "x" * 9}])
    now[0] += 2
    monitor.report()
    assert monitor.snapshot()["instantThroughput"] == pytest.approx(5)
    assert monitor.snapshot()["throughput"] == pytest.approx(1010 / 12)


def through_bench(monitor, folder):
    """Give a monitor its context."""
    from transmissions.services import TransmissionServices
    from transmissions.steps import make_node

    run = bench([monitor], [], folder)
    make_node(run.plan.transmissions[0].pipe[0], monitor, TransmissionServices(run.state, ("test",)))


def test_a_sample_stands_for_the_others(tmp_path):
    """With `sample`, one message in so many is weighed, across batches too."""
    _, reports, _ = monitored(tmp_path, [Chunks(count=999), StreamMonitor(sample=10)])
    exact = sum(weigh({"id": 0, "text": "x" * 100}) for _ in range(999))
    assert reports[-1]["bytesProcessed"] == pytest.approx(exact, rel=0.01)


def test_reports_come_while_nothing_moves(tmp_path):
    """A monitor reports every interval, whether or not messages come."""

    class Pause(Processor):
        async def process(self, message):
            await asyncio.sleep(0.06)
            return message

    _, reports, _ = monitored(tmp_path, [Pause(), StreamMonitor(report_interval=10)])
    assert [report["final"] for report in reports[-2:]] == [False, True]


def test_backpressure_is_noticed(tmp_path):
    """A monitor in front of a full buffer counts how often it had to wait, and when last."""
    pipe = [Chunks(), StreamMonitor(), StreamBufferManager(max_items=10), Slow()]
    _, reports, _ = monitored(tmp_path, pipe)
    assert reports[-1]["backpressureEvents"] > 0
    assert reports[-1]["lastBackpressure"] > 1.6e12


def test_reports_are_structured_in_the_log(tmp_path, caplog):
    """The log record carries the figures as fields."""
    caplog.set_level(logging.INFO, "transmissions")
    monitored(tmp_path, [Chunks(count=5), StreamMonitor()])
    record = caplog.records[-1]
    assert (record.event, record.node, record.chunksProcessed) == ("metrics", "test/StreamMonitor", 5)


@pytest.mark.parametrize(("overflow", "loses"), [("Block", False), ("DropOldest", True), ("DropNewest", True)])
def test_a_buffer_manager_is_a_real_buffer(tmp_path, overflow, loses):
    """It holds messages between two tasks, never more than its bound, and what it drops is counted."""
    pipe = [Chunks(), StreamBufferManager(max_buffer_size=2000, overflow=overflow), Slow()]
    found, _, run = monitored(tmp_path, pipe)
    figures = run.snapshot()["buffers"]["test/StreamBufferManager"]
    assert 1000 < figures["maxBufferUsage"] <= 2000
    assert len(found) + figures["dropped"] == figures["total"] == 1000
    assert (figures["dropped"] > 0) is loses


def test_monitor_and_buffer_can_be_chained():
    """Monitors and buffers in a row pass everything on."""
    pipe = [Chunks(), StreamMonitor(), StreamBufferManager(), StreamMonitor(), StreamBufferManager(max_items=3)]
    assert len(through(pipe, [{}])) == 1000


@pytest.mark.parametrize("kind", [StreamMonitor, StreamBufferManager])
def test_each_may_stand_alone(kind):
    """Alone, they pass messages on."""
    assert through(kind(), [{"a": 1}]) == [{"a": 1}]
