"""Five trivial steps against a plain loop over five functions: what the engine costs when there is nothing else to pay for.

The source is a task of its own, then comes a bounded channel, the segment, a bounded channel, and the sink. Counting, error
capture and time budgets are on, as in every run. Each round measures the loop and every variant in turn; the table shows
the ratio of the shortest times. Exit code 1 says a limit is exceeded.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from pathlib import Path
from typing import Any

from transmissions.channel import Channel, Pressure
from transmissions.context import Folders
from transmissions.deadletters import DeadLetters
from transmissions.message import END
from transmissions.pace import RareCollections
from transmissions.plan import NodePlan, Plan
from transmissions.problem import Where
from transmissions.processor import Processor, Source
from transmissions.segment import Segment
from transmissions.services import TransmissionServices
from transmissions.state import RunState
from transmissions.steps import make_node

LIMITS = {"sync": 1.7, "async": 2.4, "process_batch": 1.15}


def add(message):
    message["value"] = message["value"] + 1
    return message


def multiply(message):
    message["value"] = message["value"] * 2
    return message


def rename(message):
    message["name"] = "changed"
    return message


def subtract(message):
    message["value"] = message["value"] - 3
    return message


def mark(message):
    message["marked"] = True
    return message


STEPS = (add, multiply, rename, subtract, mark)


class Add(Processor):
    def process(self, message):
        message["value"] = message["value"] + 1
        return message


class Multiply(Processor):
    def process(self, message):
        message["value"] = message["value"] * 2
        return message


class Rename(Processor):
    def process(self, message):
        message["name"] = "changed"
        return message


class Subtract(Processor):
    def process(self, message):
        message["value"] = message["value"] - 3
        return message


class Mark(Processor):
    def process(self, message):
        message["marked"] = True
        return message


class AsyncAdd(Processor):
    async def process(self, message):
        message["value"] = message["value"] + 1
        return message


class AsyncMultiply(Processor):
    async def process(self, message):
        message["value"] = message["value"] * 2
        return message


class AsyncRename(Processor):
    async def process(self, message):
        message["name"] = "changed"
        return message


class AsyncSubtract(Processor):
    async def process(self, message):
        message["value"] = message["value"] - 3
        return message


class AsyncMark(Processor):
    async def process(self, message):
        message["marked"] = True
        return message


class BatchAdd(Processor):
    def process_batch(self, messages):
        for message in messages:
            message["value"] = message["value"] + 1
        return messages


class BatchMultiply(Processor):
    def process_batch(self, messages):
        for message in messages:
            message["value"] = message["value"] * 2
        return messages


class BatchRename(Processor):
    def process_batch(self, messages):
        for message in messages:
            message["name"] = "changed"
        return messages


class BatchSubtract(Processor):
    def process_batch(self, messages):
        for message in messages:
            message["value"] = message["value"] - 3
        return messages


class BatchMark(Processor):
    def process_batch(self, messages):
        for message in messages:
            message["marked"] = True
        return messages


VARIANTS = {
    "sync": (Add, Multiply, Rename, Subtract, Mark),
    "async": (AsyncAdd, AsyncMultiply, AsyncRename, AsyncSubtract, AsyncMark),
    "process_batch": (BatchAdd, BatchMultiply, BatchRename, BatchSubtract, BatchMark),
}


class Numbers(Source):
    count: int

    def produce(self, message):
        return make(self.count)


def make(count):
    for number in range(count):
        yield {"id": number, "value": number, "name": "n"}


class Sink:
    """Counts and adds up, so that the work can be checked."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0

    def take(self, message):
        self.count += 1
        self.total += message["value"]


class SinkOutlet(Sink):
    """The sink at the end of the last channel."""

    pressure = Pressure()

    async def put_many(self, messages):
        take = self.take
        for message in messages:
            take(message)

    async def put_token(self, token):
        pass


def loop(count: int) -> Sink:
    """Do the work without an engine."""
    sink = Sink()
    take = sink.take
    for message in make(count):
        take(mark(subtract(rename(multiply(add(message))))))
    return sink


async def engine(classes: tuple[type[Processor], ...], count: int) -> SinkOutlet:
    """Do the work in three segments with two channels between them."""
    here = Path()
    plan = Plan("chain", str(here), (), ())
    state = RunState(plan, Folders(here, here, here), DeadLetters(here / "dead"), lambda _: None)  # type: ignore[arg-type]
    services = TransmissionServices(state, ("chain",))

    def node(number: int, processor: Processor) -> Any:
        return make_node(NodePlan(f"chain/{number}", "", "", {}, Where("chain", number, 1), {}), processor, services)

    sink = SinkOutlet()
    start, first, last = Channel(), Channel(), Channel()
    source = Segment([node(0, Numbers(count=count))], start, first)
    steps = Segment([node(number, cls()) for number, cls in enumerate(classes, 1)], first, last)
    end = Segment([], last, sink)
    await start.put_many([{}])
    await start.put_token(END)
    with RareCollections():
        async with asyncio.TaskGroup() as tasks:
            for segment in (source, steps, end):
                tasks.create_task(segment.run())
    return sink


def measure(work, count: int) -> float:
    """Return the processor time one run takes; the others on the machine must not count."""
    gc.collect()
    began = time.process_time()
    sink = work()
    seconds = time.process_time() - began
    expected = sum((number + 1) * 2 - 3 for number in range(count))
    assert (sink.count, sink.total) == (count, expected)
    return seconds


def main() -> int:
    """Measure, print the table, and say whether all limits hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="messages in a round")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    works = {"loop": lambda: loop(options.count)}
    works |= {name: lambda c=classes: asyncio.run(engine(c, options.count)) for name, classes in VARIANTS.items()}
    best = dict.fromkeys(works, float("inf"))
    for _ in range(options.rounds):
        for name, work in works.items():
            best[name] = min(best[name], measure(work, options.count))
    return report(best, options.count)


def report(best: dict[str, float], count: int) -> int:
    """Print the ratios and return the exit code."""
    print(f"{'':15} {'ns/message':>10} {'ratio':>7} {'limit':>7}")
    over = False
    for name, seconds in best.items():
        ratio, limit = seconds / best["loop"], LIMITS.get(name)
        over = over or (limit is not None and ratio > limit)
        print(f"{name:15} {seconds / count * 1e9:10.0f} {ratio:7.2f} {limit or '':>7}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
