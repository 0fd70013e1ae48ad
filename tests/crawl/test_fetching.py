"""Fetching the pages of a crawl: each URL answered once, how many at a time, tries, and why there is none."""

import time

import pytest
from local_server import Page, redirect
from site_of_pages import Flaky, Slow, by_url, crawl, html, web

import transmissions

BUSY = Page(b"busy", {"Retry-After": "1"}, 429)


def test_every_url_has_one_event(tmp_path):
    """RQ-11, ND-06, ND-07: each URL that was asked for has one result or one error, twins too, whatever fails."""
    with web({"/a": html("A"), "/b": html("B")}) as site:
        urls = [*site.urls("/a", "/a", "/none", "/b"), "nonsense", "http://127.0.0.1:1/"]
        events = crawl(urls, tmp_path)
    assert sorted(event["index"] for event in events) == [0, 1, 2, 3, 4, 5]
    assert sorted(event["event"] for event in events) == ["error"] * 3 + ["result"] * 3


def test_concurrency_is_what_was_asked_for(tmp_path):
    """RQ-05: no more pages are fetched at once than the request says."""
    pages = {f"/{number}": Slow(0.03, html("S")) for number in range(24)}
    with web(pages, hosts=4) as site:
        crawl(site.urls(*pages), tmp_path, {"admit.perHost": 9, "fetch.perHost": 9}, concurrency=3)
    assert site.most_at_once == 3


def test_a_host_is_spared(tmp_path):
    """Of one host no more than `perHost` pages are asked at once, and they begin `delay` apart."""
    pages = {f"/{number}": Slow(0.05, html("S")) for number in range(6)}
    with web(pages) as site:
        crawl(site.urls(*pages), tmp_path, {"fetch.delay": 80}, concurrency=6)
    begun = sorted(when for when, path in site.begun if path != "/robots.txt")
    assert site.most_at_once <= 2
    assert begun[-1] - begun[0] > 0.25  # 0.1 without the delay, 0.4 with it; the site itself may be late to hear of one


def test_time_out_of_the_request_is_kept(tmp_path):
    """RQ-07, EV-27: a page that takes longer than the request allows is an error that says so."""
    with web({"/slow": Slow(2, html("S"))}) as site:
        (event,) = crawl(site.urls("/slow"), tmp_path, {"fetch.tries": 1}, timeout_seconds=0.3)
    error = event["error"]
    assert (error["error_code"], error["type"], error["category"], error["retryable"]) == (
        "NET_TIMEOUT",
        "timeout",
        "network",
        True,
    )
    assert error["context"] == {"attempt_number": 1, "max_retries": 1, "timeout_threshold_ms": 300}
    assert event["recovery_suggestions"][0] == "Retry with longer timeout"


def test_what_passes_is_tried_again(tmp_path):
    """ER-13: a page that fails and then is there is a result; one that goes on failing says how often it was tried."""
    with web({"/flaky": Flaky(Page(status=500), html("F")), "/broken": Page(status=502)}) as site:
        events = by_url(crawl(site.urls("/flaky", "/broken"), tmp_path))
    assert events["/flaky"]["event"] == "result"
    assert events["/broken"]["error"]["context"]["attempt_number"] == 3
    assert site.asked() == {"/flaky": 2, "/broken": 3}


def test_a_server_that_asks_for_patience_has_it(tmp_path):
    """ER-14: Retry-After is waited for where it is short."""
    with web({"/busy": Flaky(BUSY, html("B"))}) as site:
        began = time.monotonic()
        (event,) = crawl(site.urls("/busy"), tmp_path)
    assert event["event"] == "result"
    assert time.monotonic() - began >= 1.0


def test_too_much_patience_is_an_error(tmp_path):
    """ER-14: where a server asks for more than is waited, the error says how long it asked for."""
    with web({"/busy": Page(b"", {"Retry-After": "3600"}, 503)}) as site:
        (event,) = crawl(site.urls("/busy"), tmp_path)
    assert event["error"]["retry_after_seconds"] == 3600
    assert event["error"]["error_code"] == "HTTP_BUSY"
    assert site.asked() == {"/busy": 1}


@pytest.mark.parametrize("later", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Wed, 99 Foo", "-5", "9" * 400, "²"])
def test_a_time_that_nobody_can_tell_is_asked_for_by_nobody(tmp_path, later):
    """ER-14: the page has its error as any other, and the crawl goes on."""
    with web({"/busy": Page(b"", {"Retry-After": later}, 503), "/a": html("A")}) as site:
        events = by_url(crawl(site.urls("/busy", "/a"), tmp_path, {"fetch.tries": 1}))
    assert (events["/busy"]["error"]["error_code"], events["/busy"]["error"]["retry_after_seconds"]) == ("HTTP_BUSY", None)
    assert events["/a"]["event"] == "result"


def test_a_server_that_asks_to_be_left_alone_is(tmp_path):
    """ER-14: no other page of it is asked for meanwhile; that a page of another site led there is not that site's fault."""
    with web({"/busy": Page(b"", {"Retry-After": "3600"}, 429), "/a": html("A"), "/b": html("B")}, hosts=2) as site:
        site.pages["/go"] = redirect(site.url("/busy", 1))
        urls = [site.url("/go"), site.url("/a", 1), site.url("/b", 0)]
        events = by_url(crawl(urls, tmp_path, concurrency=1))
    assert events["/b"]["event"] == "result"
    assert {events[path]["error"]["error_code"] for path in ("/go", "/a")} == {"HTTP_BUSY"}
    assert site.asked() == {"/go": 1, "/busy": 1, "/b": 1}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Page(b"x", status=404), "HTTP_STATUS"),
        (Page(b"x", {"Content-Type": "image/png"}), "PARSE_TYPE"),
        (Page(b"x" * 3_000_000, {"Content-Type": "text/plain"}), "LIMIT_BYTES"),
        (Page(b"", {"Location": "/a"}, 302), "HTTP_REDIRECTS"),
        (Page(b"", {"Location": "file:///etc/passwd"}, 302), "POLICY_EGRESS"),
        (Page(b"no gzip", {"Content-Type": "text/html", "Content-Encoding": "gzip"}), "PARSE_ENCODING"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nContent-Type: text/html\r\n\r\nshort", "NET_BROKEN"),
    ],
)
def test_why_there_is_no_page(tmp_path, answer, code):
    """EV-26: whatever is wrong with an answer has a code of its own."""
    with web({"/a": answer}) as site:
        (event,) = crawl(site.urls("/a"), tmp_path, {"fetch.tries": 1, "fetch.maxBytes": 2_000_000})
    assert event["error"]["error_code"] == code


def test_a_page_is_fetched_once(tmp_path):
    """CP-12: one request for each page, and none of another."""
    with web({"/a": html("A", "/b")}) as site:
        crawl(site.urls("/a"), tmp_path)
    assert site.asked() == {"/a": 1}


def test_redirects_are_told(tmp_path):
    """A result says where its page was in the end, and over which URLs it was found."""
    with web({"/a": Page(b"", {"Location": "/b"}, 301), "/b": html("B")}) as site:
        (event,) = crawl(site.urls("/a"), tmp_path)
        assert event["result"]["final_url"] == site.url("/b")
        assert event["result"]["redirects"] == [site.url("/a")]


def test_a_dead_host_does_not_hold_up_a_crawl(tmp_path):
    """It is tried some times, and given up for a while: each of its pages says so at once, and others are not touched."""
    urls = [f"http://127.0.0.9:1/{number}" for number in range(200)]
    with web({"/": html("A")}) as site:
        events = crawl([*urls, site.url("/")], tmp_path, {"robots.obey": False, "fetch.tries": 1})
    errors = [event["error"] for event in events if event["event"] == "error"]
    assert {error["error_code"] for error in errors} == {"NET_CONNECT"}
    assert len(errors) == 200
    assert sum("left alone" in error["message"] for error in errors) >= 180


def test_what_a_host_redirects_to_is_not_its_fault(tmp_path):
    """Links that lead to dead hosts do not make the one they are of a dead one."""
    pages = {f"/{number}": redirect("http://127.0.0.9:1/") for number in range(20)}
    with web({**pages, "/good": html("G")}) as site:
        events = by_url(crawl(site.urls(*pages, "/good"), tmp_path, {"fetch.tries": 1}))
    assert events["/good"]["event"] == "result"
    assert sum("left alone" in event["error"]["message"] for path, event in events.items() if path != "/good") == 0


@pytest.mark.parametrize("name", ["a\r\nX-More: b", "gärtner/1.0", "a\0b"])
def test_a_name_that_no_header_can_hold_is_refused(tmp_path, name):
    """Before anything is fetched."""
    with web({}) as site, pytest.raises(transmissions.TransmissionsError, match="cannot stand in a header"):
        crawl(site.urls("/"), tmp_path, {"network.userAgent": name})
    assert site.begun == []
