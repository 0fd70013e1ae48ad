"""The pages that sites list in their sitemaps: in XML, text, compressed, in sitemaps of sitemaps, and hostile ones."""

import asyncio
import gzip

from local_server import Page, serving
from site_of_pages import by_url, crawl, html, web

from transmissions.processors.fetch import Door
from transmissions.processors.sitemaps import pages_listed

XML = '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</urlset>'
INDEX = '<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</sitemapindex>'
PAGES = {"/": html("Home"), "/a": html("A"), "/b": html("B")}


def listing(*urls, kind="url"):
    return "".join(f"<{kind}><loc> {url} </loc><lastmod>2026-01-01</lastmod></{kind}>" for url in urls)


def crawled(tmp_path, sitemap, **more):
    """Return the paths of the pages that are fetched of a site whose sitemap is made from its own URL."""
    with web({}) as site:
        site.pages = {**PAGES, "/sitemap.xml": sitemap(site)} | {path: make(site) for path, make in more.items()}
        return sorted(by_url(crawl(site.urls("/"), tmp_path, sitemaps=True)))


def xml(site, *paths):
    return XML.format(listing(*[site.url(path) for path in paths])).encode()


def index(site, *paths):
    return INDEX.format(listing(*map(site.url, paths), kind="sitemap")).encode()


def test_pages_of_a_sitemap_are_fetched(tmp_path):
    """What a site lists is fetched once, as if its page linked to it; other hosts are out of scope."""
    found = crawled(
        tmp_path, lambda site: Page(XML.format(listing(site.url("/a"), site.url("/a#x"), "http://127.0.0.9/b")).encode())
    )
    assert found == ["/", "/a"]


def test_sitemaps_list_sitemaps(tmp_path):
    """A sitemap of sitemaps is followed, compressed ones and plain text too; one that lists itself ends."""
    found = crawled(
        tmp_path,
        lambda site: Page(
            INDEX.format(listing(*map(site.url, ("/sitemap.xml", "/one.xml.gz", "/two.txt")), kind="sitemap")).encode()
        ),
        **{
            "/one.xml.gz": lambda site: Page(gzip.compress(xml(site, "/a")), {"Content-Type": "application/x-gzip"}),
            "/two.txt": lambda site: Page(f"\ufeff{site.url('/b')}\n\n".encode()),
        },
    )
    assert found == ["/", "/a", "/b"]


def test_robots_txt_says_where_they_are(tmp_path):
    """The sitemaps that robots.txt names are those that are read."""
    found = crawled(
        tmp_path,
        lambda site: Page(xml(site, "/b")),
        **{
            "/robots.txt": lambda site: Page(f"Sitemap: {site.url('/map')}".encode()),
            "/map": lambda site: Page(xml(site, "/a")),
        },
    )
    assert found == ["/", "/a"]


def test_a_bad_sitemap_costs_no_page(tmp_path, capsys, caplog):
    """A sitemap that is broken, declares entities, is a bomb or is not there is told of, and the crawl goes on."""
    bomb = gzip.compress(b" " * 60_000_000)
    for bad in (b"<urlset><url>", b'<!DOCTYPE x [<!ENTITY a "b">]><urlset/>', bomb, b"\x1f\x8bgarbage"):
        caplog.clear()
        assert crawled(tmp_path, lambda _, bad=bad: Page(bad)) == ["/"]
        assert len(caplog.records) == 1


def test_sitemaps_lead_nowhere_private(tmp_path, caplog):
    """CVE-2026-46497: a sitemap that robots.txt names at a forbidden address is not asked for."""
    with web({}) as canary, web({}) as site:
        site.pages = PAGES | {"/robots.txt": Page(f"Sitemap: {canary.url('/x')}".replace("127.0.0.2", "127.0.0.3").encode())}
        crawl(site.urls("/"), tmp_path, {"network.allow": "127.0.0.2/32"}, sitemaps=True)
        assert canary.servers[0].connections == 0
    assert "127.0.0.3" in caplog.text


def test_others_have_their_turn_while_a_small_sitemap_lists_very_many():
    """A few kilobytes may be a million URLs: they come some hundred at a time, with a turn of the loop between them."""
    body = gzip.compress(XML.format(listing("http://127.0.0.2/a") * 100_000).encode())
    turns = [0]

    async def work(url):
        async def take_turns():
            while True:
                turns[-1] += 1
                await asyncio.sleep(0)

        others = asyncio.create_task(take_turns())
        async with Door(allow=["127.0.0.2"]) as door:
            found = [(len(pages), turns[-1]) async for pages, _ in pages_listed([url], door, {}) if pages]
        others.cancel()
        return found

    with serving({"/": Page(body)}, "127.0.0.2") as server:
        found = asyncio.run(work(server.url))
    assert (len(body) < 65536, sum(pages for pages, _ in found)) == (True, 100_000)
    assert len({turn for _, turn in found}) == len(found) > 50
