"""Where pages are kept: in a file, in memory, in Redis; how much of them; and what a crawl does without."""

import asyncio
import contextlib
import re
import resource
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from cached_pages import URL, Origin, are_cached, figures, visit

from transmissions import ConfigError, RunError, Secret, UsageError, run
from transmissions.processors.page_cache import PageRecall, PageRemember
from transmissions.processors.page_stores import MEMORY, FileStore, Limits, MemoryStore, RedisStore, store_at

LIMITS = Limits(bytes=1000, entries=4, milliseconds=60_000)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Keep pages in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "transmissions"


@pytest.fixture(scope="module")
def redis():
    """Serve what Redis would, and return its URL."""
    fakeredis = pytest.importorskip("fakeredis")
    with fakeredis.TcpFakeServer(("127.0.0.1", 0), server_type="redis") as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        server.shutdown()
        thread.join()


async def _use(store, rows):
    evicted = [await store.put(key, stored, entry) for key, stored, entry in rows]
    found = {key: await store.get(key) for key, _, _ in rows}
    await store.close()
    return evicted, found


@pytest.mark.parametrize("kind", ["file", "memory", "redis"])
def test_a_store_keeps_the_latest_entry_of_a_key(tmp_path, redis, kind):
    """CA-07: whatever the store, an entry is there as it was put there, until another takes its place; no key is strange."""
    place = {"file": str(tmp_path / "pages.db"), "memory": MEMORY, "redis": redis}[kind]
    rows = [("a", 1.0, b"old"), ("a", 2.0, b"\0new"), ("ключ:%00'\"*", 3.0, b"")]
    _, found = asyncio.run(_use(store_at(place, LIMITS), rows))
    assert found == {"a": b"\0new", "ключ:%00'\"*": b""}


@pytest.mark.parametrize("kind", [FileStore, MemoryStore])
@pytest.mark.parametrize(("size", "count"), [(1, 4), (300, 3)])
def test_the_oldest_go(tmp_path, kind, size, count):
    """There are never more entries, nor more bytes, than the limits say, and what had to go is counted."""
    store = kind(tmp_path / "pages.db", LIMITS) if kind is FileStore else kind(LIMITS)
    evicted, found = asyncio.run(_use(store, [(str(n), float(n), b"x" * size) for n in range(9)]))
    assert [key for key, entry in found.items() if entry] == [str(n) for n in range(9 - count, 9)]
    assert sum(evicted) == 9 - count


def test_what_came_of_it_is_counted(tmp_path):
    """The summary tells how many pages were found, kept, left out, and removed to make room."""
    origin = Origin()
    urls = [f"{URL}{n}" for n in range(5)]
    first = figures(tmp_path, origin, *urls, max_entries=3)
    assert first == {"waited": 0, "absent": 5, "stored": 5, "unchanged": 0, "evicted": 2}
    assert figures(tmp_path, origin, *urls, max_entry=9)["too_large"] == 2


def test_redis_forgets_in_time(redis):
    """Entries in Redis go by themselves when they are too old to be asked for on condition."""

    async def look():
        store = store_at(redis, LIMITS)
        assert isinstance(store, RedisStore)
        await store.put("k", 1.0, b"x")
        left = await store._client.pttl("k")
        await store.close()
        return left

    assert 0 < asyncio.run(look()) <= 60_000


def test_redis_keeps_pages(redis):
    """CA-07: with a URL of Redis pages are kept there, for crawls after this one."""
    origin = Origin()
    assert are_cached(visit(origin, store=redis) + visit(origin, store=redis)) == [False, True]


def test_memory_keeps_pages_of_a_loop():
    """CA-07: what is kept in memory is there for the same page later on, and not for another run of Python's loop."""
    origin = Origin()
    assert are_cached(visit(origin, URL, URL, store=MEMORY)) == [False, True]
    assert are_cached(visit(origin, store=MEMORY)) == [False]


def test_the_file_is_its_owners_own(folder):
    """Nobody else can read what was crawled."""
    visit(Origin())
    assert stat.S_IMODE((folder / "pages.db").stat().st_mode) == 0o600


def test_a_file_of_the_output_folder(tmp_path):
    """A file that is named lies in the output folder, and cannot lead out of it."""
    app = tmp_path / "app"
    app.mkdir()
    (app / "transmissions.ttl").write_text(
        "@prefix : <http://purl.org/stuff/transmissions/> .\n:main a :EntryTransmission ; :pipe ( :a :b ) .\n"
        ":a a :PageRecall ; :store 'p.db' .\n:b a :PageRemember ; :store 'p.db' .\n"
    )
    run(str(app), message={"url": URL}, output=tmp_path / "out")
    with pytest.raises(RunError, match="outside the folders"):
        run(str(app), output=tmp_path / "out", settings={"a.store": "../../p.db"})


@pytest.mark.parametrize("spoilt", [b"no database at all" * 100, None])
def test_a_spoilt_file_is_told_once(folder, caplog, spoilt):
    """CA-08: with a file that is none of ours a crawl goes on without a cache, and says so once, with the file's name."""
    folder.mkdir(parents=True)
    if spoilt:
        (folder / "pages.db").write_bytes(spoilt)
    else:
        (folder / "pages.db").mkdir()
    pages = visit(Origin(), *[f"{URL}{n}" for n in range(20)])
    assert are_cached(pages) == [False] * 20
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "pages.db" in caplog.text
    assert "not kept" in caplog.text


def test_a_file_that_breaks_in_the_middle(folder, caplog):
    """CA-08: pages of a file that was damaged are fetched, and it is told once."""
    urls = [f"{URL}{n}" for n in range(40)]
    origin = Origin()
    visit(origin, *urls)
    whole = (folder / "pages.db").read_bytes()
    (folder / "pages.db").write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    assert are_cached(visit(origin, *urls)) == [False] * 40
    assert len(caplog.records) == 1


def test_an_entry_that_is_none(folder):
    """An entry that cannot be read is as if it were not there, and is replaced."""
    origin = Origin()
    visit(origin)
    with sqlite3.connect(folder / "pages.db") as base:
        base.execute("UPDATE page SET entry = ?", (b'{"page": [1]}',))
    base.close()
    assert are_cached(visit(origin) + visit(origin)) == [False, True]


def test_a_server_that_is_not_there(caplog):
    """CA-08: with a server that does not answer every page is fetched, and one warning names it, without its password."""
    pages = visit(Origin(), *[f"{URL}{n}" for n in range(20)], store="redis://:geheim@127.0.0.1:1/0", password=Secret("pw"))
    assert are_cached(pages) == [False] * 20
    assert len(caplog.records) == 1
    assert "127.0.0.1:1" in caplog.text
    assert "geheim" not in caplog.text


def test_a_full_disk(folder, caplog):
    """CA-08: where there is no room a crawl goes on, and what was kept before is still whole."""
    origin = Origin()
    visit(origin)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    try:
        origin.fields = {"extra": "x" * 200_000}
        assert are_cached(visit(origin, *[f"{URL}{n}" for n in range(5)])) == [False] * 5
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(caplog.records) == 1
    assert are_cached(visit(origin)) == [True]


KEEPING = """
import asyncio, sys
from pathlib import Path
from transmissions.processors.page_stores import FileStore, Limits
async def keep():
    store = FileStore(Path(sys.argv[1]), Limits(10**6, 30, 1000))
    sys.stdin.readline()
    for number in range(40):
        await store.put(sys.argv[2] + str(number), float(number), b"x" * 999)
        assert await store.get(sys.argv[2] + str(number)) in (b"x" * 999, None)
    await store.close()
asyncio.run(keep())
"""


def test_two_processes_share_a_file(tmp_path):
    """CA-07: two crawls that begin at once, each in a process of its own, keep their pages in the same file."""
    path = tmp_path / "pages.db"
    words = [sys.executable, "-P", "-c", KEEPING, str(path)]
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(subprocess.Popen([*words, name], stdin=subprocess.PIPE)) for name in "ab"]
        for process in both:
            process.stdin.write(b"\n")
            process.stdin.flush()
    assert [process.returncode for process in both] == [0, 0]
    with sqlite3.connect(path) as base:
        assert base.execute("SELECT entries, bytes FROM held").fetchone() == (30, 30 * 999)
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    base.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/" + "a" * 8000,
        "http://example.com/" + "a/" * 4000 + "?" + "q" * 100,
        "http://bücher.example/über uns?ß=\U0001f600",
        "http://example.com/%00%0d%0aSET%20x?*[]:'\"--",
        "http://[2001:db8::1]:8080/a:b:c",
    ],
)
def test_strange_urls_have_keys(redis, url):
    """CA-02: a key is of ASCII without blanks and at most some hundred letters long, whatever the URL."""
    origin = Origin()
    for store in ("", redis):
        pages = visit(origin, url, store=store) + visit(origin, url, store=store)
        assert are_cached(pages) == [False, True]
        assert re.fullmatch(r"crawl:v1:[!-~]{1,300}:[0-9a-f]{8}", pages[0]["cache_key"])


@pytest.mark.parametrize(
    "url", ["http://a/\r\nb", "http://user@@b/", "http://a:99999/", "http://127.1/", "x" * 9000, "http://\ud800/"]
)
def test_what_is_no_url_passes(url):
    """What cannot be fetched has no key; fetching it says why."""
    (page,) = visit(Origin(), url)
    assert "cache_key" not in page


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"store": "http://x"}, ":store must begin with one of redis://"),
        ({"store": "redis://x:port"}, ":store is no URL"),
        ({"password": Secret("pw")}, "for a :store that is a URL"),
    ],
)
def test_settings_that_cannot_be_meant(settings, said):
    """What can be no store is refused before the run."""
    for kind in (PageRecall, PageRemember):
        with pytest.raises(UsageError, match=said):
            kind(**settings)


def test_bad_settings_are_located(tmp_path):
    """A limit for one page above that for all is told where it stands."""
    (tmp_path / "transmissions.ttl").write_text(
        "@prefix : <http://purl.org/stuff/transmissions/> .\n:main a :EntryTransmission ; :pipe ( :a ) .\n"
        ":a a :PageRecall ;\n    :maxEntry 2000 ; :maxBytes 1000 ."
    )
    with pytest.raises(ConfigError) as raised:
        run(str(tmp_path), output=tmp_path / "out")
    assert {problem.span.line for problem in raised.value.problems} == {4}
