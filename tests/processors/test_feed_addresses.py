"""HTMLFeedExtractor and OpmlFeedExtractor."""

import pytest

from transmissions import RunError
from transmissions.processors.feed_addresses import HTMLFeedExtractor, OpmlFeedExtractor

PAGE = (
    "<link rel=alternate type=application/rss+xml href=r title=R><link rel='alternate stylesheet' type=text/css href=x>"
    "<link rel=ALTERNATE type='application/atom+xml; charset=utf-8' href=/a><a href='feed.xml?x'>F</a>"
    "<a href=r>r</a><a href=/a>a</a>"
)


@pytest.mark.parametrize(("preferred", "best"), [("any", "rss"), ("atom", "atom"), ("json", "rss")])
def test_a_page_offers_feeds(bench, preferred, best):
    """The preferred type comes first, then the page's order; links that look like feeds come last, each address once."""
    (message,) = bench.through(HTMLFeedExtractor(preferred_type=preferred), {"content": PAGE, "url": "http://e.org/b/"})
    urls = {"rss": "http://e.org/b/r", "atom": "http://e.org/a"}
    assert (message["feedUrl"], message["feedType"]) == (urls[best], best)
    assert sorted(feed["url"] for feed in message["feedCandidates"]) == [urls["atom"], "http://e.org/b/feed.xml?x", urls["rss"]]


@pytest.mark.parametrize(
    "page", ["", "<p>x", "<link rel=alternate type=application/rss+xml href=javascript:x>", "<a>" * 50_000]
)
def test_a_page_without_a_feed_has_no_candidates(bench, page):
    """The other fields are not made."""
    assert bench.through(HTMLFeedExtractor(), {"content": page}) == [{"content": page, "feedCandidates": []}]


OPML = """<?xml version="1.0" encoding="utf-16"?><opml><head><title>x</title></head><body><outline text="A"><outline title="B">
<outline text="f" type="rss" xmlUrl="http://f" htmlUrl="http://h"/></outline><outline xmlUrl="http://f"/></outline>
<outline xmlUrl="http://g"/></body></opml>"""


@pytest.mark.parametrize("encode", [str, lambda text: text.encode("utf-16")], ids=["text", "bytes"])
def test_an_opml_document_lists_feeds_with_their_folders(bench, encode):
    """Each address once, and all that the document says of it."""
    (message,) = bench.through(OpmlFeedExtractor(), {"content": encode(OPML)})
    assert message["feedUrls"] == ["http://f", "http://g"]
    assert message["feeds"] == [
        {"url": "http://f", "title": "f", "htmlUrl": "http://h", "type": "rss", "folders": ["A", "B"]},
        {"url": "http://g"},
    ]
    assert bench.through(OpmlFeedExtractor(unique=False), {"content": OPML})[0]["feedUrls"] == [
        "http://f",
        "http://f",
        "http://g",
    ]


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ("", "field 'content':1:1: not well-formed XML: no element found"),
        ("<opml>\n<outline>", "field 'content':2:10: not well-formed"),
        ("<html/>", "no OPML: the document begins with <html>"),
        ("<!DOCTYPE opml [<!ENTITY a 'b'>]><opml>&a;</opml>", "1:16: the document declares a document type"),
        ("<opml>" + "<outline>" * 200, "more than 100 outlines lie inside one another"),
        ("<opml>" + "<a>" * 1_000_000, "not well-formed"),
        ("<opml><outline text='\ud800\0", "not well-formed"),
    ],
)
def test_what_is_no_opml_is_refused(bench, document, fault):
    """The error says where; entities are neither grown nor read."""
    with pytest.raises(RunError, match=fault):
        bench.through(OpmlFeedExtractor(), {"content": document})
