"""The app that searches and crawls what is found: its events, what they say, and where hits may not lead."""

import json
import re
import shutil
from itertools import chain

import pytest
from egress_table import HOSTILE
from local_server import Page, redirect, serving
from search_services import searxng
from site_of_pages import ALLOW, Slow, html, web

import transmissions
from transmissions import NodeFailed
from transmissions.cli import main
from transmissions.homes import find_app
from transmissions.plan import walk
from transmissions.prepare import prepare

PRIVATE = [url for url in HOSTILE if "example.org" not in url]
"""Without those whose host is public, but that may be read in more than one way."""


def search(answer, folder, settings=ALLOW, **message):
    """Return the events of a search with a SearXNG that answers so."""
    options = {"cache_mode": "bypass", **message.pop("crawl_options", {})}
    asked = {"query": "roses", "crawl_options": options, **message}
    with serving(answer) as service:
        settings = {"engine.url": service.url, **settings}
        return transmissions.run("deepsearch", message=asked, output=folder, settings=settings).messages


def names(events):
    """Return what events are called."""
    return [event["event"] for event in events]


def test_ds01_ds03_ds04_ds05_events_are_in_order(tmp_path):
    """The search begins, finds, its pages are told as they come, the quick ones first, and it is summed up."""
    with web({"/slow": Slow(0.5, html("Slow")), "/quick": html("Quick")}, hosts=2) as site:
        events = search(searxng(site.urls("/slow", "/quick")), tmp_path)
    assert names(events) == [
        "search_start",
        "search_results",
        "crawl_start",
        "search_result",
        "search_result",
        "search_summary",
    ]
    start, found, crawl, quick, slow, summary = events
    assert (start["query"], start["limit"], found["urls_found"], crawl["total_urls"]) == ("roses", 10, 2, 2)
    assert [(one["rank"], one["content"]["title"]) for one in (quick, slow)] == [(2, "Quick"), (1, "Slow")]
    assert (summary["query"], summary["status"]) == ("roses", "complete")
    assert [summary[name] for name in ("urls_found", "urls_crawled", "urls_failed")] == [2, 2, 0]


def test_ds04_a_hit_is_told_with_its_page(tmp_path):
    """What the service said of it, what it says itself, and how it was fetched."""
    with web({"/a": html("Roses")}) as site:
        told = search(searxng(site.urls("/a")), tmp_path)[3]
        url = site.url("/a")
    assert (told["url"], told["rank"]) == (url, 1)
    assert (told["search_title"], told["search_snippet"]) == (f"Title of {url}", f"A snippet of {url}")
    assert told["content"]["markdown"].startswith("# Roses")
    assert told["content"]["word_count"] > 100
    assert told["crawl_result"]["status"] == 200
    assert 0 < told["crawl_result"]["quality_score"] <= 1
    assert told["crawl_result"]["processing_time_ms"] >= 0


def test_ds07_a_page_that_fails_is_an_error_with_its_rank(tmp_path):
    """The others are there all the same, and the summary counts both."""
    with web({"/a": html("A")}) as site:
        events = search(searxng(site.urls("/none", "/a")), tmp_path)
    (error,) = (event for event in events if event["event"] == "error")
    assert (error["rank"], error["status"], error["error"]["error_code"]) == (1, 404, "HTTP_STATUS")
    assert error["search_title"]
    assert [events[-1][name] for name in ("status", "urls_crawled", "urls_failed")] == ["partial", 1, 1]


def test_ds07_pages_that_hits_link_to_are_results(tmp_path):
    """With a depth they are crawled, too."""
    with web({"/a": html("A", "/b"), "/b": html("B")}) as site:
        events = search(searxng(site.urls("/a")), tmp_path, crawl_options={"max_depth": 1})
    assert names(events)[3:] == ["search_result", "result", "search_summary"]
    assert events[-1]["urls_crawled"] == 1


def test_ds06_without_content_nothing_is_fetched(tmp_path):
    """Each hit is told as it was found, in order."""
    with web({"/a": html("A"), "/b": html("B")}) as site:
        events = search(searxng(site.urls("/a", "/b")), tmp_path, include_content=False)
        assert site.servers[0].connections == 0
    assert names(events) == ["search_start", "search_results", "search_result", "search_result", "search_summary"]
    assert events[1]["results"] == [{name: value for name, value in one.items() if name != "event"} for one in events[2:4]]
    assert [events[-1][name] for name in ("urls_found", "urls_crawled")] == [2, 0]


def test_ds09_nothing_found_is_a_summary(tmp_path):
    """It is no failure, and nothing is crawled."""
    events = search(searxng([]), tmp_path)
    assert names(events) == ["search_start", "search_results", "search_summary"]
    assert (events[-1]["status"], events[-1]["urls_found"]) == ("complete", 0)


def test_ds10_a_search_that_fails_fails_the_run(tmp_path):
    """It is said where, and why."""
    with pytest.raises(NodeFailed, match=r"deepsearch/search: .* answered 401 Unauthorized"):
        search(lambda _: Page(b"", {}, 401), tmp_path)


@pytest.mark.parametrize("start", range(0, len(PRIVATE), 50))
def test_ds13_hits_lead_to_no_private_address(tmp_path, start):
    """Each is an error, or no hit at all, and the canary has no visit, whichever URL of the table they are."""
    with serving({}, host="::") as canary:
        urls = [re.sub(r"^(http://(?:\[[^]]*\]|[\w.-]+))(?=/)", rf"\1:{canary.server_port}", url) for url in PRIVATE]
        events = search(searxng(urls[start : start + 50], 50), tmp_path, {}, limit=50)
        assert canary.connections == 0
    errors = [event for event in events if event["event"] == "error"]
    assert sorted(error["rank"] for error in errors) == list(range(1, events[1]["urls_found"] + 1))
    assert {error["error"]["error_code"] for error in errors} == {"POLICY_EGRESS"}


def test_ds13_redirects_of_hits_lead_to_no_private_address(tmp_path):
    """They are judged as hits are."""
    with serving({}) as canary, web({"/away": redirect(f"{canary.url}/away")}) as site:
        events = search(searxng(site.urls("/away")), tmp_path, {"network.allow": "127.0.0.2"})
        assert canary.connections == 0
    assert [event["error"]["error_code"] for event in events if event["event"] == "error"] == ["POLICY_EGRESS"]


def test_pages_are_written(tmp_path):
    """As those of a crawl are."""
    with web({"/a": html("Roses")}) as site:
        search(searxng(site.urls("/a")), tmp_path)
    (page,) = tmp_path.rglob("*.md")
    assert "# Roses" in page.read_text()


def test_a_search_from_the_command_line(tmp_path, monkeypatch, capsys):
    """With `--json` every event is a line; at the end it is said how many were found, and how many were read."""
    monkeypatch.chdir(tmp_path)
    with web({"/a": html("A")}) as site, serving(searxng(site.urls("/a", "/none"))) as service:
        settings = [f"--set=search.url={service.url}", *(f"--set={name}={value}" for name, value in ALLOW.items())]
        message = '{"crawl_options": {"cache_mode": "bypass"}}'
        code = main(["run", "deepsearch", "roses", "-m", message, "--json", *settings])
    told = capsys.readouterr()
    assert (code, names(map(json.loads, told.out.splitlines()))[-1]) == (3, "search_summary")
    assert "2 found, 1 of them read" in told.err


def test_ds12_another_service_is_one_line(tmp_path, monkeypatch):
    """A copy of the app searches what an earlier crawl has written into its own data."""
    folder = tmp_path / "apps" / "deepsearch"
    shutil.copytree(find_app("deepsearch").folder, folder)
    pipe = (folder / "transmissions.ttl").read_text()
    local = pipe.replace(":search a :SearXNGSearch ; :settings :engine .", ':search a :LocalSearch ; :folder "pages" .')
    (folder / "transmissions.ttl").write_text(local)
    monkeypatch.chdir(tmp_path)
    with web({"/a": html("Roses")}) as site:
        transmissions.run("crawl", arguments=[site.url("/a")], output=folder / "data", settings=ALLOW)
        events = transmissions.run("./apps/deepsearch", message={"query": "roses"}, output="out", settings=ALLOW).messages
    assert [event["url"] for event in events if event["event"] == "search_result"] == site.urls("/a")


def placed(app):
    """Return the nodes in the pipes of an app by their names, without where they stand."""
    nodes = chain.from_iterable(walk(one.pipe) for one in prepare(find_app(app)).plan.transmissions)
    return {node.path.partition("/")[2]: node._replace(path="", where=None, origins={}, depth=0) for node in nodes}


def test_pages_are_crawled_as_in_the_app_for_it():
    """What the two apps have in common is the same, node by node, but for where they begin and end."""
    crawl, deepsearch = placed("crawl"), placed("deepsearch")
    own = {"search", "admit", "ask", "report", "tell"}
    assert crawl.keys() - own == deepsearch.keys() - own
    for name in crawl.keys() - own:
        assert crawl[name] == deepsearch[name], name
