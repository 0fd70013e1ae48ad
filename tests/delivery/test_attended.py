"""What is done for a client as long as it is there, under a server that cannot call when it is gone."""

import asyncio
import gc

import pytest
from delivering import timed

from transmissions.delivery.attended import Attended


def test_a_loop_that_ends_lets_the_teardown_come_to_its_end():
    """It cancels what waits for the client to leave, too, which is no leaving."""
    done, tasks = [], []

    async def work():
        async with Attended({}, asyncio.Event().wait):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.01)
                done.append("teardown")

    async def main():
        tasks.append(asyncio.create_task(work()))
        await asyncio.sleep(0.01)

    timed(main())
    assert done == ["teardown"]


@pytest.mark.parametrize("lasts", [0.0, 60.0])
def test_a_connection_that_breaks_is_a_client_that_is_gone(lasts):
    """Whether it breaks before the block is over or because it is; the loop has nothing to tell of it."""
    faults = []

    async def receive():
        try:
            await asyncio.sleep(0.01)
        finally:
            raise ConnectionResetError

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault["message"]))
        async with Attended({}, receive):
            await asyncio.sleep(lasts)
        await asyncio.sleep(0)
        gc.collect()

    timed(main())
    assert faults == []
