"""What a crawl goes on to from the pages it has: each once, as far as was asked, and not for ever."""

import asyncio
import subprocess
import sys
from itertools import islice

import pytest
from site_of_pages import ALLOW, by_url, crawl, html, web

import transmissions
from transmissions.processors.crawl_lines import Lines
from transmissions.processors.crawl_request import CrawlOptions
from transmissions.processors.crawl_scope import Scope, canonical
from transmissions.processors.egress import take_apart
from transmissions.processors.frontier_queue import Found, FrontierQueue, Row, key_of

DROPPING = """
from transmissions import Processor


class DropEven(Processor):
    '''Drop every other page.'''

    async def process(self, page):
        return page if page["index"] % 2 else None
"""
DROPS = """
@prefix : <http://purl.org/stuff/transmissions/> .
:drops a :EntryTransmission ; :pipe ( [ a :CrawlFrontier ] :drop [ a :CrawlReport ] ) .
:drop a :DropEven ; :concurrency 4 ; :ordered false .
"""
HOME = "http://www.example.org/docs/start"


def followed(*links, seed=HOME, **options):
    """Return those of some links that are followed."""
    return [found.url for found in Scope(CrawlOptions(**options)).select(links, Row(1, seed, "", 0, 1), seed)]


def fetched(events):
    """Return the depth of each page by its path."""
    return {path: event["result"]["depth"] for path, event in by_url(events).items()}


def test_links_are_followed_as_deep_as_was_asked(tmp_path):
    """Each once, in the order they were found, with how far it is from where the crawl began."""
    pages = {"/": html("H", "/a", "/b"), "/a": html("A", "/b", "/c"), "/b": html("B", "/"), "/c": html("C", "/d")}
    with web(pages) as site:
        events = crawl(site.urls("/"), tmp_path, max_depth=2)
    assert fetched(events) == {"/": 0, "/a": 1, "/b": 1, "/c": 2}
    assert site.asked() == dict.fromkeys(["/", "/a", "/b", "/c"], 1)
    assert sorted(event["index"] for event in events) == [0, 1, 2, 3]


def test_links_that_are_not_to_be_followed_are_not(tmp_path):
    """By whoever goes by the name that the page gives."""
    pages = {"/": html("H", "/a", "/b"), "/a": html("A", "/c"), "/b": html("B", "/d"), "/d": html("D")}
    for path, name in (("/a", "Rose"), ("/b", "other")):
        pages[path].headers["X-Robots-Tag"] = f"{name}: noindex, nofollow"
    with web(pages) as site:
        events = crawl(site.urls("/"), tmp_path, {"network.userAgent": "rose/1.0 (gardens)"}, max_depth=3)
    assert fetched(events) == {"/": 0, "/a": 1, "/b": 1, "/d": 2}
    assert ["noindex" in event["result"] for _, event in sorted(by_url(events).items())] == [False, True, False, False]


def test_one_page_by_several_names_is_fetched_once(tmp_path):
    """Fragments, campaigns, sessions and codes of plain letters make no other page."""
    names = ("/a#part", "/a?utm_source=x&utm_medium=y", "/a?PHPSESSID=9", "/a;jsessionid=7", "/%61", "/a?fbclid=z")
    with web({"/": html("H", "/a", *names), "/a": html("A")}) as site:
        crawl(site.urls("/"), tmp_path, max_depth=1)
    assert site.asked() == {"/": 1, "/a": 1}


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("HTTP://Example.org:80", "http://example.org/"),
        ("https://example.org:443/?#x", "https://example.org/"),
        ("http://example.org/a?b=1&utm_x=2&c=3", "http://example.org/a?b=1&c=3"),
        ("http://example.org/a?utm_x=2", "http://example.org/a"),
        ("http://example.org/a?b=%7e&c=%2f", "http://example.org/a?b=~&c=%2F"),
        ("http://example.org/a?utmost=1&notgclid=2", "http://example.org/a?utmost=1&notgclid=2"),
        ("http://example.org/a?b&b&", "http://example.org/a?b&b"),
        ("http://bücher.example.org/ü", "http://xn--bcher-kva.example.org/%C3%BC"),
    ],
)
def test_urls_are_compared_in_one_form(url, text):
    """What differs without a difference is left out, and nothing else."""
    assert canonical(take_apart(url)) == text


@pytest.mark.parametrize(
    ("scope", "paths"),
    [
        ("host", ["http://www.example.org/docs/a", "http://www.example.org/b", "https://www.example.org/c"]),
        ("prefix", ["http://www.example.org/docs/a"]),
        (
            "domain",
            [
                *("http://www.example.org/docs/a", "http://www.example.org/b", "https://www.example.org/c"),
                *("http://example.org/d", "http://deep.sub.example.org/e", "http://www.example.org:8080/f"),
            ],
        ),
    ],
)
def test_the_scope_says_which_links_are_followed(scope, paths):
    """To the host, below the folder of the URL, or to hosts below its name; with `any`, wherever they lead."""
    links = [
        *("http://www.example.org/docs/a", "http://www.example.org/b", "https://www.example.org/c", "http://example.org/d"),
        *("http://deep.sub.example.org/e", "http://www.example.org:8080/f", "http://badexample.org/", "http://example.com/"),
        *("ftp://www.example.org/docs/a", "http://user@www.example.org/docs/a", "nonsense", "mailto:a@example.org"),
    ]
    assert set(followed(*links, scope=scope)) == set(paths)
    assert set(followed(*links, scope="any")) >= {"http://badexample.org/", "http://example.com/"}


def test_links_may_be_chosen_by_their_paths():
    """Only what fits a pattern that is included, and none that is excluded."""
    links = [f"{HOME}/{name}" for name in ("a.html", "deep/b.html", "c.pdf", "print/d.html")]
    assert followed(*links, include=("**/*.html",), exclude=("**/print/**",)) == [links[0], links[1]]


def test_what_is_no_text_is_no_link():
    """A reader of one's own may say anything; what can be followed is."""
    assert followed(7, None, b"http://www.example.org/", HOME + "/a") == [HOME + "/a"]


def test_no_more_pages_are_fetched_than_was_asked_for(tmp_path):
    """Just so many, though pages link to others that are known, and each to itself."""
    pages = {f"/{one}": html("P", f"/{one}", f"/{one - 1}", f"/{2 * one + 1}", f"/{2 * one + 2}", words=3) for one in range(90)}
    with web(pages) as site:
        events = crawl(site.urls("/0"), tmp_path, max_depth=20, max_pages=17)
    assert (len(events), sum(site.asked().values())) == (17, 17)


def test_fewer_pages_than_urls_make_no_sense(tmp_path):
    """All that are asked for are answered."""
    with pytest.raises(transmissions.TransmissionsError, match="2 are fewer than the 3 URLs asked for"):
        crawl(["http://127.0.0.2/"] * 3, tmp_path, max_pages=2)


def endless(path):
    """Return a page that leads on for ever, in some way."""
    number = int(path.rpartition("/")[2] or 0) if path.rpartition("/")[2].isdigit() else 0
    kinds = {"calendar": f"/calendar/{number + 1}", "grow": f"{path}/grow", "turn": f"{path}/left/right"}
    kind = path.split("/")[1]
    return html("T", kinds.get(kind, "/"), f"/session/{number}?PHPSESSID={number + 1}", words=3)


@pytest.mark.parametrize(("trap", "most"), [("calendar/0", 21), ("grow", 4), ("turn", 5), ("session/0", 3)])
def test_a_trap_ends(tmp_path, trap, most):
    """By depth, by paths that repeat themselves, and by sessions, which make no other page."""
    with web(endless) as site:
        crawl(site.urls(f"/{trap}"), tmp_path, {"admit.perHost": 8, "fetch.perHost": 8}, max_depth=20)
    assert len([path for path in site.asked() if path.split("/")[1] == trap.split("/")[0]]) <= most


def lines_of(urls, **options):
    """Return URLs in line."""
    queue = FrontierQueue(None, "test")
    queue.add((Found(key_of(url), url, url.split("/")[2], 0, number) for number, url in enumerate(urls, 1)), len(urls))
    settings = {"at_once": 2, "per_host": 1, "most": 100, "links": lambda _row, page: page.get("found", ())} | options
    return Lines(queue, *settings.values())


def test_a_page_that_is_lost_on_its_way_gives_its_place_back(tmp_path, monkeypatch):
    """Some step drops it, and nobody says that it is done: the crawl goes on, be there one place only."""
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "dropping.py").write_text(DROPPING)
    (tmp_path / "apps" / "drops").mkdir(parents=True)
    (tmp_path / "apps" / "drops" / "transmissions.ttl").write_text(DROPS)
    monkeypatch.chdir(tmp_path)
    message = {"urls": [f"http://127.0.0.2:1/{number}" for number in range(9)], "options": {"concurrency": 1}}
    result = transmissions.run("drops", message=message, output=tmp_path / "out", timeout=20)
    assert [event["index"] for event in result.messages] == [1, 3, 5, 7]


def test_no_host_waits_for_another():
    """A host with many URLs is asked no more at once than it may be, and the others have their turns."""

    async def work():
        lines = lines_of([*(f"http://many/{number}" for number in range(50)), "http://few/1"], at_once=5)
        (first, one), (second, two) = [await anext(rows) for rows in [aiter(lines)] for _ in "12"]
        one.done({})
        two.done({})
        return first.host, second.host

    assert asyncio.run(asyncio.wait_for(work(), 10)) == ("many", "few")


def test_others_have_their_turn_while_the_links_of_a_page_are_queued():
    """However many a page has: it takes its place until all are in line, and another crawl's page does not wait for that."""
    turns = []

    async def work():
        lines = lines_of(["http://a/"], at_once=1, most=5000, links=lambda *_: many_links(turns))
        rows = aiter(lines)
        (await anext(rows))[1].done({})
        asyncio.get_running_loop().call_soon(turns.append, "another")
        await anext(rows)
        return lines.total

    assert asyncio.run(asyncio.wait_for(work(), 10)) == 3001
    assert turns.index("another") < 1000
    assert turns[-1] == 2999


def many_links(turns):
    """Yield links, and note each."""
    for number in range(3000):
        turns.append(number)
        url = f"http://b/{number}"
        yield Found(key_of(url), url, "b", 1, 1)


def test_a_queue_that_fails_ends_the_crawl(tmp_path):
    """Also if that is noticed when a page is long done."""

    async def work(queue):
        lines = Lines(queue, 1, 1, 5000, lambda *_: many_links([]))
        rows = aiter(lines)
        ticket = (await anext(rows))[1]
        queue.close()
        ticket.done({})
        await anext(rows)

    queue = FrontierQueue(tmp_path / "crawl.db", "test")
    queue.add([Found(b"1", "http://a/", "a", 0, 1)], 1)
    with pytest.raises(transmissions.RunError, match=r"crawl\.db"):
        asyncio.run(asyncio.wait_for(work(queue), 10))


@pytest.mark.parametrize("good", [3, 1000])
def test_links_that_cannot_be_queued_do_not_hold_the_crawl_up(good):
    """Be it among the first or long after: whoever is asked for them hears of it, and the place of their page is free again."""
    told = []

    def links(*_):
        yield from islice(many_links([]), good)
        raise ValueError("no more")

    async def work():
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))
        lines = lines_of(["http://a/"], at_once=1, most=5000, links=links)
        rows = aiter(lines)
        try:
            (await anext(rows))[1].done({})
        except ValueError as error:
            told.append(error)
        await anext(rows, None)

    asyncio.run(asyncio.wait_for(work(), 10))
    assert [str(error) for error in told] == ["no more"]


def test_two_crawls_do_not_share_a_queue(tmp_path):
    """The second is told so at once, and may have it when the first is over."""
    path = tmp_path / "crawl.db"
    first = FrontierQueue(path, "a crawl")
    with pytest.raises(transmissions.RunError, match=r"crawl.db' is in use by another program"):
        FrontierQueue(path, "a crawl")
    first.close()
    FrontierQueue(path, "a crawl").close(forget=True)
    assert not path.exists()


MEASURED = """
import asyncio
from transmissions.processors.crawl_lines import Lines
from transmissions.processors.crawl_request import CrawlOptions
from transmissions.processors.crawl_scope import Scope
from transmissions.processors.frontier_queue import FrontierQueue, Found, key_of

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

async def work():
    queue, scope = FrontierQueue(None, "x"), Scope(CrawlOptions(scope="any"))
    queue.add([Found(key_of("s"), "http://seed.example/", "seed.example", 0, 1)], 1)
    def links(row, page):
        at = row.id - 1
        some = range(at * 1000, (at + 1) * 1000)
        return scope.select((f"http://h{n % 500}.example/a/path/of/some/length/{n}?q={n}" for n in some), row, row.url)
    lines = Lines(queue, 50, 2, 100_000, links)
    before, count = peak(), 0
    async for row, ticket in lines:
        ticket.done({})
        count += 1
        if lines.waiting > 99_000:
            break
    print(lines.total, peak() - before)

asyncio.run(work())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_hundred_thousand_urls_in_line_take_little_memory():
    """They wait in SQLite: 32 MiB are enough for them and their hosts."""
    words = [sys.executable, "-c", MEASURED]
    total, mebibytes = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert int(total) > 99_000
    assert float(mebibytes) < 32


def test_a_link_to_what_is_not_public_is_not_fetched(tmp_path):
    """It is an error of its own, and the crawl goes on."""
    with web({"/": html("H", "http://10.0.0.1/", "/a"), "/a": html("A")}) as site:
        events = by_url(crawl(site.urls("/"), tmp_path, {**ALLOW, "network.allow": "127.0.0.2"}, max_depth=1, scope="any"))
    assert [event["event"] for event in events.values()].count("error") == 1
    assert site.asked() == {"/": 1, "/a": 1}
