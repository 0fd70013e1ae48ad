"""A crawl of 2,000 local pages, against scrapy and crawlee in the same rounds, and against bare aiohttp.

The site is generated, and served by a process of its own at eight addresses of the loopback: articles of 10 to 60 KB with
links, tables and scripts, each 20 ms after it was asked for. Every contestant is a process of its own that is given all URLs,
fetches each once with the same number of requests in flight, and writes a line for each page; no cache, no robots.txt, no
delays, no cookies. The peers take part where they are installed, in this Python or in the one that `--peers` names:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install scrapy 'crawlee[parsel]'
    python benchmarks/crawl.py --peers /tmp/peers/bin/python
    python benchmarks/crawl.py --pages 500 --rounds 1 --parts fetching,reading,queueing

`fetching` compares pages a second (whole processes, and from the first page to the last), CPU for each page, the peak memory
of the process tree, and when the first page was there; the best of the rounds counts. `reading` is the same crawl with each
page read as an article. `queueing` is the memory that 100,000 URLs take which wait for their turn.

Exit code 1 says that a limit is missed: pages a second of scrapy; 180 % of one core used while pages are read, on two cores
or more, or waited for while others had them; 32 MiB for the queue.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from process_tree import resident, tree

HOSTS, QUEUED, LINKS = 8, 100_000, 10_000
HERE = Path(__file__).resolve().parent
OURS, BARE = "trans run", "aiohttp, bare"
CPU, MEMORY = 180.0, 32.0
APP = """@prefix : <http://purl.org/stuff/transmissions/> .
:crawl a :EntryTransmission ; :pipe ( :admit %s :report :note ) .
:admit a :CrawlFrontier ; :mostAtOnce 256 ; :perHost 256 ; :settings :network ; :state "crawl.db" .
:fetch a :PageFetch ; :concurrency 64 ; :ordered false ; :perHost 256 ; :settings :network .
:gate a :RenderGate .
:probe a :PageExtract ; :concurrency 64 ; :ordered false ; :probe true .
:extract a :PageExtract ; :concurrency 64 ; :ordered false .
:score a :PageScore .
:report a :CrawlReport .
:note a :Note .
:network :allow "127.0.0.0/8" .
"""
READING = ":fetch :gate :probe :extract :score"
NOTE = '''
import time
from transmissions import Processor


class Note(Processor):
    """Write a line for each page."""

    async def __aenter__(self):
        self.file = open(self.context.output_path("pages.txt"), "w", encoding="utf-8")
        return self

    async def __aexit__(self, *exc):
        self.file.close()

    def process(self, message):
        page = message["result"]
        self.file.write(f"{time.time()} {page['url']} {page['status']} {page['bytes']}\\n")
'''


@contextlib.contextmanager
def site():
    """Give the port of a server of the site while the block lasts."""
    process = subprocess.Popen([sys.executable, "-P", str(HERE / "crawl_site.py")], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def urls_of(port, pages):
    """Return the URLs of the site."""
    return [f"http://127.0.0.{number % HOSTS + 2}:{port}/p/{number}" for number in range(pages)]


class Figures(NamedTuple):
    """Of one run: seconds, bytes, and the share of one core in percent."""

    wall: float
    paged: float
    """Seconds from the first page to the last."""
    first: float
    cpu: float
    used: float
    waited: float
    """For a core that another had."""
    peak: int


def tree_of(pid):
    """Return the resident bytes of a process and all below it, and for how long they had a core, and waited for one."""
    pids = tree(pid)
    times = [times_of(one) for one in pids]
    return resident(pids), sum(time[0] for time in times), sum(time[1] for time in times)


def times_of(pid):
    """Return for how many seconds the threads of a process had a core, and for how many they waited for one."""
    ran = waited = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError):
            run, wait, _ = thread.read_text().split()
            ran, waited = ran + int(run), waited + int(wait)
    return ran / 1e9, waited / 1e9


def measure(command, output, pages):
    """Run a contestant, and return its figures."""
    began, since, peak, samples = time.time(), os.times(), 0, []
    said = output.with_suffix(".txt")
    with said.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=output.parent)
        while process.poll() is None:
            size, ran, waited = tree_of(process.pid)
            peak = max(peak, size)
            samples.append((time.time(), ran, waited))
            time.sleep(0.03)
    wall, ended = time.time() - began, os.times()
    if process.returncode:
        sys.exit(f"{command[:6]} ended with {process.returncode}: {said.read_text()[-2000:]}")
    lines = [line.split() for line in (output / "pages.txt").read_text(encoding="utf-8").splitlines()]
    if len({line[1] for line in lines if line[2] == "200" and int(line[3]) > 5000}) != pages or len(lines) != pages:
        sys.exit(f"{command[:4]} has {len(lines)} pages, not {pages}: {said.read_text()[-2000:]}")
    first, last = float(lines[0][0]), float(lines[-1][0])
    cpu = ended.children_user + ended.children_system - since.children_user - since.children_system
    return Figures(wall, last - first, first - began, cpu, *shares(samples, first, last), peak)


def shares(samples, first, last):
    """Return what share of a core was used while pages came, and what more would have been, in percent."""
    inside = [sample for sample in samples if first <= sample[0] <= last]
    if len(inside) < 2:
        return 0.0, 0.0
    took, ran, waited = (after - before for before, after in zip(inside[0], inside[-1], strict=True))
    return 100 * ran / took, 100 * waited / took


class Course:
    """A site and a folder to work in."""

    def __init__(self, folder, port, chosen):
        self.folder, self.chosen, self.turn = folder, chosen, 0
        self.asked = folder / "asked.json"
        self.urls = urls_of(port, chosen.pages)
        self.asked.write_text(json.dumps({"urls": self.urls}), encoding="utf-8")
        (folder / "processors").mkdir()
        (folder / "processors" / "note.py").write_text(NOTE)
        for name, steps in {"fetching": ":fetch", "reading": READING}.items():
            (folder / "apps" / name).mkdir(parents=True)
            (folder / "apps" / name / "transmissions.ttl").write_text(APP % steps)

    def ours(self, name, message, output):
        """Return the command of an app of ours."""
        app = str(self.folder / "apps" / name)
        words = ["run", "--quiet", app, "-m", json.dumps(message), "-o", str(output)]
        return [sys.executable, "-P", "-m", "transmissions", *words]

    def crawl(self, name, at_once):
        """Measure a crawl of ours with so many at once."""
        output = self.next()
        options = {"concurrency": at_once, "cache_mode": "bypass", "headless": "never"}
        return measure(self.ours(name, {"urls": self.urls, "options": options}, output), output, len(self.urls))

    def other(self, name, at_once):
        """Measure another."""
        output = self.next()
        python = sys.executable if name == BARE else self.chosen.peers
        command = [python, "-P", str(HERE / "crawl_peers.py"), name, str(self.asked), str(at_once), str(output)]
        return measure(command, output, len(self.urls))

    def next(self):
        """Return an output folder that is not there yet."""
        self.turn += 1
        return self.folder / f"output-{self.turn}"


def best(runs):
    """Return the best of each figure, and the largest memory."""
    low = [min(column) for column in zip(*runs, strict=True)]
    most = max(runs, key=lambda run: run.used + run.waited)
    return Figures(*low[:4], most.used, most.waited, max(run.peak for run in runs))


def show(found, pages, baseline):
    """Print a table, with the baseline's pages a second as 1."""
    print(f"  {'':16}{'pages/s':>9}{'':>8}{'first to last':>15}{'':>8}{'CPU':>12}{'used':>8}{'peak':>11}{'first page':>13}")
    base = found[baseline]
    for name, one in found.items():
        print(
            f"  {name:16}{pages / one.wall:9.0f}{base.wall / one.wall:6.2f} x{pages / one.paged:15.0f}"
            f"{base.paged / one.paged:6.2f} x{one.cpu / pages * 1000:9.2f} ms{one.used:6.0f} %{mib(one.peak):7.0f} MiB"
            f"{one.first * 1000:10.0f} ms"
        )


def fetching(course, installed):
    """Compare fetching alone; return whether the limits hold."""
    holds = True
    for at_once in course.chosen.at_once:
        runs = {OURS: lambda at_once=at_once: course.crawl("fetching", at_once)}
        for name in (BARE, *installed):
            runs[name] = lambda name=name, at_once=at_once: course.other(name, at_once)
        found = {name: [] for name in runs}
        for _ in range(course.chosen.rounds):
            for name, run in runs.items():
                found[name].append(run())
        figures = {name: best(rounds) for name, rounds in found.items()}
        baseline = "scrapy" if "scrapy" in figures else OURS
        print(f"\n{course.chosen.pages} pages, {at_once} at once, fetched; x is against {baseline}")
        show(figures, course.chosen.pages, baseline)
        peer = figures[baseline]
        good = figures[OURS].wall <= peer.wall and figures[OURS].paged <= peer.paged
        holds &= good
        print("" if good else "  FEWER PAGES A SECOND THAN SCRAPY")
    return holds


def reading(course):
    """Crawl and read; return whether the limits hold."""
    at_once = course.chosen.at_once[0]
    figures = best([course.crawl("reading", at_once) for _ in range(min(2, course.chosen.rounds))])
    print(f"\n{course.chosen.pages} pages, {at_once} at once, read as articles")
    show({OURS: figures}, course.chosen.pages, OURS)
    good = figures.used + figures.waited >= CPU or (os.cpu_count() or 1) < 2
    told = f"{figures.used:.0f} % of a core used while pages came, and {figures.waited:.0f} % waited for"
    print(f"  {told} (together at least {CPU:.0f} %){'' if good else '  TOO LITTLE'}")
    return good


def waiting(course, hubs, options, count):
    """Return the resident bytes of a crawl's own process when all it has found waits: the peak, and then."""
    output = course.next()
    with site() as port:
        urls = [f"http://127.0.0.2:{port}/hub/{hub}" for hub in hubs]
        fixed = {"concurrency": 1, "cache_mode": "bypass", "headless": "never", "max_depth": 1, "max_pages": 2 * QUEUED}
        command = course.ours("reading", {"urls": urls, "options": fixed | options}, output)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until_idle(process.pid)
            status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
        finally:
            process.kill()
            process.wait()
    with contextlib.closing(sqlite3.connect(output / "crawl.db")) as base:
        (known,) = base.execute("SELECT count(*) FROM page").fetchone()
    assert known >= count, f"{known} URLs were queued, not {count}"
    return tuple(int(status[name].split()[0]) * 1024 for name in ("VmHWM", "VmRSS"))


def until_idle(pid):
    """Wait until a process and those below it have done nothing for a while."""
    before, since = 0.0, time.monotonic()
    while time.monotonic() - since < 2:
        time.sleep(0.1)
        _, now, _ = tree_of(pid)
        if now - before > 0.02:
            before, since = now, time.monotonic()


def queueing(course):
    """Measure what URLs that wait take; return whether the limit holds."""
    ways = {
        "100 links": (["0+100"], {}, 100),
        f"{QUEUED:,} links": ([f"{first}+{LINKS}" for first in range(0, QUEUED, LINKS)], {}, QUEUED),
        f"sitemaps of {QUEUED:,} pages": (["0+1"], {"sitemaps": True}, QUEUED),
    }
    print("\nURLs that wait: memory of the process")
    found = {name: waiting(course, *way) for name, way in ways.items()}
    base = found["100 links"]
    for name, (peak, now) in found.items():
        peaks, rest = (
            f"{mib(peak):7.1f} MiB peak {mib(peak - base[0]):+6.1f}",
            f"{mib(now):9.1f} MiB then {mib(now - base[1]):+6.1f}",
        )
        print(f"  {name:30}{peaks}{rest}")
    more = mib(max(peak for peak, _ in found.values()) - base[0])
    good = more <= MEMORY
    print(f"  {more:.1f} MiB more for {QUEUED:,} (at most {MEMORY:.0f}){'' if good else '  TOO MUCH'}")
    return good


def mib(count):
    """Return bytes in MiB."""
    return count / 2**20


def installed_for(python):
    """Return the names of the peers that a Python has."""
    found = "import importlib.util as u; print(*(n for n in ('scrapy', 'crawlee') if u.find_spec(n)))"
    return subprocess.run([python, "-c", found], check=True, capture_output=True, text=True).stdout.split()


def main(argv=None):
    """Measure, print the tables, and say whether all limits hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="one that has scrapy and crawlee")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=lambda text: [int(one) for one in text.split(",")], default=[16, 32])
    parser.add_argument("--parts", default="fetching,reading,queueing")
    chosen = parser.parse_args(argv)
    parts, holds = chosen.parts.split(","), True
    with tempfile.TemporaryDirectory(prefix="crawl-") as name, site() as port:
        course = Course(Path(name), port, chosen)
        if "fetching" in parts:
            course.crawl("fetching", 32)  # so that the plans are cached
            holds &= fetching(course, installed_for(chosen.peers))
        if "reading" in parts:
            holds &= reading(course)
        if "queueing" in parts:
            holds &= queueing(course)
    print("\nall limits hold" if holds else "\nnot every limit holds")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
