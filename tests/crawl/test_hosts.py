"""Whose turn it is to ask a host."""

import asyncio
import itertools

import pytest

from transmissions.processors import hosts as politeness
from transmissions.processors.hosts import Away, Busy, Hosts


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


def test_a_host_that_is_not_to_be_reached_is_left_alone_for_a_while(monkeypatch):
    """After ten times in a row; once it was reached, or some time has passed, it is asked again."""
    monkeypatch.setattr(politeness, "_AWAY", 0.05)

    async def work():
        hosts, told = Hosts(), []
        for number in range(25):
            try:
                async with hosts.turn("a", 1):
                    (hosts.reached if number == 5 else hosts.missed)("a")
            except Away:
                told.append(number)
        await asyncio.sleep(0.06)
        async with hosts.turn("a", 1):
            return told

    assert asyncio.run(asyncio.wait_for(work(), 10)) == list(range(16, 25))


def test_a_crawl_delay_holds_for_all_who_ask():
    """Two crawls of one process ask one host no closer together than it wants, and no more at once than each allows."""

    async def work():
        hosts, begun, most = Hosts(), [], 0
        hosts.pace("a", 0.03)

        async def ask():
            nonlocal most
            async with hosts.turn("a", 2):
                begun.append(asyncio.get_running_loop().time())
                most = max(most, hosts._known("a").busy)
                await asyncio.sleep(0.05)

        await asyncio.gather(*(ask() for _ in range(6)))
        return begun, most

    begun, most = asyncio.run(asyncio.wait_for(work(), 10))
    assert most == 2
    assert all(later - earlier >= 0.029 for earlier, later in itertools.pairwise(begun))


def test_a_host_that_wants_a_long_delay_is_waited_for():
    """Patience is for pauses that a host asks for in an answer; how far apart requests are kept is no matter of it."""

    async def work():
        hosts = Hosts()
        hosts.pace("a", 0.05)
        for number in range(3):
            async with hosts.turn("a", 1, patience=0.01):
                last = number
        return last

    assert asyncio.run(asyncio.wait_for(work(), 10)) == 2


def test_a_host_that_asks_for_a_pause_has_it():
    """Who would have to wait longer than it is ready to is told at once how long that would be."""

    async def work():
        hosts = Hosts()
        hosts.hold("a", 50)
        async with hosts.turn("b", 1):
            pass
        async with hosts.turn("a", 1, patience=10):
            pass

    with pytest.raises(Busy) as busy:
        asyncio.run(work())
    assert 49 < busy.value.seconds <= 50
