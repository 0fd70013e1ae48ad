"""MarkdownToLinks and LinkFinder."""

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transmissions import RunError
from transmissions.processors.link_targets import absolute
from transmissions.processors.links import LinkFinder, MarkdownToLinks


def found(bench, step, text, **more):
    """Return the links in a text."""
    return bench.through(step, {"content": text, **more})[0]["links"]


def test_links_of_markdown_are_those_of_its_tree(bench):
    """Inline, by reference and in brackets; none in code, and images if they are asked for."""
    text = "[a *b*](/x 'T') <http://y.z> [ref][r] `[no](c)` [![i](p.png)](q)\n\n    [no](d)\n\n[r]: http://r.s\n"
    links = [
        {"url": "/x", "text": "a b", "title": "T"},
        {"url": "http://y.z", "text": "http://y.z"},
        {"url": "http://r.s", "text": "ref"},
        {"url": "q", "text": "i"},
    ]
    assert found(bench, MarkdownToLinks(), text) == links
    assert {"url": "p.png", "text": "i", "image": True} in found(bench, MarkdownToLinks(images=True), text)


FORMATS = {
    "html": (
        "<p><a href=' ../q'>a <b>b</b></a><a href=q#x>c</a><a href=mailto:a@b.c>m</a>",
        ["http://e.org/q", "http://e.org/d/q#x"],
    ),
    "base": ("<base href=/z/><body><a href=q>a</a>", ["http://e.org/z/q"]),
    "markdown": ("# T\n\n[a](q) [b](q)", ["http://e.org/d/q"]),
    "text": ("See (http://a.b/c_(d)), www.x.org.", ["http://a.b/c_(d)", "http://www.x.org"]),
    "nothing": ("plain", []),
    "scripts": ("<p><a href='javascript:x'>a</a><a href='http://[x'>b</a>", []),
}


@pytest.mark.parametrize(("text", "urls"), FORMATS.values(), ids=FORMATS)
def test_the_format_is_found_and_addresses_are_absolute(bench, text, urls):
    """Each address is listed once, and those that lead nowhere are not."""
    links = found(bench, LinkFinder(within=("http",)), text, url="http://e.org/d/p")
    assert [link["url"] for link in links] == urls


def test_a_named_format_counts_and_nothing_is_left_out_on_demand(bench):
    """HTML read as text has its plain addresses only, and repeats may stay."""
    html = "<a href='http://a.b'>x</a> http://a.b"
    assert found(bench, LinkFinder(format="text", unique=False), html) == [{"url": "http://a.b", "text": "http://a.b"}] * 2
    assert found(bench, LinkFinder(format="html", images=True), "<img src=i alt=j>") == [
        {"url": "i", "text": "j", "image": True}
    ]


HOSTILE = [
    "[" * 1_000_000,
    "http://a" + ")" * 1_000_000,
    "<a href=x>" * 20_000,
    "www." * 100_000,
    "[a](\n\n" * 5_000,
    "\ud800<p>\0",
]


@pytest.mark.parametrize("text", HOSTILE, ids=["brackets", "tail", "anchors", "hosts", "open", "halves"])
def test_hostile_documents_are_taken(bench, text):
    """There may be few links in them, and it takes no longer than their length lets expect."""
    assert len(found(bench, LinkFinder(), text)) <= 1
    assert len(found(bench, MarkdownToLinks(), text)) <= 1


def test_what_is_no_document_is_refused(bench):
    """The error names the field and the bound."""
    with pytest.raises(RunError, match="'content' is neither text nor bytes but a dict"):
        found(bench, MarkdownToLinks(), {})
    with pytest.raises(RunError, match="more than :limit 3"):
        found(bench, LinkFinder(limit=3, format="markdown"), "[a](b)")


PARTS = [
    "/",
    "//",
    "..",
    "/.",
    "a",
    "b.c",
    ";",
    "p=1",
    "?",
    "#",
    "%20",
    ":",
    "@",
    "&",
    "(",
    "~",
    "http:",
    "https://",
    "e.org",
    "[",
    "]",
]
BASES = [
    "",
    "http://e.org",
    "http://e.org/a/b?x#f",
    "http://e.org/a/../b//c/",
    "https://u@e.org:8/x;p",
    "mailto:a@b",
    "r/s",
    "/r/s",
]


@given(st.lists(st.sampled_from(PARTS), max_size=7).map("".join), st.sampled_from(BASES))
def test_addresses_are_joined_as_the_standard_has_it(address, base):
    """Also those for which there is a short cut."""
    found = absolute(address, base)
    if found and not address.startswith("http"):
        assert found == urljoin(base, address)
    elif found:
        assert found == address
