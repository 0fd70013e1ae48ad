"""Run one processor on messages, without an engine, and see what it asked of its run."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import Any

import pytest

from transmissions import Source
from transmissions.context import Context, Folders
from transmissions.plan import NodePlan, Plan, TransmissionPlan
from transmissions.problem import Where

HERE = Where("transmissions.ttl", 7, 1)


class Bench:
    """Folders of a run, the engine's services as a record of calls, and a way to run a processor."""

    def __init__(self, folder):
        self.app, self.output = folder / "app", folder / "out"
        self.data = self.app / "data"
        self.data.mkdir(parents=True)
        self.target, self.roots, self.again = None, (), False
        self.counted = {"nodes": {}, "buffers": {}}
        self.rejected, self.skipped, self.halted, self.called, self.events, self.scrubs = [], [], [], [], [], []
        self.shown = ""
        self.whiteboard = {}
        self.command = ()

    def emit(self, event, fields):
        self.events.append((event, fields))

    def reject(self, node, message, error, fields):
        self.rejected.append((message, str(error), fields))

    def skip(self, node, reason, fields):
        self.skipped.append((reason, fields))

    def scrub(self, function):
        self.scrubs.append(function)

    def show(self, node, text):
        self.shown += text

    def writes(self, node, path, *, alone=False):
        pass

    def halt(self, node, reason):
        self.halted.append(reason)

    def snapshot(self):
        return self.counted

    async def call(self, node, transmission, message):
        self.called.append(transmission)
        return [{**message, "by": transmission}]

    def attach(self, processor):
        """Give a processor its context."""
        node = NodePlan("main/it", "http://purl.org/stuff/transmissions/It", "", {"rate": 5}, HERE, {"rate": HERE})
        plan = Plan("app", str(self.app), (), (TransmissionPlan("main", "", True, (node,), HERE),))
        folders = Folders(self.app, self.target or self.data, self.output, self.target, self.roots, again=self.again)
        processor.attach(Context("main/it", plan, folders, logging.getLogger("test"), self))
        return processor

    def through(self, processor, *messages: dict[str, Any]):
        """Return all that comes of sending messages through a processor, with what is left at the end."""
        return asyncio.run(_through(self.attach(processor), messages))

    def produced(self, source, message):
        """Return the messages an asynchronous source makes of one, which it may change."""
        return asyncio.run(_produced(self.attach(source), message))


async def _through(processor, messages):
    results = []
    async with processor:
        for message in messages:
            given = processor.produce(message) if isinstance(processor, Source) else processor.process(message)
            results += _listed(await given if inspect.isawaitable(given) else given)
        return results + _listed(processor.finish())


async def _produced(processor, message):
    made = []
    async for given in processor.produce(message):
        made += given if isinstance(given, list) else [given]
    return made


def _listed(given):
    if given is None:
        return []
    return [given] if isinstance(given, dict) else list(given)


@pytest.fixture
def bench(tmp_path):
    """Return a bench in a fresh folder."""
    return Bench(tmp_path)
