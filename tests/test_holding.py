"""Sources that are held while a run is paused."""

import asyncio
from contextlib import suppress

import pytest
from engine_parts import AsyncCount, Count

from transmissions import Processor
from transmissions.testing import bench


class Keep(Processor):
    """Count what comes, in the test's own list."""

    def process(self, message):
        self.context.whiteboard.setdefault("seen", []).append(message["id"])
        return message


async def settled(seen):
    """Wait until nothing more comes."""
    before = -1
    while before != len(seen):
        before = len(seen)
        await asyncio.sleep(0.05)


async def held_and_then(source, what, folder):
    """Hold a run from its beginning, do something, and return what came before and in all."""
    run = bench([source, Keep()], [{}], folder)
    run.state.hold()
    seen = run.state.whiteboard.setdefault("seen", [])
    with suppress(asyncio.CancelledError):
        async with run:
            await settled(seen)
            before = len(seen)
            what(run)
            if what is not stop:
                await run.wait()
    return before, len(seen)


def go_on(run):
    """Hold it no more."""
    run.state.let_go()


def drain(run):
    """Drain it."""
    run.drain()


def stop(run):
    """Stop it."""
    run.stop()


@pytest.mark.parametrize("source", [Count, AsyncCount])
@pytest.mark.parametrize(("what", "most"), [(go_on, 10), (drain, 1), (stop, 0)])
def test_a_source_that_is_held_gives_nothing_until_it_goes_on(source, what, most, tmp_path):
    """It loses nothing; a drain and a stop end it, too, with no more than what had been pulled already."""
    before, in_all = asyncio.run(asyncio.wait_for(held_and_then(source(count=10), what, tmp_path), 20))
    assert before == 0
    assert in_all <= most
    assert in_all == 10 or what is not go_on
