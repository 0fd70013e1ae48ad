"""What is read of a page."""

import hashlib
import json
import re
import sys

import pytest
from crawled_pages import PAGES, asked, body_of, fetched

from transmissions.processors.crawl_extract import PageExtract
from transmissions.processors.crawl_page import PageFault
from transmissions.processors.crawl_report import result_of
from transmissions.processors.page_quality import count_words, minutes_to_read
from transmissions.processors.page_reading import content_hash, read_page
from transmissions.testing import through


def text_of(body, **more):
    """Return the text of a page."""
    return read_page(asked(body, **more))["document"]["text"]


def article(text, head=""):
    """Return a page with an article."""
    return f"<html><head>{head}</head><body><article><h1>Title</h1><p>{text}</p></article></body></html>"


@pytest.mark.parametrize("mode", ["article", "full"])
@pytest.mark.parametrize("name", ["blog", "docs", "shop"])
def test_markdown_keeps_headings_links_code_and_tables(name, mode):
    """Whole pages become the Markdown of the golden files (CP-08, CP-16)."""
    found = read_page(asked(body_of(name), mode=mode))
    assert f"{found['document']['markdown']}\n" == (PAGES / f"{name}.{mode}.md").read_text(encoding="utf-8")


def test_a_document_has_all_fields():
    """A document has the fields of the schema, with the quality from PageScore alone missing (EV-14, EV-32)."""
    document = read_page(asked(body_of("blog")))["document"]
    assert list(document)[:8] == [
        *("url", "title", "markdown", "text", "word_count", "reading_time", "extracted_at", "content_hash"),
    ]
    assert document["title"] == "How we moved the archive"
    assert (document["author"], document["published"]) == ("Ada Example", "2026-03-14T09:30:00Z")
    assert document["canonical"] == "https://river.example/archive"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", document["extracted_at"])


def test_the_title_is_that_of_the_head_or_else_the_first_heading():
    """What a page calls itself is in its head, and where it is not, in its first heading."""
    assert read_page(asked(b"<h1>One <i>two</i></h1><p>text"))["document"]["title"] == "One two"
    assert read_page(asked(b"<title>Head</title><h1>One</h1>"))["document"]["title"] == "Head"
    assert read_page(asked(b"<p>text"))["document"]["title"] == ""


def test_plain_text_keeps_the_lines_of_code():
    """Code in plain text has its lines and its indentation."""
    assert "as widget:\n    if widget.size < 4:\n" in text_of(body_of("docs"))


def test_a_page_too_short_for_an_article_keeps_its_shape():
    """Where the extractor would pour a short page into one paragraph, its headings and lists stay (CP-16)."""
    found = read_page(asked(b"<h1>Cutting roses</h1><p>In spring, above an eye.</p><ul><li>Sharp tools</li></ul>"))
    assert found["document"]["markdown"] == "# Cutting roses\n\nIn spring, above an eye.\n\n- Sharp tools"


def test_the_same_content_has_the_same_hash():
    """The hash is of the text in NFC with single spaces, so markup and spelling of white space do not count (EV-33)."""
    one = read_page(asked(article("Some  words\nof é").encode()))["document"]["content_hash"]
    other = read_page(asked(article("Some words <b>of</b> e\u0301", "<style>x</style>").encode()))["document"]["content_hash"]
    assert one == other
    assert content_hash("a\n b ") == f"sha256:{hashlib.sha256(b'a b').hexdigest()}"


def test_words_are_counted_in_scripts_without_spaces_too():
    """Two characters of a script without spaces count as a word; 1,200 words are five minutes (CP-15)."""
    assert count_words("It's a well-known, simple test.") == 5
    assert count_words("漢字仮名 and two") == 4
    assert [minutes_to_read(words) for words in (0, 1, 240, 1200)] == [0, 1, 1, 5]


@pytest.mark.parametrize(
    ("head", "charset", "encoding"),
    [
        ("", "iso-8859-1", "windows-1252"),
        ('<meta charset="shift_jis">', "", "shift_jis"),
        ('<meta charset="utf-8">', "koi8-r", "koi8-r"),
        ("", "utf-8", "windows-1252"),
        ("", "", "utf-8"),
        ('<meta charset="ascii">', "", "utf-8-sig"),
        ("", "", "utf-16"),
        ("", "nonsense\0", "utf-8"),
    ],
)
def test_the_charset_is_found(head, charset, encoding):
    """A byte order mark counts most, then the header, then the page itself; what is wrong is not believed (CP-17)."""
    said = {"shift_jis": "日本語の文章", "koi8-r": "Привет мир"}.get(encoding, "Fluß über Größe")
    assert said in text_of(article(said, head).encode(encoding), charset=charset)


def test_a_damaged_page_is_still_read_as_what_it_is():
    """One broken byte, or the end of a page that was cut off, does not turn all other characters into others."""
    assert text_of("<p>Größe, Fluß, Höhe, Bäume".encode() + b"\xc3").startswith("Größe, Fluß, Höhe")


def test_links_are_absolute_and_told_once():
    """Links are resolved against the base of the page, have no fragment, and lead to pages only."""
    body = b"""<base href="/a/"><a href="b#c">1</a><a href="b">2</a><a href="//other.example/">3</a><area href="?q=1">
        <a href="mailto:x@example.org">4</a><a href="javascript:x()">5</a><a href="ftp://example.org/">6</a><a>7</a>"""
    assert read_page(asked(body))["links"] == [
        "https://river.example/a/b",
        "https://other.example/",
        "https://river.example/a/?q=1",
    ]


@pytest.mark.parametrize(
    ("head", "robots", "follow_all", "links"),
    [
        ("", "", False, ["https://river.example/yes"]),
        ("", "", True, ["https://river.example/yes", "https://river.example/no"]),
        ('<meta name="robots" content="noindex, nofollow">', "", False, []),
        ('<meta name="ROBOTS" content="none">', "", False, []),
        ('<meta name="robots" content="noindex">', "", False, ["https://river.example/yes"]),
        ('<meta name="robots" content="max-image-preview:none">', "", False, ["https://river.example/yes"]),
        ("", "otherbot: nofollow", False, ["https://river.example/yes"]),
        ("", "otherbot: noindex, nofollow", False, ["https://river.example/yes"]),
        ("", "otherbot: noindex, Reader: nofollow", False, []),
        ("", "unavailable_after: Friday, 25 Jun 2027 15:00:00 PST, none", False, []),
        ('<meta name="reader" content="nofollow">', "", False, []),
        ('<meta name="otherbot" content="nofollow">', "", False, ["https://river.example/yes"]),
        ("", "noindex, nofollow", False, []),
        ("", "nofollow", True, ["https://river.example/yes", "https://river.example/no"]),
    ],
)
def test_links_are_not_told_where_a_page_asks_so(head, robots, follow_all, links):
    """A link, the head and a header may each ask not to be followed, which a setting can overrule."""
    body = f'{head}<a href="/yes">yes</a><a rel="Nofollow ugc" href="/no">no</a>'.encode()
    assert read_page(asked(body, robots=robots, agent="Reader", follow_all=follow_all))["links"] == links


@pytest.mark.parametrize("content_type", ["text/html", "text/plain"])
def test_a_page_that_is_not_to_be_kept_is_told_or_refused(content_type):
    """As a setting says; a page that is not asked for it is no other than before."""
    page = fetched(b"<p>text", content_type=content_type, headers={"x-robots-tag": "Reader: noindex"}, agent="reader")
    (kept,), (refused,) = (through(PageExtract(noindex=what), [dict(page)]) for what in ("keep", "refuse"))
    assert (kept["noindex"], result_of(kept, 0)["result"]["noindex"]) == (True, True)
    assert (refused["fault"]["error_code"], "document" in refused) == ("POLICY_ROBOTS", False)
    assert "noindex" not in through(PageExtract(noindex="refuse"), [page | {"agent": "other"}])[0]


def test_very_many_links_are_cut():
    """A page tells 10,000 links, and none that is longer than 2,048 characters."""
    body = "".join(f"<a href=/{number}>x</a>" for number in range(10_500)).encode()
    assert len(read_page(asked(f"<a href=/{'x' * 3000}>long</a>".encode() + body, mode="full"))["links"]) == 10_000


@pytest.mark.parametrize(
    ("kind", "body", "markdown"),
    [
        ("text/plain", b"One line\r\nand another", "One line\nand another"),
        ("text/markdown", b"# Title\n\ntext", "# Title\n\ntext"),
        ("application/json", b'{"a": 1}', '```json\n{"a": 1}\n```'),
        ("application/ld+json", b"{}", "```json\n{}\n```"),
        ("application/rss+xml", b"<rss/>", "```xml\n<rss/>\n```"),
        ("", b"no markup at all", "no markup at all"),
        ("", b"<p>some markup", "some markup"),
    ],
)
def test_text_that_is_no_html_is_kept_as_it_is(kind, body, markdown):
    """Plain text, Markdown, JSON and XML are told as text; what names no type is looked at."""
    assert read_page(asked(body, content_type=kind))["document"]["markdown"] == markdown


def test_other_types_are_a_fault():
    """What holds no text says so (PARSE_TYPE)."""
    with pytest.raises(PageFault, match="image/png is no kind of content") as caught:
        read_page(asked(b"\x89PNG", content_type="image/png"))
    assert caught.value.code == "PARSE_TYPE"


def pdf(content, title="A paper"):
    """Return a PDF with one page."""
    objects = [
        *(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        *(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", f"<< /Title ({title}) >>".encode()),
    ]
    parts = [b"%PDF-1.4\n", *(b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, 1))]
    places = [sum(map(len, parts[:number])) for number in range(1, len(parts) + 1)]
    table = b"".join(b"%010d 00000 n \n" % place for place in places[:-1])
    end = b"trailer << /Size 7 /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF" % places[-1]
    return b"".join([*parts, b"xref\n0 7\n0000000000 65535 f \n", table, end])


def test_the_text_of_a_pdf_is_read():
    """A PDF gives the text of its pages and the title it says (CP-10)."""
    pytest.importorskip("pypdf")
    found = read_page(asked(pdf(b"BT /F1 12 Tf 14 TL (Widgets are good.) Tj T* (They are small.) Tj ET"), "application/pdf"))
    assert (found["extraction_method"], found["document"]["title"]) == ("pdf", "A paper")
    assert found["document"]["text"] == "Widgets are good.\nThey are small."
    assert read_page(asked(pdf(b""), "application/pdf"))["note"] == "no page of it has text: they may be images"


def test_a_broken_pdf_is_a_fault():
    """What is no PDF, or only the beginning of one, says so (PARSE_FAILED)."""
    pytest.importorskip("pypdf")
    for body in (b"", b"%PDF-1.4 nonsense", pdf(b"")[:200], pdf(b"").replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")):
        with pytest.raises(PageFault, match="it is a PDF that cannot be read: ") as caught:
            read_page(asked(body, "application/pdf"))
        assert caught.value.code == "PARSE_FAILED"


def test_a_pdf_needs_its_library(monkeypatch):
    """Where pypdf is not installed, the fault of a PDF says how it can be had (PARSE_TYPE)."""
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(PageFault, match=r"can be read only where pypdf is installed: .* -m pip install pypdf") as caught:
        read_page(asked(pdf(b""), "application/pdf"))
    assert caught.value.code == "PARSE_TYPE"


@pytest.mark.parametrize(
    ("name", "rendered", "said"),
    [
        ("spa", False, "it has only 9 words: scripts make the rest, and it was not rendered"),
        ("spa", True, "it has only 9 words, even rendered"),
        ("login", False, "it asks for a password: what it holds is shown only after a login"),
        ("blog", False, None),
    ],
)
def test_a_page_with_little_to_read_says_why(name, rendered, said):
    """A note tells a shell that scripts fill from a login and from a page that is short."""
    assert read_page(asked(body_of(name), is_rendered=rendered)).get("note") == said


def test_a_vast_page_is_read_whole():
    """Finding the article of a page of 100,000 links takes a minute; none has as many elements."""
    page = read_page(asked(article("".join(f"<b>{number}</b> " for number in range(30_001))).encode()))
    assert (page["extraction_method"], page["document"]["word_count"]) == ("full", 30_002)
    assert page["note"] == "it is too large for its article to be looked for: this is the whole page"


def test_an_empty_page_says_so():
    """Nothing to read is a note, not a failure."""
    assert read_page(asked(b"", content_type="text/plain"))["note"] == "it is empty"
    assert read_page(asked(b"<html><body></body></html>"))["note"] == "it has no text"


def test_a_page_goes_through_the_processor():
    """The processor adds what was read, notes the stages, and takes the body away (EV-16)."""
    (page,) = through(PageExtract(workers=1), [fetched(body_of("blog"))])
    assert "body" not in page
    assert page["extraction_method"] == "trafilatura"
    assert page["processing_stages"] == ["fetch", "parse", "extract", "clean"]
    assert json.dumps(page)


def test_a_request_chooses_what_is_read():
    """The extraction a request asks for wins over the setting."""
    pages = [fetched(body_of("blog"), options={"extraction": "full"}), fetched(body_of("blog"))]
    assert [page["extraction_method"] for page in through(PageExtract(workers=1), pages)] == ["full", "trafilatura"]


def test_other_messages_pass():
    """What is no page, has failed, or comes from a cache passes as it is."""
    messages = [{"event": "x", "url": "y"}, {"n": 1}, fetched(b"", fault={}), fetched(b"", from_cache=True)]
    assert through(PageExtract(workers=1), messages) == messages


def test_a_page_that_cannot_be_read_has_a_fault():
    """A page with a type that nobody reads goes on with a fault, and the others go on without."""
    bad, good = through(PageExtract(workers=1, keep_body=True), [fetched(b"x", content_type="image/png"), fetched(b"<p>x")])
    assert (bad["fault"]["error_code"], "document" in bad) == ("PARSE_TYPE", False)
    assert (good["document"]["text"], good["body"]) == ("x", b"<p>x")


def test_a_probe_reads_what_may_be_good_and_asks_for_rendering_if_it_is_not():
    """In front of PageRender only pages in doubt are read; poor ones keep their body and want to be rendered (CP-06)."""
    pages = [
        fetched(body_of("blog"), gate_decision="probes_first"),
        fetched(body_of("spa"), gate_decision="probes_first"),
        fetched(body_of("blog"), gate_decision="raw"),
    ]
    good, poor, raw = through(PageExtract(workers=1, probe=True), pages)
    assert ("document" in good, "body" in good, "render_wanted" in good) == (True, False, False)
    assert ("document" in poor, "body" in poor, poor["render_wanted"]) == (True, True, True)
    assert raw == pages[2]


def test_a_rendered_page_is_read_again():
    """Behind PageRender a page that was poor is read anew if it was rendered, and else stays as it was."""
    (poor,) = through(PageExtract(workers=1, probe=True), [fetched(body_of("spa"), gate_decision="probes_first")])
    rendered = {**poor, "body": body_of("blog"), "rendered": True, "charset": "utf-8"}
    again, left = through(PageExtract(workers=1), [rendered, poor])
    assert again["document"]["word_count"] > 200
    assert left["document"]["word_count"] == 9
    assert not {"body", "render_wanted"} & {*again, *left}
