"""What services that search are asked, and what is made of their answers, which differ."""

import asyncio
import json
import logging
import time
from urllib.parse import parse_qs

import pytest
from local_server import Page, redirect, serving
from search_services import brave, page, searxng, serper

from transmissions import NodeFailed, Secret, UsageError
from transmissions.processors.web_search_local import LocalSearch
from transmissions.processors.web_search_providers import BraveSearch, SearXNGSearch, SerperSearch
from transmissions.testing import bench, through

KEY = {"key": Secret("k-0123456789")}
SERVICES = {"searxng": (SearXNGSearch, searxng, {}), "brave": (BraveSearch, brave, KEY), "serper": (SerperSearch, serper, KEY)}
URLS = [f"https://example.org/{number}" for number in range(60)]


def search(make, answer, message=None, **settings):
    """Return what was asked of a service, and the events of a search there."""
    with serving(answer if callable(answer) else lambda _: answer) as server:
        asked = {"query": "roses", "include_content": False, **(message or {})}
        events = through(make(url=server.url, **settings), [asked])
    return server.seen, events


def results(make, answer, message=None, **settings):
    """Return the results of a search."""
    return search(make, answer, message, **settings)[1][1]["results"]


@pytest.mark.parametrize("name", SERVICES)
def test_ds02_ds08_ds12_hits_are_told_in_the_order_of_the_service(name):
    """Ranks begin with 1, a page that is found twice is told once, and what is no page is left out."""
    make, service, key = SERVICES[name]
    urls = [
        "https://b.example/",
        "https://a.example/x#top",
        "magnet:?xt=1",
        "https://b.example:443/#again",
        "https://c.example/?q=1",
    ]
    events = search(make, service(urls), **key)[1]
    found = events[1]
    assert events[0] == {"event": "search_start", "query": "roses", "limit": 10}
    assert (found["event"], found["query"], found["urls_found"]) == ("search_results", "roses", 3)
    assert [(one["rank"], one["url"]) for one in found["results"]] == [(1, urls[0]), (2, urls[1]), (3, urls[4])]
    assert [event["event"] for event in events[2:]] == ["search_result"] * 3
    assert all(one["search_title"] and one["search_snippet"] for one in found["results"])


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("limit", [1, 25, 50])
def test_rq10_as_many_are_found_as_were_asked_for(name, limit):
    """A service that gives some at a time is asked for the next, and no more often than that."""
    make, service, key = SERVICES[name]
    seen, events = search(make, service(URLS), {"limit": limit}, **key)
    size = {"searxng": 10, "brave": 20, "serper": 10}[name]
    assert [one["url"] for one in events[1]["results"]] == URLS[:limit]
    assert len(seen) == -(-limit // size)


@pytest.mark.parametrize("name", SERVICES)
def test_ds09_nothing_found_is_no_failure(name):
    """There are no results, and there is nothing to crawl."""
    make, service, key = SERVICES[name]
    events = search(make, service([]), {"include_content": True}, **key)[1]
    assert [(event["event"], event.get("urls_found")) for event in events] == [("search_start", None), ("search_results", 0)]


def test_texts_are_plain():
    """What is escaped for pages is not, lines are one, and what is very long is cut."""
    (hit,) = results(BraveSearch, brave(["https://a.example/"]), **KEY)
    assert (hit["search_title"], hit["search_snippet"]) == ("Roses & gardens", "How roses' leaves are cut")
    body = page({"results": [{"url": "https://a.example/", "title": "t" * 5000, "content": "a\n\n b" + "c" * 5000}]})
    (hit,) = results(SearXNGSearch, body)
    assert (len(hit["search_title"]), len(hit["search_snippet"]), hit["search_snippet"][:4]) == (300, 1000, "a bc")


def test_ds14_country_and_language_go_along():
    """Each service is told in its own words, and nothing where nothing is said."""
    where = {"country": "at", "locale": "de_DE"}
    (seen,) = search(SearXNGSearch, searxng(URLS), where)[0]
    assert parse_qs(seen.query)["language"] == ["de-DE"]
    (seen,) = search(SearXNGSearch, searxng(URLS), {"country": "at", "locale": "de"})[0]
    assert parse_qs(seen.query)["language"] == ["de-AT"]
    (seen,) = search(BraveSearch, brave(URLS), where, **KEY)[0]
    assert [parse_qs(seen.query)[name] for name in ("country", "search_lang")] == [["AT"], ["de"]]
    (seen,) = search(SerperSearch, serper(URLS), where, **KEY)[0]
    assert [json.loads(seen.body)[name] for name in ("gl", "hl")] == ["at", "de-de"]
    (seen,) = search(SearXNGSearch, searxng(URLS))[0]
    assert "language" not in parse_qs(seen.query)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"query": ""}, "query: must have at least 1 character"),
        ({"query": " \n"}, "query: is empty"),
        ({"query": "x" * 501}, "query: may have at most 500 characters, not 501"),
        ({"limit": 0}, "limit: 0 is less than 1"),
        ({"limit": 51}, "limit: 51 is more than 50"),
        ({"limt": 5}, "limt: no such field; did you mean 'limit'"),
        ({"include_content": "yes"}, "include_content: must be true or false"),
        ({"crawl_options": {"concurrency": 0}}, r"crawl_options\.concurrency: 0 is less than 1"),
        ({"country": "Austria"}, "country: 'Austria' does not match"),
    ],
)
def test_rq09_rq10_what_makes_no_sense_is_refused(message, fault):
    """It is said which field, and nobody is asked."""
    with serving(searxng(URLS)) as server, pytest.raises(NodeFailed, match=fault) as failed:
        through(SearXNGSearch(url=server.url), [{"query": "roses", **message}])
    assert (server.seen, failed.value.exit_code) == ([], 2)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Page(b"", {}, 500), "answered 500 Internal Server Error"),
        (Page(b"", {}, 401), "answered 401 Unauthorized"),
        (Page(b"", {}, 403), "answered 403 Forbidden; are there `json` among the `formats`"),
        (Page(b"", {"Retry-After": "3600"}, 429), r"answered 429 Too Many Requests \(retry-after: 3600 s\)"),
        (Page(b"<html>"), r"http://127\.0\.0\.1:\d+/search\?…:1:1: not valid JSON"),
        (Page(b'{"results": ['), "not valid JSON"),
        (page({"results": None}), "something else than the results of a search"),
        (page(["a"]), "something else than the results of a search"),
        (Page(b" " * 70_000), "larger than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "127.0.0.1"),
    ],
)
def test_ds10_an_answer_that_is_none_is_an_error_that_says_why(answer, fault):
    """It names the service, and what it said."""
    with pytest.raises(NodeFailed, match=fault):
        search(SearXNGSearch, answer, tries=1, max_bytes=65_536)


def test_ds10_where_no_searxng_runs_it_is_said_that_one_is_expected():
    """Nobody who searches for the first time has one."""
    with pytest.raises(NodeFailed, match="connection refused; SearXNG is to run there, or where :url says"):
        through(SearXNGSearch(url="http://127.0.0.1:1", tries=1), [{"query": "roses"}])


def test_ds10_what_may_pass_is_tried_again():
    """A service that is busy is asked again, after what it asks for; what will not pass is asked once."""
    answers = [Page(b"", {"Retry-After": "1"}, 429), Page(b"", {}, 503)]
    seen, events = search(SearXNGSearch, lambda one: answers.pop() if answers else searxng(URLS)(one))
    assert (len(seen), events[1]["urls_found"]) == (3, 10)
    with serving(lambda _: Page(b"", {"Retry-After": "60"}, 429)) as server, pytest.raises(NodeFailed):
        through(SearXNGSearch(url=server.url), [{"query": "roses"}])
    assert len(server.seen) == 1


def test_ds10_a_service_that_is_silent_is_waited_for_so_long():
    """The error says how long."""

    def silent(_):
        time.sleep(0.5)
        yield b"HTTP/1.1 200 OK\r\n\r\n"

    with pytest.raises(NodeFailed, match=r"no answer within 0\.2 s"):
        search(SearXNGSearch, silent, tries=1, timeout=200)


def test_ds13_redirects_of_a_service_lead_to_no_private_address():
    """And a key goes to no other server."""
    with serving({}) as canary:
        with pytest.raises(NodeFailed, match="redirects to what is refused"):
            search(BraveSearch, redirect(f"{canary.url}/search"), tries=1, **KEY)
        assert canary.connections == 0


def test_why_nothing_was_found_is_logged(caplog):
    """SearXNG finds nothing where no engine answers it."""
    with caplog.at_level(logging.WARNING, logger="transmissions"):
        search(SearXNGSearch, searxng([]))
    assert "qwant" in caplog.text


def test_a_url_that_is_none_is_refused():
    """Before anything runs."""
    with pytest.raises(UsageError, match="url"):
        SearXNGSearch(url="file:///etc/passwd")


def note(url, title, text):
    """Return a page of a crawl, as it is kept."""
    return f'---\nurl: "{url}"\ntitle: "{title}"\n---\n\n{text}\n'


def local(folder, query, **message):
    """Return the results of a search in a folder."""

    async def collect():
        async with bench([LocalSearch(folder=".")], [{"query": query, **message}], folder) as run:
            return [one async for one in run]

    return asyncio.run(collect())[1]["results"]


def test_a_folder_of_pages_is_searched(tmp_path):
    """What has more of the words comes first, the title above all; what has no URL, or a broken head, is no page."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.md").write_text(note("https://a.example/", "Trees", "Oaks, and a rose beside them, and more oaks."))
    (tmp_path / "deep" / "b.md").write_text(note("https://b.example/", "Roses", "How a rose is cut."))
    (tmp_path / "c.md").write_text("# Rose\n\nno page")
    (tmp_path / "d.md").write_text("---\nurl: [\n---\nrose")
    assert [one["url"] for one in local(tmp_path, 'a "rose OR roses')] == ["https://b.example/", "https://a.example/"]
    assert [one["rank"] for one in local(tmp_path, "rose", limit=1)] == [1]
    assert "a rose beside" in local(tmp_path, "oaks")[0]["search_snippet"]
    assert local(tmp_path, "tulips") == local(tmp_path, "?!") == []


def test_a_folder_that_is_not_there_is_an_error():
    """It is named, and none outside the folders of the run is looked into."""
    with pytest.raises(NodeFailed, match=r"there is no folder '.*none' to search"):
        through(LocalSearch(folder="none"), [{"query": "rose"}])
    with pytest.raises(NodeFailed, match="outside the folders of this run"):
        through(LocalSearch(folder="/etc"), [{"query": "rose"}])
