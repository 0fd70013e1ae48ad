"""Crawls that are stopped or killed: the same command goes on with them, and in the end every page is there once."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from delivering import eventually
from site_of_pages import html, web

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
    settings = ["network.allow=127.0.0.0/8", "data.enabled=true", "admit.perHost=8", "fetch.perHost=8", "fetch.tries=1"]
    return [
        *(sys.executable, "-P", "-m", "transmissions", "run", "crawl", site.url("/0"), "-o", str(folder), "--quiet"),
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
    assert paths_in(tmp_path) == {f"/{number}": 1 for number in range(PAGES)}
    assert not (tmp_path / "crawl.db").exists()
