"""A fast source of 1 KB messages into a slow sink: no buffer above its bound, and memory that stands still.

With `--full` it is 10^6 messages into a sink of 50 microseconds each. A second run lets 1 % of the messages fail and drops
some, and accounts for every id: in = out + dropped + dead letters. Exit code 1 says that something did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from transmissions import Processor, Source
from transmissions.testing import bench

SINK = 50e-6
GROWTH = 16 * 1024 * 1024
ITEMS, SIZE = 256, 128 * 1024


class Letters(Source):
    """Make messages of about 1 KB."""

    count: int

    def produce(self, message):
        """Yield them."""
        for number in range(self.count):
            yield {"id": number, "text": f"{number:>1000}"}


class Tired(Processor):
    """Take 50 microseconds for each message, and look at memory meanwhile."""

    count: int

    def __post_init__(self):
        """Begin with no sample."""
        self.low, self.high = sys.maxsize, 0
        self._seen = 0

    def process(self, message):
        """Work without giving way, as a real sink would."""
        until = time.perf_counter() + SINK
        self._seen += 1
        if self._seen >= self.count // 10 and self._seen % 1000 == 0:
            resident = rss()
            self.low, self.high = min(self.low, resident), max(self.high, resident)
        while time.perf_counter() < until:
            pass


class Choosy(Processor):
    """Fail on one message in a hundred, drop one in thirteen."""

    def process(self, message):
        """Fail, drop or pass."""
        if message["id"] % 100 == 0:
            raise ValueError("one in a hundred")
        return None if message["id"] % 13 == 0 else message


def rss() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def steady(count: int, folder: Path) -> bool:
    """Run source, buffer and sink; say whether memory and buffers kept their bounds."""
    sink = Tired(count=count)
    run = bench([Letters(count=count), sink], [{}], folder, buffer={"max_items": ITEMS, "max_buffer_size": SIZE})
    async with run:
        await run.wait()
    growth = sink.high - sink.low
    print(f"{count} messages of 1 KB: memory between 10 % and 100 % of the run grew by {growth / 2**20:.1f} MiB")
    kept = True
    for name, figures in run.snapshot()["buffers"].items():
        print(f"  {name}: at most {figures['peakItems']} messages, {figures['maxBufferUsage']} bytes; bounds {ITEMS}, {SIZE}")
        kept = kept and figures["peakItems"] <= ITEMS and figures["maxBufferUsage"] <= SIZE
    return kept and growth <= GROWTH


async def accounted(count: int, folder: Path) -> bool:
    """Run with failures; say whether every id came out, was dropped, or is in the dead-letter file."""
    run = bench([Letters(count=count), Choosy()], [{}], folder, on_error="deadLetter")
    async with run:
        out = {message["id"] async for message in run}
    with (folder / "dead-letters.ndjson").open() as file:
        dead = {json.loads(line)["message"]["id"] for line in file}
    dropped = {number for number in range(count) if number % 13 == 0 and number % 100}
    counts = run.snapshot()["nodes"]["test/Choosy"]
    print(f"{count} in = {len(out)} out + {counts['dropped']} dropped + {len(dead)} dead letters")
    apart = not (out & dead) and len(out) + len(dead) + len(dropped) == count
    return apart and out | dead | dropped == set(range(count)) and counts["dropped"] == len(dropped)


def main() -> int:
    """Run both and say whether all held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="10^6 messages instead of 50,000")
    count = 1_000_000 if parser.parse_args().full else 50_000
    with tempfile.TemporaryDirectory() as folder:
        held = [asyncio.run(work(count, Path(folder))) for work in (steady, accounted)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
