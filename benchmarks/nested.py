"""ForEach in ForEach in ForEach, closed again by Accumulate and Unfork: 100 x 100 x 100 items, and the memory they take.

Each inner group is collected into its outer item, so at the end one message holds all items, in lists in lists. That is part of
the memory that counts: all the run needs over what Python and the engine take before it. Exit code 1 says that a count is wrong
or that the memory went over its bound.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from transmissions import Processor
from transmissions.processors.flow import Accumulate, ForEach, Unfork
from transmissions.testing import bench

if TYPE_CHECKING:
    from transmissions import Message

MOST = 32 * 2**20
DEEP = 3


class Rise(Processor):
    """Count what comes by, and remember how much memory there was at most."""

    def __post_init__(self):
        """Begin with nothing."""
        self.seen, self.highest = 0, 0

    def process(self, message: Message) -> Message:
        """Look at memory now and then."""
        self.seen += 1
        if self.seen % 1000 == 1:
            self.highest = max(self.highest, rss())
        return message


def rss() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def count(found: object) -> int:
    """Count the texts in lists in lists."""
    return sum(map(count, found)) if isinstance(found, list) else 1


def loops() -> tuple[list[Processor], list[Processor]]:
    """Return the steps that open three groups, and those that close them again."""
    opened = [step for level in range(DEEP) for step in (ForEach(for_each=f"list{level}"), Rise())]
    closed: list[Processor] = []
    source = "currentItem"
    for level in reversed(range(DEEP)):
        target = f"found{level}"
        closed += [Accumulate(accumulator_type="array", source_field=source, target_field=target), Unfork()]
        source = target
    return opened, closed


async def measure(width: int, folder: Path) -> bool:
    """Run the three loops; say whether the counts and the memory are right."""
    opened, closed = loops()
    base = rss()
    message = {f"list{level}": [f"item {number}" for number in range(width)] for level in range(DEEP)}
    began = time.perf_counter()
    run = bench([*opened, *closed], [message], folder)
    async with run:
        results = [one["found0"] async for one in run]
    seconds = time.perf_counter() - began
    rises = [step for step in opened if isinstance(step, Rise)]
    most = max(rss(), *(step.highest for step in rises)) - base
    seen, collected = [step.seen for step in rises], list(map(count, results))
    print(f"{' x '.join([str(width)] * DEEP)}: items seen {seen}, collected {collected}, in {seconds:.1f} s")
    print(f"memory over the {base / 2**20:.0f} MiB before: {most / 2**20:.1f} MiB; the bound is {MOST / 2**20:.0f}")
    return seen == [width**level for level in range(1, DEEP + 1)] and collected == [width**DEEP] and most <= MOST


def main() -> int:
    """Run it and say whether all held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=100, help="items of every list (default 100)")
    width = parser.parse_args().width
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(measure(width, Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
