"""Crawls that are stopped or killed: the same command goes on with them, and in the end every page is there once."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from site_of_pages import Slow, html, web
from waiting import eventually

IS_LONG = bool(os.environ.get("TRANS_LONG"))
PAGES, KILLS = (150, 50) if IS_LONG else (40, 5)


def site_of(number):
    """Return pages that lead to two more each, and back to others."""
    return {
        f"/{one}": html(f"Page {one}", f"/{2 * one + 1}", f"/{2 * one + 2}#part", "/0", f"/{one // 2}?utm_source=x", words=6)
        for one in range(number)
    }


def command(site, folder, *words):
    """Return the words that crawl a site into a folder."""
    options = {"max_depth": 20, "concurrency": 8, "cache_mode": "bypass"}
    files = [f"{name}.enabled=true" for name in ("data", "graph", "archive")]
    settings = [*files, "network.allow=127.0.0.0/8", "admit.perHost=8", "fetch.perHost=8", "fetch.tries=1"]
    return [
        *(sys.executable, "-P", "-m", "transmissions", "run", "crawl", site.url("/0"), "-o", str(folder), "--force"),
        *("-m", json.dumps({"options": options})),
        *(word for one in settings for word in ("--set", one)),
        *words,
    ]


def begun(words):
    """Begin a crawl in a process of its own."""
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def paths_in(folder):
    """Return how often each page stands in the output, by its path."""
    lines = (folder / "pages.ndjson").read_text().splitlines()
    return Counter(re.sub(r".*://[^/]*|\?.*", "", json.loads(line)["url"]) for line in lines)


def archived_in(folder):
    """Return how often each page stands in the archive, by its path."""
    records = gzip.decompress((folder / "pages.warc.gz").read_bytes())
    asked = re.findall(rb"WARC-Type: response\r\n(?:[^\r]+\r\n)*?WARC-Target-URI: <?\w+://[^/]*(/\d+)", records)
    return Counter(path.decode() for path in asked)


def kill_at(process, site, requests, seconds):
    """Kill a crawl some time after it has asked for so many pages in all; say whether it was not done before."""
    eventually(lambda: len(site.begun) >= requests or process.poll() is not None, 60)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_a_crawl_that_is_killed_again_and_again_has_each_page_once(tmp_path):
    """Wherever it is: while it asks, reads, writes, or ends."""
    killed = 0
    with web(site_of(PAGES)) as site:
        for number in range(KILLS):
            process = begun(command(site, tmp_path))
            killed += kill_at(process, site, len(site.begun) + 1 + number % 7, number * 13 % 90 / 1000)
        last = begun(command(site, tmp_path))
        said = last.communicate(timeout=120)[1]
    assert (last.returncode, killed) == (3, KILLS), said  # it ends with 3 for links to what is not there
    assert sum(site.asked().values()) <= 2 * PAGES + 1 + killed * 8, "what was done is not asked for again"
    each = {f"/{number}": 1 for number in range(PAGES)}
    assert paths_in(tmp_path) == each
    assert {path: count for path, count in archived_in(tmp_path).items() if path in each} == each
    assert len(list((tmp_path / "pages").rglob("*.md"))) == PAGES
    triples = (tmp_path / "pages.nt").read_text().splitlines()
    assert len(triples) == len(set(triples))
    assert not (tmp_path / "crawl.db").exists()


def stopped(words, site, requests):
    """Stop a crawl by SIGINT when it has asked for some pages; return its code and what it said."""
    process = begun(words)
    assert eventually(lambda: len(site.begun) >= requests, 60)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    return process.returncode, said


def test_a_crawl_that_is_stopped_says_how_it_goes_on(tmp_path):
    """It ends with 130, what was fetched is kept, and the same command does the rest."""
    with web({path: Slow(0.1, page) for path, page in site_of(PAGES).items()}) as site:
        code, said = stopped(command(site, tmp_path), site, 6)
        first = sum(paths_in(tmp_path).values())
        last = begun(command(site, tmp_path))
        last.communicate(timeout=120)
    assert (code, last.returncode) == (130, 3)
    assert "run the same again to go on" in said
    assert "from the beginning" not in said
    assert 0 < first < PAGES
    assert paths_in(tmp_path) == {f"/{number}": 1 for number in range(PAGES)}


def finished(words):
    """Run a crawl to its end; return its code and what it said."""
    process = begun(words)
    said = process.communicate(timeout=60)[1]
    return process.returncode, said


def test_a_queue_of_another_crawl_is_not_gone_on_with(tmp_path):
    """Whoever wants something else is told so, and the file is as it was."""
    with web({path: Slow(0.1, page) for path, page in site_of(PAGES).items()}) as site:
        stopped(command(site, tmp_path), site, 3)
        code, said = finished([*command(site, tmp_path), "-m", '{"options": {"max_depth": 3}}'])
    assert code == 1
    assert "crawl.db' holds another crawl that is not finished; finish that one, or remove the file" in said
    assert (tmp_path / "crawl.db").exists()


@pytest.mark.parametrize("content", [b"nonsense" * 200, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_queue_that_is_none_is_told(tmp_path, content):
    """It is left where it is."""
    (tmp_path / "crawl.db").write_bytes(content)
    with web({"/0": html("H")}) as site:
        code, said = finished(command(site, tmp_path))
    assert (code, site.asked()) == (1, {})
    assert "crawl.db" in said
    assert "Traceback" not in said
    assert (tmp_path / "crawl.db").read_bytes() == content


def test_a_queue_that_cannot_be_written_is_the_fault_of_an_output(tmp_path):
    """As with any other: it ends with 74."""
    (tmp_path / "crawl.db").mkdir()
    with web({"/0": html("H")}) as site:
        code, said = finished(command(site, tmp_path))
    assert (code, "crawl.db" in said) == (74, True)


FULL = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_full_disk_ends_a_crawl(tmp_path):
    """When the queue cannot be written any more it says so, and ends with 74."""
    links = [f"/{number}" for number in range(10_000)]
    with web(lambda path: html("L", *links, words=3) if path == "/0" else html("P", words=3)) as site:
        code, said = finished([sys.executable, "-c", FULL, *command(site, tmp_path)])
    assert (code, "cannot write" in said, "crawl.db" in said) == (74, True, True), said
