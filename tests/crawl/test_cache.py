"""Pages that were fetched before: which are found, which are kept, for how long, and what becomes of a crawl without them."""

import asyncio
import re
from types import SimpleNamespace

import pytest
from cached_pages import URL, Origin, are_cached, asked, visit
from local_server import Page
from site_of_pages import Flaky, Slow, by_url, crawl, html, web

from transmissions import NodeFailed
from transmissions.processors import page_cache
from transmissions.processors.crawl_page import PageFault
from transmissions.processors.crawl_request import CACHE_MODES
from transmissions.processors.page_cache import PageRecall, PageRemember
from transmissions.testing import bench


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Keep pages in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "transmissions"


@pytest.fixture
def clock(monkeypatch):
    """Let time stand still until it is told to go on."""
    fake = SimpleNamespace(now=1e9, time=lambda: fake.now)
    monkeypatch.setattr(page_cache, "time", fake)
    return fake


def test_a_page_is_fetched_once_for_two_crawls(tmp_path):
    """CA-01, CA-04, CP-11: what a crawl has kept, the next one finds, with the status and all that was found out then."""
    page = html("A", "/b")._replace(status=203)
    with web({"/a": page}) as site:
        (first,), (second,) = (crawl(site.urls("/a"), tmp_path / name, cache_mode="read_write") for name in "ab")
    assert site.asked() == {"/a": 1}
    assert (first["result"]["from_cache"], second["result"]["from_cache"]) == (False, True)
    apart = {"from_cache", "processing_time_ms", "bytes"}
    assert {name: value for name, value in second["result"].items() if name not in apart} == {
        name: value for name, value in first["result"].items() if name not in apart
    }
    assert second["result"]["status"] == 203
    assert second["pipeline_metadata"] == first["pipeline_metadata"]


def test_a_page_that_failed_is_not_kept(tmp_path):
    """CA-09: an error is asked for again by the next crawl, and no result."""
    with web({"/a": Page(b"no", {"Content-Type": "text/html"}, 404)}) as site:
        for name in "ab":
            (event,) = crawl(site.urls("/a"), tmp_path / name, cache_mode="read_write")
            assert event["error"]["error_code"] == "HTTP_STATUS"
    assert site.asked() == {"/a": 2}


def test_twins_are_fetched_once(tmp_path):
    """CA-10: of pages that are wanted at the same time one is fetched, and each has its result."""
    with web({"/a": Slow(0.2, html("A"))}) as site:
        events = crawl(site.urls("/a", "/a", "/a"), tmp_path, {"admit.perHost": 3}, cache_mode="read_write")
    assert site.asked() == {"/a": 1}
    assert sorted(event["result"]["from_cache"] for event in events) == [False, True, True]


def test_links_of_a_known_page_are_followed(tmp_path):
    """A depth crawl goes on from what a page linked to when it was fetched."""
    with web({"/a": html("A", "/b"), "/b": html("B")}) as site:
        for name in "ab":
            events = by_url(crawl(site.urls("/a"), tmp_path / name, cache_mode="read_write", max_depth=1))
            assert set(events) == {"/a", "/b"}
    assert site.asked() == {"/a": 1, "/b": 1}


def test_an_old_page_is_asked_for_on_condition(tmp_path):
    """Row 17: one that has not changed is taken from the cache after all, and is as good as new; another is fetched."""

    def answer(seen):
        tagged = {"Content-Type": "text/html", "ETag": '"1"'}
        return Page(b"", tagged, 304) if seen.headers.get("if-none-match") == '"1"' else html("A")._replace(headers=tagged)

    with web({"/a": answer}) as site:
        crawl(site.urls("/a"), tmp_path / "a", cache_mode="read_write")
        (event,) = crawl(site.urls("/a"), tmp_path / "b", {"cache.ttl": 0}, cache_mode="read_write")
    assert event["result"]["from_cache"]
    assert event["result"]["is_revalidated"]
    assert event["result"]["document"]["title"] == "A"
    assert [seen.headers.get("if-none-match") for seen in site.seen if seen.path == "/a"] == [None, '"1"']


def test_an_old_page_that_reads_otherwise_is_told(tmp_path):
    """Row 17: the result of a page that was fetched again says whether its text is another now."""
    with web({"/a": Flaky(html("A"), html("A"), html("B"))}) as site:
        runs = [crawl(site.urls("/a"), tmp_path / name, {"cache.ttl": 0}, cache_mode="read_write") for name in "abc"]
    assert [event["result"].get("is_changed") for (event,) in runs] == [None, False, True]


@pytest.mark.parametrize(("mode", "does"), CACHE_MODES.items())
def test_a_mode_says_what_is_read_and_written(mode, does):
    """RQ-06: each mode finds pages, and keeps them, if it says so."""
    origin = Origin()
    visit(origin, URL, mode=mode)
    assert (are_cached(visit(origin, URL))[0], are_cached(visit(origin, URL, mode=mode))[0]) == (does[1], does[0])
    (page,) = visit(origin, "http://example.com/other", mode=mode)
    assert ("cache_key" in page) == any(does)
    assert not {"flight", "stale"} & set(page)


def test_the_key_is_the_same_in_every_run():
    """CA-02: it is made of host, path and eight digits, whatever the process, and has no more than that of the page."""
    (page,) = visit(Origin(), URL)
    assert re.fullmatch(r"crawl:v1:example\.com:page1:[0-9a-f]{8}", page["cache_key"])
    assert visit(Origin(), "HTTP://EXAMPLE.com:80/page1?q=1#part")[0]["cache_key"] == page["cache_key"]


@pytest.mark.parametrize(
    "options", [{"extraction": "full"}, {"headless": "never"}, {"concurrency": 9}, {"timeout_seconds": 1}, {"max_depth": 3}]
)
def test_the_key_depends_on_what_changes_the_output(options):
    """CA-03: options that change what comes of a page have a key of their own, options of the crawl have not."""
    origin = Origin()
    visit(origin)
    assert are_cached(visit(origin, options=options)) == [not {"extraction", "headless"} & options.keys()]


@pytest.mark.parametrize(
    "url", ["http://example.com/page1?q=2", "http://user:pw@example.com/page1?q=1", "https://example.com/page1"]
)
def test_another_url_is_another_page(url):
    """CA-03: so have another query, other credentials and another scheme."""
    origin = Origin()
    visit(origin)
    assert are_cached(visit(origin, url)) == [False]
    assert "pw" not in visit(origin, url)[0]["cache_key"]


def test_pages_of_other_settings_are_not_given_away(tmp_path):
    """CA-03: a crawl whose steps are set otherwise finds nothing: it may be one that may not fetch what another could."""
    with web({"/a": html("A")}) as site:
        both = ({"network.userAgent": name} for name in ("a/1", "b/1"))
        pages = [crawl(site.urls("/a"), tmp_path / "out", settings, cache_mode="read_write") for settings in both]
    assert [page["result"]["from_cache"] for (page,) in pages] == [False, False]
    assert site.asked() == {"/a": 2}


def test_pages_of_other_thresholds_are_not_given_away(monkeypatch):
    """Of the gate, in the environment: it may have had a page read as it came that is now to be rendered."""
    origin = Origin()
    found = []
    for high in ("0.7", "0.9", "0.9"):
        monkeypatch.setenv("GATE_HI_THRESHOLD", high)
        found += are_cached(visit(origin))
    assert found == [False, False, True]


def test_a_page_lasts_as_long_as_it_is_said_to(clock):
    """CA-06: a page is found until it is `ttl` old, by whoever looks; a clock that was put back makes nothing last longer."""
    origin = Origin()
    visit(origin)
    found = []
    for later in (3599, 3601, -3601):
        clock.now = 1e9 + later
        found += are_cached(visit(origin, mode="read_only"))
    assert found == [True, False, False]
    assert are_cached(visit(origin, mode="read_only", ttl=86_400_000)) == [True]


def test_an_old_page_tells_whether_it_has_changed(clock):
    """Row 17: of a page that was kept and is fetched again it is told whether it reads otherwise now."""
    origin = Origin()
    visit(origin)
    changed = []
    for text in ("1", "2"):
        clock.now += 4000
        origin.fields = {"document": {"content_hash": f"sha256:{text}"}}
        changed += [page["is_changed"] for page in visit(origin)]
    assert changed == [False, True]
    assert "is_changed" not in visit(origin)[0]
    clock.now += 4000
    (page,) = visit(origin, mode="read_only")
    assert (page["is_changed"], "stale" in page) == (False, False)


def test_a_mode_there_is_none_of():
    """RQ-06: a mode that is none is refused with the nearest one."""
    with pytest.raises(NodeFailed, match=r"cache_mode is 'read-only'.*did you mean .read_only"):
        visit(Origin(), mode="read-only")


def test_what_is_too_old_is_as_if_it_were_not_there(clock):
    """A page that is older than `keep` is not even asked for on condition."""
    origin = Origin()
    visit(origin)
    clock.now += 31 * 86400
    assert "is_changed" not in visit(origin)[0]


def test_what_is_kept_of_a_page():
    """Bodies and what a server tells one reader are not kept, nor what the page was asked with; broken text is no hindrance."""
    origin = Origin()
    visit(origin, URL)
    (page,) = visit(origin, URL, options={"timeout_seconds": 9})
    assert not {"body", "attempts"} & set(page)
    assert page["headers"] == {"etag": '"1"'}
    assert page["options"]["timeout_seconds"] == 9
    assert page["document"]["text"] == "é\ud800"


def test_a_rendered_page_is_asked_for_without_condition():
    """The server of a page that was rendered knows of its first document only, so it cannot say that nothing has changed."""
    origin = Origin()
    origin.fields = {"rendered": True}
    visit(origin)
    assert visit(origin)[0]["headers"] == {}


@pytest.mark.parametrize(
    ("said", "obey", "is_kept"),
    [("no-store", True, False), ("max-age=0, Private", True, False), ("no-store", False, True), ("max-age=1", True, True)],
)
def test_servers_are_obeyed(said, obey, is_kept):
    """What a server asks not to keep is not kept, unless the settings say so."""
    origin = Origin()
    origin.fields = {"headers": {"cache-control": said}}
    visit(origin, obey=obey)
    assert are_cached(visit(origin, obey=obey)) == [is_kept]


@pytest.mark.parametrize("fields", [{"status": 304}, {"status": 500}, {"extra": {1, 2}}, {"extra": "x" * 5_000_000}])
def test_what_is_not_kept(fields):
    """CA-09: pages without success, those JSON has no words for, and those that are too large are fetched each time."""
    origin = Origin()
    origin.fields = fields
    assert are_cached(visit(origin) + visit(origin)) == [False, False]


def test_two_runs_fetch_a_page_once(tmp_path):
    """CA-10: the runs of one process wait for each other's pages, too."""
    origins = [Origin(), Origin()]

    async def work(number):
        origins[number].seconds = 0.2
        steps = [PageRecall(), origins[number], PageRemember()]
        async with bench(steps, asked([]), tmp_path, concurrency=8, ordered=False) as run:
            return [message async for message in run]

    async def both():
        return await asyncio.gather(work(0), work(1))

    first, second = asyncio.run(both())
    assert sorted(are_cached(first + second)) == [False, True]
    assert len(origins[0].asked + origins[1].asked) == 1


def test_who_waits_for_a_page_that_fails_goes_himself():
    """CA-10: if the page that was waited for has failed, each fetches it by itself, and nobody waits twice."""
    origin = Origin()
    origin.seconds, origin.fault = 0.1, PageFault("NET_TIMEOUT", "too slow")
    pages = visit(origin, *[URL] * 4)
    assert len(origin.asked) == 4
    assert all(page["fault"]["error_code"] == "NET_TIMEOUT" for page in pages)


def test_nobody_waits_for_a_page_that_was_lost():
    """CA-10: a page that some step drops lets those go on that wait for it."""

    class Dropping(Origin):
        async def process(self, message):
            await super().process(message)
            return None if len(self.asked) == 1 else message

    origin = Dropping()
    origin.seconds = 0.1
    assert len(visit(origin, *[URL] * 3)) == 2


def test_patience_has_an_end():
    """CA-10: whoever has waited long enough fetches the page himself."""
    origin = Origin()
    origin.seconds = 0.3
    assert are_cached(visit(origin, *[URL] * 2, patience=20)) == [False, False]


def test_without_concurrency_nobody_waits():
    """A page that could not be overtaken is not waited for."""
    assert len(visit(Origin(), *[URL] * 3, concurrency=1)) == 3


def test_with_bypass_nobody_waits():
    """CA-10: what is to be fetched anew is fetched at once, as often as it was asked for."""
    origin = Origin()
    visit(origin, *[URL] * 3, mode="bypass")
    assert len(origin.asked) == 3
