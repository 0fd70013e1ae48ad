"""How often a pump reads what a busy command writes a little at a time."""

import asyncio
import contextlib
import os

import pytest

from transmissions.streaming import StreamSource
from transmissions.streaming.outlets import Outlet
from transmissions.streaming.pump import Pump

WRITES = 40


@contextlib.contextmanager
def pumped(rest):
    """Give a pump that reads a pipe, the end to write to, and the pieces it has read."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    pieces = []
    pump = Pump([Outlet(ours, StreamSource.STDOUT)], lambda _, data: pieces.append(data), rest=rest)
    pump.resume()
    try:
        yield pump, theirs, pieces
    finally:
        pump.close()
        os.close(theirs)


async def write_one_by_one(descriptor):
    """Write a little, and let the loop look at it, again and again."""
    for _ in range(WRITES):
        os.write(descriptor, b"line\n")
        for _ in range(4):
            await asyncio.sleep(0)


@pytest.mark.parametrize(("rest", "woken"), [(0.0, WRITES), (3600.0, 33)])
def test_an_outlet_that_gives_little_again_and_again_is_left_alone(rest, woken):
    """If it may be; what comes meanwhile is one piece when the pump looks next."""

    async def read():
        with pumped(rest) as (pump, theirs, pieces):
            await write_one_by_one(theirs)
            before = len(pieces)
            pump.sweep()
            return before, b"".join(pieces), len(pieces) - before

    assert asyncio.run(read()) == (woken, b"line\n" * WRITES, int(woken < WRITES))


def test_an_outlet_that_was_left_alone_is_read_again():
    """When its rest is over, without anybody asking."""

    async def read():
        with pumped(0.001) as (_, theirs, pieces):
            await write_one_by_one(theirs)
            os.write(theirs, b"end")
            while not pieces[-1].endswith(b"end"):
                await asyncio.sleep(0.001)
            return b"".join(pieces)

    assert asyncio.run(asyncio.wait_for(read(), 30)) == b"line\n" * WRITES + b"end"
