"""The processes that read pages."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crawled_pages import asked, body_of, fetched
from waiting import eventually

from transmissions.processors.crawl_extract import PageExtract
from transmissions.processors.crawl_page import PageFault
from transmissions.processors.page_workers import Limits, page_workers
from transmissions.testing import through

LIMITS = Limits(2, 30, 512 << 20)
SLOW = b"<ul><li>" * 1_000_000
BOMBS = {
    "nested elements": "<div>" * 200_000,
    "100,000 attributes": "<p " + " ".join(f"a{number}=1" for number in range(100_000)) + ">x",
    "tables in tables": "<table><tr><td>" * 60_000,
    "entities": "&lt;" * 300_000,
    "open forms": "<form>" * 150_000,
    "comments without end": "<!--" * 200_000,
    "scripts without end": "<script>" * 100_000,
    "angles": "<" * 1_000_000,
    "lists in lists": "<ul><li>" * 20_000 + "end",
}
TEXT_BOMBS = {
    "brackets": "[" * 500_000,
    "links without end": "[a](" * 200_000,
    "fences": "`" * 500_000,
    "empty lines": "\n \n" * 200_000 + "x",
    "digits": "1" * 1_000_000,
}


@pytest.fixture(autouse=True)
def _kept_workers():
    """Let each test here begin and end its own processes, which it is about."""


def is_running(pid):
    """Tell whether there is a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(condition):
    """Wait for something that comes soon."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


def using(work, limits=LIMITS):
    """Return what work gives that gets the processes."""

    async def go():
        async with page_workers(limits) as workers:
            return await work(workers)

    return asyncio.run(go())


async def fault_of(workers, **page):
    """Return the code of what goes wrong with a page."""
    with pytest.raises(PageFault) as caught:
        await workers.read(asked(**page))
    return caught.value.code


def busy(workers):
    """Begin to read a page that takes long."""
    return asyncio.ensure_future(workers.read(asked(SLOW)))


def test_pages_are_read_side_by_side_in_few_processes():
    """As many processes as allowed read many pages, and each page has its own text."""

    async def work(workers):
        pages = await asyncio.gather(*(workers.read(asked(f"<p>page {number}".encode())) for number in range(20)))
        return [page["document"]["text"] for page in pages], len(workers.pids)

    assert using(work) == ([f"page {number}" for number in range(20)], 2)


def test_pf12_the_loop_has_its_turns_while_a_page_is_read():
    """A page that takes seconds is read in a process of its own, and everything else goes on meanwhile."""

    async def work(workers):
        page, turns = busy(workers), 0
        while turns < 20 and not page.done():
            await asyncio.sleep(0.01)
            turns += 1
        page.cancel()
        return turns, os.getpid() in workers.pids

    assert using(work) == (20, False)


def test_a_page_that_takes_too_long_is_stopped():
    """At its time limit the process of a page is killed, and the next page is read by another (LIMIT_TIME)."""

    async def work(workers):
        (before,) = workers.pids
        code = await fault_of(workers, body=SLOW)
        read = await workers.read(asked(b"<p>x"))
        return code, read["document"]["text"], workers.pids != [before], is_running(before)

    assert using(work, LIMITS._replace(workers=1, seconds=2)) == ("LIMIT_TIME", "x", True, False)


def test_a_page_that_takes_too_much_memory_is_stopped():
    """A page gets no more memory than it may have, and the next one is read by another process (LIMIT_MEMORY)."""

    async def work(workers):
        (before,) = workers.pids
        code = await fault_of(workers, body=b"x " * (20 << 20), content_type="text/plain")
        read = await workers.read(asked(b"<p>x"))
        return code, read["document"]["text"], workers.pids != [before]

    assert using(work, LIMITS._replace(workers=1, memory=32 << 20)) == ("LIMIT_MEMORY", "x", True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGSEGV, "PARSE_FAILED"), (signal.SIGKILL, "LIMIT_MEMORY")])
def test_a_process_that_dies_costs_its_page(number, code):
    """A crash is the fault of its page; a process the system kills had too much memory; the other page is read."""

    async def work(workers):
        await workers.read(asked(b"<p>x"))
        (pid,) = workers.pids
        reading, other = busy(workers), asyncio.ensure_future(workers.read(asked(b"<p>x")))
        await until(lambda: len(workers.pids) == 2)
        os.kill(pid, number)
        with pytest.raises(PageFault) as caught:
            await reading
        return caught.value.code, (await other)["document"]["text"]

    assert using(work) == (code, "x")


def test_a_process_that_died_while_idle_costs_nothing():
    """The next page is read by another."""

    async def work(workers):
        await workers.read(asked(b"<p>x"))
        os.kill(workers.pids[0], signal.SIGKILL)
        await until(lambda: not is_running(workers.pids[0]))
        return (await workers.read(asked(b"<p>y")))["document"]["text"]

    assert using(work) == "y"


def test_who_is_cancelled_has_nothing_work_for_it():
    """The process that reads for a cancelled task is killed."""

    async def work(workers):
        reading = busy(workers)
        await asyncio.sleep(0)
        pids = workers.pids
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        return len(pids), any(map(is_running, pids))

    assert using(work) == (1, False)


def test_runs_share_processes():
    """Who asks for the same limits gets the same processes; they end when the last user has left."""

    async def go():
        async with page_workers(LIMITS) as one:
            async with page_workers(LIMITS) as other, page_workers(LIMITS._replace(seconds=1)) as apart:
                shared = one is other, one is apart
            pids = one.pids
            alive = all(map(is_running, pids))
        return shared, alive, any(map(is_running, pids)), len(pids)

    assert asyncio.run(go()) == ((True, False), True, False, 1)


def test_processes_can_be_kept():
    """With a time to keep them, the processes wait that long for the next user."""
    kept = LIMITS._replace(kept=2.0)

    async def go():
        async with page_workers(kept) as workers:
            pids = workers.pids
        async with page_workers(kept) as again:
            same = again.pids == pids
        await until(lambda: not any(map(is_running, pids)))
        return same

    assert asyncio.run(go())


def test_what_is_kept_ends_with_its_loop():
    """However long it was to be kept."""

    async def use(limits):
        async with page_workers(limits) as workers:
            return workers.pids

    assert not any(map(is_running, asyncio.run(use(LIMITS._replace(kept=60.0)))))


def test_processes_do_not_see_the_keys_of_the_environment(monkeypatch):
    """What Python needs is handed on, and nothing else."""
    monkeypatch.setenv("SOME_API_KEY", "secret")

    async def work(workers):
        await workers.read(asked(b"<p>x"))
        return Path(f"/proc/{workers.pids[0]}/environ").read_bytes()  # noqa: ASYNC240 - it is no file

    assert b"secret" not in using(work)


def test_a_library_that_is_broken_is_a_fault_of_its_pages(tmp_path, monkeypatch, capfd):
    """Each says what is wrong with it, and nothing else is printed."""
    (tmp_path / "trafilatura.py").write_text("raise ImportError('it wants another lxml')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [page] = through(PageExtract(workers=1), [fetched(body_of("blog"))])
    said = "a library that reads pages does not work here: ImportError: it wants another lxml"
    assert (page["fault"]["error_code"], page["fault"]["message"]) == ("PARSE_FAILED", said)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("mode", ["article", "full"])
def test_no_page_hangs(mode):
    """Pages made to take for ever are read, or end at the limit."""
    bombs = [fetched(bomb.encode()) for bomb in BOMBS.values()]
    pages = through(PageExtract(workers=2, extraction=mode, time_limit=10_000), bombs, concurrency=2, ordered=False)
    assert len(pages) == len(BOMBS)
    assert all("document" in page or page["fault"]["error_code"] in {"LIMIT_TIME", "LIMIT_MEMORY"} for page in pages)


@pytest.mark.parametrize("kind", ["text/plain", "text/markdown", "application/json"])
def test_text_takes_no_longer_than_it_is_long(kind):
    """What is no HTML is read in a second or two, whatever is in it."""
    bombs = [fetched(bomb.encode(), content_type=kind) for bomb in TEXT_BOMBS.values()]
    assert all("document" in page for page in through(PageExtract(workers=2, time_limit=15_000), bombs, concurrency=2))


def test_a_limit_is_a_fault_of_the_page():
    """The page says which limit it was, and the run goes on (LIMIT_TIME)."""
    slow, quick = through(PageExtract(workers=1, time_limit=2000), [fetched(SLOW), fetched(body_of("blog"))])
    assert slow["fault"]["error_code"] == "LIMIT_TIME"
    assert slow["fault"]["message"] == "it was not read within 2 s (:timeLimit)"
    assert quick["document"]["title"] == "How we moved the archive"


OWNER = """
import asyncio, sys
sys.path.insert(0, "tests")
from crawled_pages import asked
from transmissions.processors.page_workers import Limits, page_workers

async def main():
    async with page_workers(Limits(2, 60, 512 << 20)) as workers:
        await workers.read(asked(b"<p>x"))
        reading = asyncio.ensure_future(workers.read(asked(b"<ul><li>" * 1_000_000)))
        await asyncio.sleep(0)
        idle = asyncio.ensure_future(workers.read(asked(b"<p>x")))
        await idle
        print(*workers.pids, flush=True)
        await reading

asyncio.run(main())
"""


def test_no_process_outlives_its_owner():
    """When the owner is killed, its processes end at once, also one in the middle of a page."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
    pids = [int(word) for word in owner.stdout.readline().split()]
    owner.kill()
    owner.communicate()
    assert len(pids) == 2
    assert eventually(lambda: not any(map(is_running, pids)))
