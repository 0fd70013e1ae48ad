"""Clients of crawls and searches, against the apps themselves on a real server."""

import asyncio
import itertools
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import delivering
import pytest
from clients.chromium import chromium, needs_chromium
from clients.published import PublishedClient
from clients.test_javascript import NODE, STATIC, needs_node, options_of
from local_server import serving
from search_services import searxng
from site_of_pages import Slow, html, web
from waiting import eventually

from transmissions.client import (
    EventMeshStreamClient,
    Failure,
    Refused,
    Result,
    SearchResult,
    SearchResults,
    SearchStart,
    SearchSummary,
    StreamClient,
    SyncStreamClient,
)

SETTINGS = ["network.allow=127.0.0.0/8", "cache.store=memory:", "fetch.tries=1"]
HOSTILE = "<img src=x onerror='window.broken=1'>"
PAGES = {"/roses": html("Roses"), "/slow": Slow(0.4, html("Slow")), "/evil": html(HOSTILE.replace("<", "&lt;"))}
NUMBERS = itertools.count()
TRANS = [sys.executable, "-P", "-m", "transmissions"]


@pytest.fixture(scope="module")
def site():
    """Serve pages, and what may be asked for besides: each number is a page that takes a while."""
    slow = Slow(0.05, html("Numbered"))
    with web(lambda path: PAGES.get(path, slow if path[1:].isdigit() else None), hosts=3) as one:
        yield one


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Work in an empty folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("served"))
        yield


@pytest.fixture(scope="module")
def server(folder):
    """Serve the app `crawl`."""
    with delivering.running("crawl", settings=SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def searching(folder, site):
    """Serve the app `deepsearch`, with a service that finds two pages and one that is not there."""
    with serving(searxng(site.urls("/roses", "/slow", "/gone"))) as service:
        settings = [f"engine.url={service.url}", *SETTINGS]
        with delivering.running("deepsearch", settings=settings) as running:
            yield running


def many(site, count=40):
    """Return URLs that nobody has asked for yet."""
    return site.urls(*(f"/{next(NUMBERS)}" for _ in range(count)))


@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
def test_a_crawl_is_typed(server, site, protocol):
    """Each URL is one page or one failure, whatever the protocol; the quick ones come first."""
    with SyncStreamClient(server.url, protocol=protocol) as client:
        stream = client.crawl(site.urls("/slow", "/roses", "/gone"), {"cache_mode": "bypass", "concurrency": 3})
        events = list(stream)
    pages = [event.page for event in events if isinstance(event, Result)]
    [failure] = [event for event in events if isinstance(event, Failure)]
    assert [(page.url, page.status, page.document.title) for page in pages] == [
        (site.url("/roses", 1), 200, "Roses"),
        (site.url("/slow"), 200, "Slow"),
    ]
    assert pages[0].document.word_count > 100
    assert 0 < pages[0].quality_score <= 1
    assert pages[0].document.content_hash.startswith("sha256:")
    assert (failure.url, failure.error["error_code"]) == (site.url("/gone", 2), "HTTP_STATUS")
    assert (stream.summary.status, stream.summary.successful, stream.summary.failed) == ("partial", 2, 1)


def test_a_crawl_is_paused_resumed_and_cancelled(server, site):
    """While it is paused no page is fetched; what is cancelled says so at its end."""

    async def work():
        urls = many(site, 60)
        async with StreamClient(server.url) as client, client.crawl(urls, {"concurrency": 2, "cache_mode": "bypass"}) as stream:
            async for event in stream:
                if isinstance(event, Result):
                    break
            assert (await stream.pause())["state"] == "paused"
            assert await asyncio.to_thread(eventually, lambda: is_quiet(site))
            before = len(site.begun)
            await asyncio.sleep(0.2)
            assert len(site.begun) == before
            await stream.resume()
            await anext(event async for event in stream if isinstance(event, Result))
            await stream.cancel()
            return await stream.run()

    assert delivering.timed(work()).status == "cancelled"


def is_quiet(site):
    """Whether nobody asks for a page any more."""
    before = len(site.begun)
    eventually(lambda: False, 0.3)
    return len(site.begun) == before


def test_what_cannot_be_asked_for_is_refused(server):
    """With the sentence that says what is wrong, before anything is fetched."""
    with SyncStreamClient(server.url) as client, pytest.raises(Refused, match="conccurrency"):
        list(client.crawl(["http://a"], {"conccurrency": 3}))


def test_py01_py02_the_client_of_the_sample_crawls(server, site):
    """At the path of the sample, with handlers that get dicts."""
    titles, summaries = [], []
    client = EventMeshStreamClient(base_url=server.url, buffer_size=2048)
    client.register_handler("result", lambda event: titles.append(event["result"]["document"]["title"]))
    client.register_handler("summary", summaries.append)
    metrics = client.stream_crawl_results(site.urls("/roses"), {"concurrency": 3, "timeout_seconds": 30})
    assert titles == ["Roses"]
    assert metrics.events_by_type["result"] == summaries[0]["total_urls"] == summaries[0]["successful"] == 1


@pytest.mark.parametrize("size", [1, 8192])
def test_py04_py07_the_published_client_crawls(server, site, size):
    """With its own headers and its own way of reading, whatever pieces the answer comes in."""
    client = PublishedClient(server.url, chunk_size=size)
    summaries = []
    client.register_handler("summary", summaries.append)
    metrics = client.stream_crawl_results(site.urls("/roses", "/gone"), {"concurrency": 5, "cache_mode": "read_write"})
    assert {name: metrics.counts[name] for name in ("metadata", "result", "error", "summary")} == dict.fromkeys(
        ("metadata", "result", "error", "summary"), 1
    )
    assert [summaries[0][name] for name in ("total_urls", "successful", "failed")] == [2, 1, 1]


@pytest.mark.parametrize("protocol", ["ndjson", "sse", "websocket"])
def test_ds01_ds15_a_search_is_typed(searching, site, protocol):
    """It begins, finds, tells of each page as it is read, and is summed up."""
    with SyncStreamClient(searching.url, protocol=protocol) as client:
        events = list(client.deep_search("roses", {"crawl_options": {"cache_mode": "bypass"}}))
    start = next(event for event in events if isinstance(event, SearchStart))
    [found] = [event for event in events if isinstance(event, SearchResults)]
    read = {event.hit.rank: event for event in events if isinstance(event, SearchResult)}
    [summary] = [event for event in events if isinstance(event, SearchSummary)]
    assert start.query == summary.query == "roses"
    assert [hit.rank for hit in found.hits] == [1, 2, 3]
    assert read[1].content.title == "Roses"
    assert (read[1].page.status, read[1].page.url) == (200, site.url("/roses"))
    assert [event.url for event in events if isinstance(event, Failure)] == [site.url("/gone", 2)]
    assert (summary.urls_found, summary.urls_crawled) == (3, 2)


def test_ds06_a_search_alone_reads_nothing(searching):
    """What is found is told, without what it says."""
    with SyncStreamClient(searching.url) as client:
        events = list(client.deep_search("roses", {"include_content": False, "limit": 2}))
    results = [event for event in events if isinstance(event, SearchResult)]
    assert [event.hit.rank for event in results] == [1, 2]
    assert all(event.content is None and event.page is None for event in results)


@needs_node
@pytest.mark.timeout(120)
def test_the_javascript_clients_crawl_and_search(server, searching, site):
    """Its own tests, against the real apps; the names of the rows are in them."""
    given = {
        "TRANS_URL": server.url,
        "TRANS_SEARCH": searching.url,
        "TRANS_PAGES": json.dumps(site.urls("/roses", "/slow", "/gone")),
        "TRANS_MANY": json.dumps(many(site, 100)),
        "TRANS_STATIC": str(STATIC),
    }
    tests = Path(__file__).parent / "clients.test.mjs"
    command = [NODE, "--no-warnings", *options_of(NODE), "--test", "--test-timeout=60000", "--test-reporter=tap", tests]
    result = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, timeout=110, check=False)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr
    assert "# fail 0" in result.stdout


@needs_chromium
@pytest.mark.timeout(240)
def test_br01_br02_br03_br04_the_page_shows_a_crawl(server, site):
    """As cards, with titles that are no HTML, and what went wrong; nothing is asked for behind the summary."""
    message = json.dumps({"urls": site.urls("/evil", "/roses"), "options": {"cache_mode": "bypass"}})
    with chromium() as page:
        page.open(server.url)
        page.until("document.querySelectorAll('#app option').length > 0")
        page.value(f"document.getElementById('message').value = {message!r}")
        page.value("document.getElementById('start').click()")
        page.until("document.getElementById('status').textContent.startsWith('Ended')", 60)
        cards = page.value("[...document.querySelectorAll('.card')].map((card) => card.innerText)")
        marks = page.value("[document.querySelectorAll('#results img').length, window.broken ?? 0, progress.value]")
        assert page.told == []
    assert marks == [0, 0, 1]
    [evil] = [card for card in cards if site.url("/evil") in card]
    title, url, status, time, quality, preview = (line for line in evil.splitlines() if line)
    assert (title, url, status) == (HOSTILE, f"URL: {site.url('/evil')}", "Status: 200")
    assert re.fullmatch(r"Time: \d+ ms", time)
    assert re.fullmatch(r"Quality: \d+\.\d %", quality)
    assert len(preview) == 201


@needs_chromium
@pytest.mark.timeout(240)
def test_br02_the_page_shows_a_search(searching):
    """What was found is a card, as a page of a crawl is."""
    with chromium() as page:
        page.open(searching.url)
        page.until("document.querySelectorAll('#app option').length > 0")
        page.value("""document.getElementById('message').value = '{"query": "roses", "limit": 1}'""")
        page.value("document.getElementById('start').click()")
        page.until("document.getElementById('status').textContent.startsWith('Ended')", 60)
        card = page.value("document.querySelector('.card').innerText")
    assert card.startswith("Roses")
    assert "Status: 200" in card


def on_a_terminal(*words):
    """Return what a command prints on a terminal, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*TRANS, *words], stdout=theirs)
    os.close(theirs)
    text = b""
    try:
        while data := os.read(ours, 65536):
            text += data
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return text.decode(), process.wait(30)


def test_cl02_follow_tells_of_pages_in_lines(server, searching, site):
    """A status, a URL and a title for each; what failed is named, and the exit code says that something did."""
    message = json.dumps({"urls": site.urls("/roses", "/gone")})
    said, code = on_a_terminal("follow", f"{server.url}/crawl/stream", "-m", message)
    assert f"200 {site.url('/roses')}  Roses\r\n" in said
    assert f"error: {site.url('/gone', 1)}: 404" in said
    assert code == 3
    said, _ = on_a_terminal(
        "follow", f"{searching.url}/deepsearch/stream", "-m", '{"query": "roses", "include_content": false}'
    )
    assert "found 3 pages" in said
    assert f"1. {site.url('/roses')}  Title of" in said


EXAMPLE = """curl -X POST 'http://localhost:8080/crawl/stream' \\
  -H 'Content-Type: application/json' \\
  -H 'X-Session-ID: session-1640995200-abc123' \\
  -H 'X-Buffer-Size: 1024' \\
  -H 'X-Buffer-Timeout: 2000' \\
  -H 'X-Enable-Backpressure: true' \\
  -d '{
    "urls": [
      "https://example.com/page1",
      "https://example.com/page2",
      "https://example.com/page3"
    ],
    "options": {
      "concurrency": 3,
      "cache_mode": "read_write",
      "timeout_seconds": 30
    }
  }' \\
  --no-buffer
"""
SHORT = """curl -X POST 'http://localhost:8080/crawl/stream' \\
  -H 'Content-Type: application/json' \\
  -H 'X-Buffer-Size: 1024' \\
  -H 'X-Enable-Backpressure: true' \\
  -d '{"urls": ["https://example.com"], "options": {"concurrency": 3}}' \\
  --no-buffer
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize(("example", "count"), [(EXAMPLE, 3), (SHORT, 1)])
def test_cl01_the_examples_for_curl_crawl(server, site, example, count):
    """Word for word but for where the server and the pages are."""
    words = example.replace("http://localhost:8080", server.url).replace("https://example.com/page", f"{site.url('/')}99")
    words = words.replace("https://example.com", site.url("/roses")).replace("curl ", "curl -sS -i --noproxy '*' ")
    result = subprocess.run(["sh", "-c", words], capture_output=True, text=True, timeout=30, check=True)
    head, _, body = result.stdout.partition("\n\n")
    for line in ("200 ok", "content-type: application/x-ndjson", "x-buffer-capacity: 1024", "x-backpressure-threshold: 800"):
        assert line in head.lower()
    events = [json.loads(line) for line in body.splitlines()]
    assert (events[0]["event"], events[0]["total_urls"], events[-1]["event"]) == ("metadata", count, "summary")
    assert sorted(event["index"] for event in events if event["event"] == "result") == list(range(count))
