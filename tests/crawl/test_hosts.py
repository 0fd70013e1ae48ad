"""Whose turn it is to ask a host."""

import asyncio

from transmissions.processors.hosts import Hosts


def test_a_turn_that_is_not_taken_goes_to_the_next():
    """Who is cancelled at the moment it is told to go on does not keep others waiting."""

    async def three_ask():
        hosts = Hosts()

        async def ask():
            async with hosts.turn("a", 1):
                await asyncio.sleep(0)

        async def ask_and_cancel_the_next():
            await ask()
            second.cancel()

        first, second, third = (asyncio.create_task(one()) for one in (ask_and_cancel_the_next, ask, ask))
        await asyncio.wait_for(third, 10)
        return await asyncio.gather(first, second, return_exceptions=True)

    _, cancelled = asyncio.run(three_ask())
    assert isinstance(cancelled, asyncio.CancelledError)
