"""Processors and runs that the tests of the engine share."""

import asyncio

from transmissions import Processor, Secret, Source
from transmissions.testing import bench


class Count(Source):
    count: int = 10

    def produce(self, message):
        for number in range(self.count):
            yield {"id": number}


class Endless(Source):
    def produce(self, message):
        number = 0
        while True:
            yield {"id": number}
            number += 1


class AsyncCount(Source):
    count: int = 10
    wait: float = 0.0

    async def produce(self, message):
        for number in range(self.count):
            await asyncio.sleep(self.wait)
            yield {"id": number}


class Items(Source):
    def produce(self, message):
        for item in message["items"]:
            yield {"items": item}


class Pass(Processor):
    def process(self, message):
        return message


class Locked(Pass):
    key: Secret


class Collect(Processor):
    def __post_init__(self):
        self._seen = []

    def process(self, message):
        self._seen.append(message.get("items", message.get("id")))
        return message

    def end_group(self, message):
        message["items"], self._seen = self._seen, []


class Close(Processor):
    collapses = True

    def process(self, message):
        return None

    def end_group(self, message):
        return [message]


class Every(Processor):
    """Fail on ids that `fail` divides, drop those that `drop` divides."""

    fail: int = 0
    drop: int = 0

    def process(self, message):
        if self.fail and message["id"] % self.fail == 0:
            raise ValueError(f"id {message['id']}")
        return None if self.drop and message["id"] % self.drop == 0 else message


class Slow(Processor):
    async def process(self, message):
        await asyncio.sleep(0.001 * (message["id"] % 3))
        return message


async def finish(run):
    """Run to the end; return the final messages and the run."""
    async with run:
        return [message async for message in run], run


def work(folder, processors, messages=({},), **node):
    """Run processors to the end; return the final messages and the run."""

    async def main():
        results = await finish(bench(processors, list(messages), folder, **node))
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return results

    return asyncio.run(main())


def ids(messages):
    """Return the ids of messages, in order."""
    return [message["id"] for message in messages]


class Mark(Processor):
    def process(self, message):
        message["marks"] = message.get("marks", 0) + 1
        return message
