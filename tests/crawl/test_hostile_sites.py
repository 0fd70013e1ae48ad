"""Crawls of URLs and sites that mean ill: nothing private is reached on any way, and nothing takes more than it may."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time

import pytest
from bombs import bombs
from delivering import decoded
from egress_table import HOSTILE
from local_server import Page, redirect, serving
from site_of_pages import asking, crawl, html, serving_crawls, web
from websockets.sync.client import connect

from transmissions.processors.fetch import Door
from transmissions.processors.robots_rules import fetch_rules
from transmissions.processors.sitemaps import pages_listed

ONE = {"network.allow": "127.0.0.2/32", "fetch.tries": 1}
"""Of this machine only this address may be crawled; the canary is at all of them."""
REFUSED = {"POLICY_URL", "POLICY_EGRESS"}


@pytest.fixture
def canary():
    """Serve on all addresses of this machine what nothing hostile may reach."""
    with serving({"/": Page(b"reached")}, host="::") as server:
        yield server
        assert server.connections == 0


@pytest.fixture
def hostile(canary):
    """Give the URLs of the table with the port of the canary, where they have none."""
    return [
        re.sub(r"^(http://(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:@\\\[]+))(?=/|$)", rf"\1:{canary.server_port}", url) for url in HOSTILE
    ]


def codes(events):
    """Return the error codes of the pages, in order of their indices; None for one that is well."""
    told = {event["index"]: event.get("error", {}).get("error_code") for event in events if "index" in event}
    return [told[number] for number in sorted(told)]


@pytest.mark.parametrize("path", ["/crawl/stream", "/crawl/sse"])
def test_rq12_hostile_urls_are_refused_over_http(hostile, path):
    """Each has its own error, and no connection is made."""
    with serving_crawls("ask.mostUrls=500", allow="127.0.0.2/32") as server:
        body = server.ask("POST", path, asking(hostile))[2]
    lines = [line.removeprefix(b"data: ") for line in body.splitlines() if b"{" in line]
    told = codes(map(json.loads, lines))
    assert (len(told), set(told)) == (len(hostile), REFUSED)


def test_rq12_hostile_urls_are_refused_on_a_socket(hostile):
    """As over HTTP."""
    events = []
    with (
        serving_crawls("ask.mostUrls=500", allow="127.0.0.2/32") as server,
        connect(server.url.replace("http", "ws") + "/crawl/ws") as socket,
    ):
        socket.send(json.dumps({"action": "crawl", "request_id": "a", "data": asking(hostile)}))
        while not events or events[-1]["event"] != "summary":
            events.append({"event": ""} | json.loads(socket.recv(timeout=20))["data"])
    told = codes(events)
    assert (len(told), set(told)) == (len(hostile), REFUSED)


def test_rq12_hostile_urls_are_refused_on_the_command_line(hostile, tmp_path):
    """With and without rules of robots."""
    for number, obey in enumerate([True, False]):
        told = codes(crawl(hostile, tmp_path / str(number), {**ONE, "robots.obey": obey}))
        assert (len(told), set(told)) == (len(hostile), REFUSED)


def headed(urls):
    """Return those URLs of some that a header can hold."""
    return [url.encode().decode("latin-1") for url in urls if url.isprintable() and ":" in url]


def test_hostile_redirects_are_not_followed(hostile, tmp_path):
    """With any status, and by way of a page that redirects to another first."""
    urls = headed(hostile)
    statuses = (301, 302, 303, 307, 308)

    def pages(path):
        kind, _, number = path[1:].partition("/")
        if kind == "far":
            return redirect(f"/to/{number}")
        return redirect(urls[int(number)], statuses[int(number) % 5]) if kind == "to" else None

    with web(pages) as site:
        asked = [site.url(f"/{kind}/{number}") for number in range(len(urls)) for kind in ("to", "far")]
        told = codes(crawl(asked, tmp_path, {**ONE, "fetch.perHost": 8, "admit.perHost": 8}, concurrency=8))
    assert (len(told), set(told)) == (2 * len(urls), {"POLICY_EGRESS"})


def test_what_a_page_says_of_refreshing_is_not_followed(canary, tmp_path):
    """Neither in its head nor in a header."""
    there = f"http://127.0.0.1:{canary.server_port}/"
    page = html("R", head=f'<meta http-equiv="refresh" content="0; url={there}">')
    with web({"/": page._replace(headers={**page.headers, "Refresh": f"0; url={there}"})}) as site:
        assert codes(crawl(site.urls("/"), tmp_path, ONE)) == [None]


def test_hostile_links_are_not_followed(hostile, tmp_path):
    """Wherever a crawl may go."""
    links = [url.replace("&", "&amp;").replace('"', "&quot;") for url in hostile if len(url) < 2000]
    with web({"/": html("L", *links), "/etc/passwd": html("P")}) as site:
        events = crawl(site.urls("/"), tmp_path, ONE, max_depth=3, scope="any")
    hosts = {event["result"]["url"].split("/")[2].partition(":")[0] for event in events if event["event"] == "result"}
    assert hosts == {"127.0.0.2"}
    assert len(events) > 20, "some look like URLs until one asks where they lead"


def test_hostile_robots_and_sitemaps_are_not_followed(hostile, canary):
    """Neither where they redirect to, nor what they list."""
    urls = headed(hostile)

    async def work(server):
        async with Door(timeout=10, allow=["127.0.0.2"]) as door:
            for number in range(len(urls)):
                rules = await fetch_rules(f"{server.url}/{number}", door, {})
                assert rules.error
            listed = [one async for one in pages_listed([*hostile, f"{server.url}/map"], door, {})]
        return [error for _, errors in listed for error in errors]

    index = "".join(f"<sitemap><loc>{url.replace('&', '&amp;')}</loc></sitemap>" for url in urls)

    def pages(seen):
        first = seen.path.split("/")[1]
        return redirect(urls[int(first)]) if first.isdigit() else Page(f"<sitemapindex>{index}</sitemapindex>".encode())

    with serving(pages, "127.0.0.2") as server:
        errors = asyncio.run(work(server))
    assert len(errors) >= len(hostile)


def test_a_name_that_changes_its_address_is_not_followed_there(tmp_path, monkeypatch):
    """At first it leads where it may, and then to the canary."""
    asked = []

    def look_up(host, port, *_, **__):
        asked.append(host)
        address = "127.0.0.2" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    pages = {"/robots.txt": b"HTTP/1.1 404 None\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "/": html("H")}
    with web(pages) as site, serving({}, "127.0.0.1", site.servers[0].server_port) as canary:
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        told = codes(crawl([f"http://rebind.example:{site.servers[0].server_port}/"], tmp_path, ONE))
    assert (told, canary.connections) == (["POLICY_EGRESS"], 0)
    assert len(asked) == 2


def test_sites_are_told_nothing_of_each_other(tmp_path):
    """No cookie, no credentials and no page of another site goes along."""
    with web({"/a": html("A", "/c")}, hosts=2) as site:
        site.pages |= {"/go": redirect(site.url("/a", 1)), "/c": html("C")}
        site.pages["/set"] = html("S", "/go")._replace(headers={"Content-Type": "text/html", "Set-Cookie": "key=1"})
        crawl(site.urls("/set"), tmp_path, max_depth=3, scope="any")
    told = {name for seen in site.seen for name in seen.headers}
    assert site.asked() == {"/set": 1, "/go": 1, "/a": 1, "/c": 1}
    assert told.isdisjoint({"cookie", "authorization", "referer", "proxy-authorization", "traceparent"})


def dribbling(pieces, seconds):
    """Return an answer that comes a piece at a time."""

    def answer(_):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>"
        for piece in pieces:
            time.sleep(seconds)
            yield piece

    return answer


def endless():
    """Yield a body that does not end."""
    while True:
        yield b"x" * 65536


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (dribbling([b"x"] * 100, 0.1), "NET_TIMEOUT"),
        (dribbling(endless(), 0), "LIMIT_BYTES"),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n", "NET_BROKEN"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % one for one in range(5000)) + b"\r\n", "NET_BROKEN"),
        (b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n", "NET_BROKEN"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzzzz\r\n", "NET_BROKEN"),
    ],
)
def test_an_answer_that_means_ill_ends(tmp_path, answer, code):
    """After the time the request allows, or at a limit, and with an error that says which."""
    with web({"/": answer}) as site:
        (event,) = crawl(site.urls("/"), tmp_path, {"fetch.tries": 1}, timeout_seconds=1)
    assert event["error"]["error_code"] == code


def test_ten_thousand_links_are_followed_as_far_as_was_asked(tmp_path):
    """And no further."""
    links = [f"/{number}" for number in range(10_000)]
    with web(lambda path: html("L", *links, words=3) if path == "/" else html("P", words=3)) as site:
        events = crawl(site.urls("/"), tmp_path, {"admit.perHost": 8, "fetch.perHost": 8}, max_depth=1, max_pages=30)
    assert len(events) == 30


def test_hostile_titles_are_text(tmp_path):
    """Whatever a page is called, what is told of it are lines of JSON, and no file is named by it."""
    title = "../../etc/passwd\\n\x1b[31m&lt;script&gt;alert(1)&lt;/script&gt;\u202e" + "x" * 5000
    with web({"/": html(title)}) as site, serving_crawls() as server:
        events = decoded(server.ask("POST", "/crawl/stream", asking(site.urls("/")))[2])
        crawl(site.urls("/"), tmp_path)
    assert codes(events) == [None]
    assert "\x1b" not in json.dumps(events, ensure_ascii=False)
    assert all(path.resolve().is_relative_to(tmp_path.resolve()) for path in tmp_path.rglob("*"))


PEAK = r"""
import json, re, sys
import transmissions
def peak(): return int(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1])
def crawl(urls):
    message = {"urls": urls, "options": {"cache_mode": "bypass", "concurrency": 5}}
    settings = {"network.allow": "127.0.0.0/8", "fetch.tries": 1}
    return transmissions.run("crawl", message=message, output=sys.argv[1], settings=settings).messages
crawl(sys.argv[2:3])
before = peak()
events = crawl(sys.argv[3:])
print(json.dumps([peak() - before, sorted(event["error"]["error_code"] for event in events)]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_bomb_takes_no_more_memory_than_the_limit(tmp_path):
    """A page of 1 MB that would be 1 GiB ends at the limit of pages, in every encoding; an unknown one is refused."""
    bodies = {**bombs(), "compress": b"\x1f\x9d" * 2**19}
    pages = {f"/{name}": Page(body, {"Content-Encoding": name, "Content-Type": "text/html"}) for name, body in bodies.items()}
    with web({"/": html("A"), **pages}, hosts=3) as site:
        words = [sys.executable, "-P", "-c", PEAK, str(tmp_path), site.url("/"), *site.urls(*pages)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=100)
    grown, told = json.loads(done.stdout)
    assert told == [*["LIMIT_BYTES"] * 4, "PARSE_ENCODING"]
    assert grown < 32 * 1000
