"""What those who work in one event loop share."""

from __future__ import annotations

import asyncio

from transmissions.processors.shared import lent, of_loop


def test_what_is_of_a_loop_is_made_once_in_it():
    """All who ask in one loop get the same thing, and those in another loop another one."""

    async def two() -> list[list[int]]:
        return [of_loop("numbers", list), of_loop("numbers", list)]

    one, same = asyncio.run(two())
    assert one is same
    assert asyncio.run(two())[0] is not one


def test_what_is_lent_ends_with_its_last_user():
    """While somebody has it others get the same; it is ended once, and whoever comes later gets another one."""
    ended: list[object] = []

    async def end(thing: object) -> None:
        ended.append(thing)

    async def use() -> None:
        async with lent("thing", object, end) as first:
            async with lent("thing", object, end) as second:
                assert first is second
            assert ended == []
        assert ended == [first]
        async with lent("thing", object, end) as third:
            assert third is not first

    asyncio.run(use())
    assert len(ended) == 2
