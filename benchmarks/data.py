"""The processors of tabular data against plain loops of the standard library: time as a ratio, and memory.

Each part runs in a process of its own, once as the baseline and once through the engine; the table shows the time of both, the
ratio, and by how much memory grew beyond what it was before the part began. With `--full` it is CSV of 100 MB, 10^6 rows of a
database, and a sort of about 1 GB. Exit code 1 says that a limit was exceeded.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import multiprocessing
import random
import resource
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from transmissions import Processor, Source
from transmissions.processors.csv_files import CSVReader
from transmissions.processors.database_reader import DatabaseReader
from transmissions.processors.sort import Order, Sort
from transmissions.testing import bench

MIB = 2**20
LIMITS = {"CSVReader": (2.2, 16), "DatabaseReader": (3.5, 24), "Sort": (7.5, 0)}
"""By part: how many times as long as the baseline it may take, and by how many MiB memory may grow (Sort: see below)."""
SORT = 32 * MIB
QUERY = "SELECT * FROM item"


class Drop(Processor):
    """Drop every message, and remember how many there were."""

    def __post_init__(self):
        """Begin at none."""
        self.count = 0

    def process_batch(self, messages):
        """Drop them."""
        self.count += len(messages)
        return []


class Draw(Source):
    """Make messages of about 250 bytes with a number by chance."""

    count: int

    def produce(self, message):
        """Yield them."""
        yield from drawn(self.count)


def drawn(count):
    """Make what is sorted."""
    draw = random.Random(1)
    for number in range(count):
        yield {"id": number, "rank": draw.random(), "text": f"{number:>200}"}


def csv_data(folder, count):
    with (folder / "in.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "name", "city", "price", "note"])
        rows.writerows(
            [n, f"name {n}", f"city, {n % 100}", n * 1.5, "some words of a note that says little"] for n in range(count)
        )


def csv_baseline(folder, count):
    with (folder / "in.csv").open(newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def database_data(folder, count):
    with closing(sqlite3.connect(folder / "in.db")) as database, database:
        database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, note TEXT)")
        rows = ((n, f"name {n}", n * 1.5, "some words of a note that says little") for n in range(count))
        database.executemany("INSERT INTO item VALUES (?, ?, ?, ?)", rows)


def database_baseline(folder, count):
    with closing(sqlite3.connect(folder / "in.db")) as database:
        database.row_factory = sqlite3.Row
        return sum(1 for row in database.execute(QUERY) if dict(row))


def sort_baseline(folder, count):
    return len(sorted(drawn(count), key=lambda message: message["rank"]))


def nothing(folder, count):
    """Prepare no file."""


PARTS = {
    "CSVReader": (csv_data, csv_baseline, lambda _: [CSVReader(source_file="in.csv")]),
    "DatabaseReader": (database_data, database_baseline, lambda _: [DatabaseReader(url="sqlite:///in.db", query=QUERY)]),
    "Sort": (
        nothing,
        sort_baseline,
        lambda count: [Draw(count=count), Sort(by=(Order(path="rank", compare="number"),), memory=SORT)],
    ),
}


async def through_engine(folder, steps):
    drop = Drop()
    run = bench([*steps, drop], [{}], folder)
    async with run:
        await run.wait()
    return drop.count


def rss() -> int:
    """Return the most memory this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(name, folder, count, is_baseline):
    """Run one way of a part; return its seconds and by how many MiB memory grew."""
    _, baseline, steps = PARTS[name]
    asyncio.run(through_engine(folder, [Draw(count=10)]))  # What is imported once is not what is measured.
    if name == "DatabaseReader":
        import sqlalchemy  # noqa: F401
    before, began = rss(), time.perf_counter()
    done = baseline(folder, count) if is_baseline else asyncio.run(through_engine(folder, steps(count)))
    assert done == count, f"{name}: {done} of {count}"
    return time.perf_counter() - began, (rss() - before) / MIB


def main() -> int:
    """Measure all parts and say whether they kept their limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="much data instead of a few seconds' worth")
    full = parser.parse_args().full
    counts = {"CSVReader": 1_400_000, "DatabaseReader": 1_000_000, "Sort": 4_000_000}
    kept = True
    print(f"{'':16}{'rows':>9}{'baseline':>10}{'engine':>9}{'ratio':>7}{'limit':>7}{'grew by':>11}{'limit':>9}")
    spawn = multiprocessing.get_context("spawn")
    for name, (prepare, *_) in PARTS.items():
        count = counts[name] if full else counts[name] // 10
        ratio_limit, growth_limit = LIMITS[name]
        growth_limit += 2.2 * SORT / MIB if name == "Sort" else 0
        with tempfile.TemporaryDirectory() as folder, spawn.Pool(1, maxtasksperchild=1) as pool:
            prepare(Path(folder), count)
            base, _ = pool.apply(measure, (name, Path(folder), count, True))
            seconds, growth = pool.apply(measure, (name, Path(folder), count, False))
        kept = kept and seconds / base <= ratio_limit and growth <= growth_limit
        times = f"{base:8.2f} s{seconds:7.2f} s{seconds / base:7.2f}{ratio_limit:7.2f}"
        print(f"{name:16}{count:9}{times}{growth:7.1f} MiB{growth_limit:5.0f} MiB")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
