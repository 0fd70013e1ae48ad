"""FeedParser and AtomBuilder."""

import html
import json
from xml.etree import ElementTree as ET

import pytest

from transmissions import RunError
from transmissions.processors.atom import AtomBuilder
from transmissions.processors.feeds import FeedParser

ATOM = """<?xml version="1.0" encoding="iso-8859-1"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://e.org/">
<title type="html">T &amp;amp; ü</title><id>urn:x</id><updated>2024-05-01T12:00:00+02:00</updated>
<link rel="self" href="f.atom"/>
<link href="/"/><author><name>Ann</name><email>a@e.org</email><uri>http://a.nn</uri></author><rights>R</rights>
<entry><title>E</title><id>urn:1</id><link href="a"/><link rel="enclosure" href="m.mp3" type="audio/mpeg" length="5"/>
<updated>2024-05-01T12:00:00Z</updated><published>2024-04-01</published><summary>a &lt; b</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p onclick="x">c <a href="r">x</a><br/>y</p>
<script>1</script></div>
</content><category term="k"/></entry></feed>"""
RSS = """<rss version="2.0" xmlns:c="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>T</title><link>http://e.org/</link><description>D</description><item><title>&lt;b&gt;x&lt;/b&gt; &amp;amp; y</title>
<guid isPermaLink="false">g1</guid><link>http://e.org/1</link><pubDate>Wed, 01 May 2024 10:00:00 +0200</pubDate>
<dc:creator>Bob</dc:creator>
<description>s</description><c:encoded><![CDATA[<p>c</p>]]></c:encoded></item></channel></rss>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="u">
<title>T</title></channel><item rdf:about="i"><title>x</title><link>http://e.org/1</link></item></rdf:RDF>"""
JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "T",
    "feed_url": "http://e.org/f.json",
    "items": [
        {
            "id": 5,
            "url": "/a",
            "content_html": "<p onclick=x>a<a href=b>c</a>",
            "date_published": "2024-05-01T12:00:00+02:00",
            "authors": [{"name": "A"}, 1],
            "tags": ["k", 2],
            "attachments": [{"url": "m", "mime_type": "audio/x", "size_in_bytes": 3}],
        },
        "no item",
    ],
}


def parsed(bench, data, **settings):
    """Return a feed as data."""
    return bench.through(FeedParser(**settings), {"content": data})[0]["feed"]


def test_an_atom_feed_is_read(bench):
    """Text that was decoded already is read whatever it declares; links are absolute, times in UTC, scripts gone."""
    feed = parsed(bench, ATOM)
    meta, (entry,) = feed["meta"], feed["entries"]
    assert (feed["format"], feed["version"], meta["title"], meta["updated"]) == ("atom", "1.0", "T & ü", "2024-05-01T10:00:00Z")
    assert meta["authors"] == [{"name": "Ann", "email": "a@e.org", "url": "http://a.nn"}]
    assert (entry["published"], entry["link"], entry["categories"]) == ("2024-04-01T00:00:00Z", "http://e.org/a", ["k"])
    assert (entry["summary"], entry["content"]) == ("a &lt; b", '<p>c <a href="http://e.org/r">x</a><br>y</p>')
    assert entry["enclosures"] == [{"url": "http://e.org/m.mp3", "type": "audio/mpeg", "length": 5}]
    assert "raw" not in entry


def test_raw_content_is_given_on_demand(bench):
    """It stands as it stands in the feed."""
    (entry,) = parsed(bench, ATOM, include_raw_content=True)["entries"]
    assert "<script>1</script>" in entry["raw"]["content"]


def test_an_rss_feed_is_read(bench):
    """Titles are text, and what the feed does not tell is absent."""
    feed = parsed(bench, RSS.encode())
    assert (feed["format"], feed["version"], feed["meta"]["subtitle"]) == ("rss", "2.0", "D")
    assert feed["entries"] == [
        {
            "id": "g1",
            "title": "x & y",
            "link": "http://e.org/1",
            "links": [{"url": "http://e.org/1", "rel": "alternate", "type": "text/html"}],
            "author": "Bob",
            "authors": [{"name": "Bob"}],
            "published": "2024-05-01T08:00:00Z",
            "summary": "s",
            "content": "<p>c</p>",
        }
    ]
    rdf = parsed(bench, RDF)
    assert (rdf["format"], rdf["version"], rdf["entries"][0]["title"]) == ("rdf", "1.0", "x")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "iso-8859-1"])
def test_bytes_are_read_as_they_declare(bench, encoding):
    """Marks, declarations and the look of UTF-16 tell the charset."""
    data = f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>ü</title></channel></rss>'
    assert parsed(bench, data.encode(encoding))["meta"] == {"title": "ü"}


def test_a_json_feed_is_read(bench):
    """It becomes what any feed becomes; what is no item is passed over."""
    feed = parsed(bench, json.dumps(JSON))
    assert (feed["format"], feed["version"], feed["meta"]["title"]) == ("json", "1.1", "T")
    (entry,) = feed["entries"]
    assert (entry["id"], entry["link"], entry["author"], entry["categories"]) == ("5", "http://e.org/a", "A", ["k"])
    assert (entry["published"], entry["content"]) == ("2024-05-01T10:00:00Z", '<p>a<a href="http://e.org/b">c</a></p>')
    assert entry["enclosures"] == [{"url": "http://e.org/m", "type": "audio/x", "length": 3}]


def test_the_parts_of_an_attachment_are_what_they_are_said_to_be(bench):
    """A JSON Feed may hold any value there: the length is bytes or nothing, as is a type of media."""
    sizes = [9, 0, "12", -1, 2.5, True, "many", [1], {"a": 1}, None]
    parts = [{"url": "http://e.org/a", "mime_type": {"a": size}, "size_in_bytes": size} for size in sizes]
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "attachments": parts}]}
    [entry] = parsed(bench, json.dumps(feed))["entries"]
    known = [{"url": "http://e.org/a", "length": length} for length in (9, 0, 12)]
    assert entry["enclosures"] == [*known, *[{"url": "http://e.org/a"}] * 7]


def test_of_a_broken_feed_is_read_what_can_be(bench, caplog):
    """The reason is a warning, in the data and in the log."""
    feed = parsed(bench, "<rss version='2.0'><channel><item><title>a</title></item><item><title>b & c</title></item>")
    assert [entry["title"] for entry in feed["entries"]] == ["a", "b & c"]
    assert feed["warning"].startswith("field 'content' is not well-formed, 2 entries could be read: ")
    assert caplog.messages == [feed["warning"]]


HEAD = "<rss version='2.0'><channel><title>t</title>"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("", "field 'content' is no feed"),
        ("hello", "no feed: .*syntax error"),
        ("<html><p>x</html>", "no feed: .*mismatched tag"),
        ("/etc/passwd", "no feed"),
        ("http://localhost/feed", "no feed"),
        ("{}", "no feed: its `version`"),
        ("<feed><entry><textInput><description>a</description></entry></feed>", "too broken to be read: KeyError"),
        ("[" * 100_000, "not valid JSON"),
        (f"{HEAD}\n{'<a>' * 1_000_000}", "field 'content':2: no feed: more than 500 elements are open"),
        (f"{HEAD}\n{'<a>' * 1_000}".encode("utf-16"), "more than 500 elements are open"),
    ],
)
def test_what_is_no_feed_is_refused(bench, data, fault):
    """The error says why; nothing is opened or fetched."""
    with pytest.raises(RunError, match=fault):
        parsed(bench, data)


def within(text):
    """Return a feed whose only entry tells a text."""
    return f"{HEAD}<item><description>{html.escape(text)}</description></item></channel></rss>"


BOMB = (
    "<!DOCTYPE r [<!ENTITY a 'b'>"
    + "".join(f"<!ENTITY a{n} '{('&a%s;' % (n - 1 if n else '')) * 10}'>" for n in range(12))
    + "]>"
)
HOSTILE = {
    "comments": within("<!--" * 40_000),
    "deep HTML": within("<div>" * 50_000),
    "open tags": within("<a href='" * 10_001),
    "brackets": HEAD + "<" * 100_000,
    "entities": HEAD + "&" * 100_000,
    "a bomb": f"{BOMB}{HEAD}<item><title>&a11;</title></item></channel></rss>",
    "a file": f"<!DOCTYPE r [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>{HEAD}<item><title>&a;</title></item></channel></rss>",
    "references": f"{HEAD}<item><title>&#xD800;&#x110000;&#{'9' * 5000};<</title></item></channel></rss>",
    "halves": f"{HEAD}<item><title>a\ud800\0b</title></item></channel></rss>",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_feeds_are_taken(bench, data):
    """Nothing grows, no file is read, and no text is longer than the feed."""
    feed = json.dumps(parsed(bench, data))
    assert len(feed) < 8 * len(data) + 1000
    assert "root:" not in feed


@pytest.mark.parametrize("source", [ATOM, RSS, RDF, json.dumps(JSON)], ids=["atom", "rss", "rdf", "json"])
def test_a_feed_comes_back_from_atom_equal(bench, source):
    """What Atom can say is kept, and the second time everything is."""
    feed = parsed(bench, source)
    build = AtomBuilder(input_field="feed")
    (message,) = bench.through(build, {"feed": feed})
    again = parsed(bench, message["content"])
    assert "warning" not in again
    for name in ("title", "link", "authors", "published", "summary", "content", "categories", "enclosures"):
        assert [entry.get(name) for entry in again["entries"]] == [entry.get(name) for entry in feed["entries"]]
    assert bench.through(build, {"feed": again})[0]["content"] == message["content"]


def test_the_least_feed_is_valid(bench):
    """Every id, title, time and author that Atom demands is there, the same each time."""
    (first,) = bench.through(AtomBuilder(), {"entries": [{}, {"title": "a\0\ud800", "link": "javascript:x"}]})
    (second,) = bench.through(AtomBuilder(), {"entries": [{}, {"title": "a"}]})
    assert first["content"] == second["content"]
    atom = "{http://www.w3.org/2005/Atom}"
    root = ET.fromstring(first["content"])
    assert [child.tag.removeprefix(atom) for child in root] == ["id", "title", "updated", "author", "entry", "entry"]
    ids = [node.text for node in root.iter(f"{atom}id")]
    assert len(set(ids)) == 3
    assert all(text.startswith("urn:uuid:") for text in ids)
    assert [child.tag.removeprefix(atom) for child in root.find(f"{atom}entry")] == ["id", "title", "updated", "content"]


def test_settings_say_what_the_feed_is(bench):
    """They win over what a feed says itself; the latest entry gives the time."""
    step = AtomBuilder(
        feed_title="N", feed_subtitle="S", feed_author_name="Ann", feed_author_email="a@e.org", base_url="http://e.org/",
        feed_url="http://e.org/f", feed_id="urn:f", max_entries=2, content_type="text", output_field="xml",
    )  # fmt: skip
    entries = [
        {"title": "1", "updated": "2024-05-01"},
        {"link": "x", "published": "Thu, 02 May 2024 10:00:00 GMT", "summary": "<b>"},
        {},
    ]
    feed = parsed(bench, bench.through(step, {"entries": entries})[0]["xml"])
    meta = feed["meta"]
    assert (meta["id"], meta["title"], meta["subtitle"], meta["updated"]) == ("urn:f", "N", "S", "2024-05-02T10:00:00Z")
    assert (meta["link"], meta["feedUrl"], meta["authors"]) == (
        "http://e.org/",
        "http://e.org/f",
        [{"name": "Ann", "email": "a@e.org"}],
    )
    assert [(entry.get("link"), entry.get("summary")) for entry in feed["entries"]] == [
        (None, None),
        ("http://e.org/x", "&lt;b&gt;"),
    ]


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ("a", "'entries' is not a list of entries or a feed but a str"),
        ({"x": 1}, "but an object without `entries`"),
        ([1], r"'entries\[0\]' is not an object but a int"),
        ([{}, {"updated": "yesterday"}], "entry 1: 'updated' is not a time .*'yesterday'"),
    ],
)
def test_what_are_no_entries_is_refused(bench, entries, fault):
    """The error names the entry."""
    with pytest.raises(RunError, match=fault):
        bench.through(AtomBuilder(), {"entries": entries})


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("Sat, 24 Feb 24 10:00 EST", "2024-02-24T15:00:00Z"),
        ("\u039a\u03c5\u03c1, 11 \u0399\u03bf\u03cd\u03bb 2004 12:00:00 EST", "2004-07-11T17:00:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2024-02", "2024-02-01T00:00:00Z"),
        ("2024-02-30T10:00:00Z", None),
        ("2024/02/03", None),
        ("1708790400", None),
        ("10000-01-01T00:00:00Z", None),
    ],
)
def test_what_is_no_time_is_no_other_time(bench, told, wanted):
    """Times are read as feeds write them all over the world, and a broken one is absent rather than wrong."""
    text = f"<rss version='2.0'><channel><title>T</title><item><title>A</title><pubDate>{told}</pubDate></item></channel></rss>"
    (message,) = bench.through(FeedParser(), {"content": text})
    assert message["feed"]["entries"][0].get("published") == wanted
