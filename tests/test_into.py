"""Runs that work in the task of whoever takes their messages."""

import asyncio

import pytest
from engine_parts import AsyncCount

from transmissions.channel import Pressure
from transmissions.errors import UsageError
from transmissions.testing import bench


class Taken:
    """What came out; `then` is called with each list of messages."""

    pressure = Pressure()

    def __init__(self, then=lambda: None):
        self.messages = []
        self._then = then

    async def put_many(self, messages):
        """Take messages."""
        self.messages += messages
        self._then()

    async def put_token(self, token):
        """Take the end."""


def test_messages_go_to_whom_the_run_was_given(tmp_path):
    """All of them, in order, before the call returns."""
    taken = Taken()
    asyncio.run(bench([AsyncCount()], [{}], tmp_path).into(taken))
    assert [message["id"] for message in taken.messages] == list(range(10))


def test_a_run_that_is_stopped_leaves_the_task_to_go_on(tmp_path):
    """It ends as others do, and nothing of its cancellation is left."""

    async def main():
        run = bench([AsyncCount()], [{}], tmp_path)
        await run.into(Taken(run.stop))
        run.stop()
        await asyncio.sleep(0.01)
        return asyncio.current_task().cancelling()

    assert asyncio.run(main()) == 0


def test_a_task_that_is_cancelled_is_though_its_run_was_stopped_too(tmp_path):
    """Whoever cancels the task means all that it does."""

    async def main():
        run = bench([AsyncCount()], [{}], tmp_path)
        task = asyncio.create_task(run.into(Taken(lambda: (run.stop(), task.cancel()))))
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(main())


def test_a_run_works_once(tmp_path):
    """A second time is refused, however it was begun."""

    async def main():
        run = bench([AsyncCount()], [{}], tmp_path)
        await run.into(Taken())
        await run.into(Taken())

    with pytest.raises(UsageError, match="a run runs once"):
        asyncio.run(main())
