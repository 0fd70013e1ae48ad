"""What a crawl leaves in files: Markdown, JSON lines, RDF and WARC; complete, once each, and whole after a kill."""

import json

import pytest
import rdflib
from local_server import Page
from site_of_pages import crawl, html, web
from warcio.archiveiterator import ArchiveIterator

from transmissions.processors.crawl_files import place_of
from transmissions.processors.crawl_lines import REPORTED
from transmissions.processors.crawl_log import key_in
from transmissions.testing import bench, through

ALL = {"data.enabled": True, "graph.enabled": True, "archive.enabled": True}
SITE = {"/": html("Home", "/a", "/b?x=1"), "/a": html('A "quoted" title'), "/b": html("B"), "/gone": Page(b"", status=410)}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Crawl a site of three pages and one that is gone, with every file written."""
    folder = tmp_path_factory.mktemp("crawled")
    with web(SITE) as site:
        crawl(site.urls("/", "/gone"), folder, ALL, max_depth=1)
        yield folder, site.url("")


def test_a_file_for_each_page(crawled):
    """Each page is a file of Markdown by host and path, with where it is from on top."""
    folder, url = crawled
    files = sorted(path.relative_to(folder / "pages").as_posix() for path in (folder / "pages").rglob("*.md"))
    host = url.removeprefix("http://").replace(":", "_")
    assert [name.removeprefix(f"{host}/") for name in files] == ["a.md", files[1].removeprefix(f"{host}/"), "index.md"]
    text = (folder / "pages" / host / "a.md").read_text()
    assert text.startswith(f'---\nurl: "{url}/a"\n')
    assert 'title: "A \\"quoted\\" title"\n' in text
    assert "A page about gardens" in text


def test_lines_hold_what_clients_get(crawled):
    """The JSON lines are the results, one for each page that could be fetched."""
    folder, url = crawled
    lines = [json.loads(line) for line in (folder / "pages.ndjson").read_text().splitlines()]
    assert sorted(line["url"] for line in lines) == [f"{url}/", f"{url}/a", f"{url}/b?x=1"]
    assert all(line["document"]["word_count"] > 100 for line in lines)


def test_triples_are_rdf(crawled):
    """The triples are N-Triples that say what each page is, and what it links to."""
    folder, url = crawled
    graph = rdflib.Graph().parse(folder / "pages.nt")
    schema, terms = rdflib.Namespace("https://schema.org/"), rdflib.DCTERMS
    assert len(list(graph.subjects(rdflib.RDF.type, schema.WebPage))) == 3
    assert {str(link) for link in graph.objects(rdflib.URIRef(f"{url}/"), terms.references)} == {f"{url}/a", f"{url}/b?x=1"}
    assert str(graph.value(rdflib.URIRef(f"{url}/a"), schema.name)) == 'A "quoted" title'


def test_answers_are_an_archive(crawled):
    """The WARC holds each answer as it came, with its headers, readable by others' tools."""
    folder, url = crawled
    with (folder / "pages.warc.gz").open("rb") as file:
        found = {
            record.rec_headers["WARC-Target-URI"]: (record.http_headers.get_statuscode(), record.content_stream().read())
            for record in ArchiveIterator(file, check_digests="raise")
            if record.rec_type == "response"
        }
    assert found[f"{url}/a"] == ("200", SITE["/a"].body)
    assert len(found) == 3


PATHS = ("/", "/A", "/a", "/a/", "/a?b", "/a?c", "/a/index", "/%2e%2e/x", "/CON", "/é", "/e%CC%81", "/a.b/")
URLS = [*PATHS, f"/{'x' * 300}", f"/{'x' * 301}"]


def test_no_two_urls_share_a_file():
    """Different URLs have different files, on file systems that fold case or Unicode too, and none leads out of its folder."""
    places = [place_of(f"http://example.org{path}") for path in URLS]
    assert len({place.casefold() for place in places}) == len(places)
    assert all(".." not in place.split("/") and max(map(len, place.split("/"))) < 130 for place in places)
    assert place_of("http://example.org/a/b") == "example.org/a/b"


def pages(*numbers):
    """Return pages as they come to a sink."""
    document = {"title": "T", "markdown": "text", "text": "text"}
    usual = {"status": 200, "headers": {}, "fetched_at": "2026-11-21T10:00:00Z", "document": document, "body": b"<p>text"}
    return [{"url": f"http://h/{one}", "final_url": f"http://h/{one}", "index": one, "depth": 1, **usual} for one in numbers]


def sinks():
    """Return the sinks that add to one file, as they stand in an app."""
    from transmissions.processors.crawl_files import PageLines
    from transmissions.processors.crawl_rdf import PageTriples
    from transmissions.processors.warc import WARCWriter

    made = ((PageLines, "p.ndjson"), (PageTriples, "p.nt"), (WARCWriter, "p.warc.gz"))
    return [kind(destination_file=name) for kind, name in made]


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("torn", [0, 1, 7, 60])
def test_a_file_that_was_cut_is_gone_on_with(tmp_path, at, torn):
    """A crawl that goes on cuts off what a kill left half written, and adds each page that is not there whole, once."""
    import asyncio

    class Crawl:
        is_resumed = True

    async def write(numbers, crawl=None):
        run = bench([sinks()[at]], pages(*numbers), tmp_path)
        run.state.whiteboard.update({"crawl": crawl, REPORTED: True})
        async with run:
            await run.wait()

    asyncio.run(write(range(5)))
    (path,) = tmp_path.glob("p.*")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - torn])
    asyncio.run(write(range(3, 8), Crawl()))
    keys, end = sinks()[at].known(path)
    assert keys == {key_in(page) for page in pages(*range(8))}
    assert end == path.stat().st_size
    asyncio.run(write([9]))
    assert len(sinks()[at].known(path)[0]) == 1


def test_pages_that_failed_are_in_no_file(tmp_path):
    """What has failed passes the sinks."""
    failed = {**pages(1)[0], "fault": {"message": "no"}}
    assert through(sinks(), [failed]) == [failed]


def test_without_a_report_no_crawl_waits_for_ever():
    """A pipe without a CrawlReport gives out all its pages, though nobody says when one is done."""
    from transmissions.processors.crawl_frontier import CrawlFrontier

    urls = [f"http://h{number}/" for number in range(50)]
    assert len(through([CrawlFrontier()], [{"urls": urls}])) == 50
