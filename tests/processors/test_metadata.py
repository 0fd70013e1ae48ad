"""MetadataExtractor."""

import pytest

from transmissions import RunError
from transmissions.processors.metadata import MetadataExtractor

PAGE = """<!doctype html><html lang="en-GB"><head><base href="/b/"><title> T
 t </title><meta name=Description content="D &amp; d"><meta name=author content=Ann>
<meta property="og:title" content="OG"><meta property=og:image content=i.png><meta property=og:image content=j.png>
<meta property=article:tag content=a><meta property=article:tag content=b><meta name=twitter:card content=summary>
<link rel="Canonical" href="c"><link rel=alternate type=application/rss+xml href=/feed title=F>
<link rel=alternate type=text/html href=/no></head><body>"""


def facts(bench, text, **settings):
    """Return what a document at http://e.org/x says about itself."""
    return bench.through(MetadataExtractor(**settings), {"content": text, "url": "http://e.org/x"})[0]["metadata"]


def test_a_page_says_what_it_is(bench):
    """The head's elements become facts, absolute where they are addresses; what is not said is absent."""
    assert facts(bench, PAGE) == {
        "title": "OG",
        "description": "D & d",
        "language": "en-GB",
        "url": "http://e.org/b/c",
        "author": "Ann",
        "image": "http://e.org/b/i.png",
        "keywords": ["a", "b"],
        "openGraph": {"title": "OG", "image": ["i.png", "j.png"]},
        "twitter": {"card": "summary"},
        "feeds": [{"url": "http://e.org/feed", "type": "rss", "title": "F"}],
    }
    assert facts(bench, "<title>T</title><p>x") == {"title": "T"}


def test_linked_data_fills_in_what_the_head_does_not_say(bench):
    """Blocks that are no JSON are told of, and do not hide the others."""
    page = (
        '<html><script type="application/ld+json">{"@graph": [{"headline": "H</b>", "datePublished": "2024-05-01",'
        ' "author": [{"name": "Ann"}]}]}</script><script type="application/ld+json">{bad</script>'
        f'<script type="application/ld+json">{"[" * 100_000}</script>'
    )
    found = facts(bench, page)
    assert (found["title"], found["published"], found["author"]) == ("H</b>", "2024-05-01", "Ann")
    assert len(found["jsonLd"]) == 1
    assert [warning.split(" is ")[0] for warning in found["warnings"]] == ["JSON-LD block 2", "JSON-LD block 3"]


def test_microdata_is_a_list_of_items(bench):
    """Items that are properties lie in the item they belong to."""
    page = (
        "<div itemscope itemtype=http://schema.org/X><span itemprop=name>N <b>n</b></span>"
        "<div itemprop='author editor' itemscope><a itemprop=url href=z>q</a></div></div>"
    )
    person = {"properties": {"url": ["http://e.org/z"]}}
    assert facts(bench, page)["microdata"] == [
        {"type": "http://schema.org/X", "properties": {"name": ["N n"], "author": [person], "editor": [person]}}
    ]


def test_front_matter_is_what_markdown_says(bench):
    """A title may be the first heading, times stay text, and the text below may be kept apart."""
    text = "\ufeff---\r\ndate: 2024-05-01\r\ntags: [a, b]\r\n---\r\n\r\n# Head\r\ntext"
    (message,) = bench.through(MetadataExtractor(body_field="body"), {"content": text})
    assert message["metadata"] == {"date": "2024-05-01", "tags": ["a", "b"], "title": "Head"}
    assert message["body"] == "\r\n# Head\r\ntext"
    assert facts(bench, "no\n---\na: 1\n---\n") == {}


@pytest.mark.parametrize(
    ("matter", "fault"),
    [
        ("a: 1\nb: [", r"field 'content':4:1: not valid YAML"),
        ("- a", r"field 'content':2: the front matter is not an object but a list"),
        ("a: !!python/name:os.system x", "field 'content':2:4: .* no plain data"),
        (
            "a: &x [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(f"{n}: &{n} [{', '.join(['*x'] * 9)}]\n" for n in range(200)),
            "values",
        ),
        ("[" * 50_000, "nested deeper"),
    ],
)
def test_front_matter_that_is_none_is_refused(bench, matter, fault):
    """The error says where; neither code nor what multiplies itself is followed."""
    with pytest.raises(RunError, match=fault):
        facts(bench, f"---\n{matter}\n---\n")


@pytest.mark.parametrize(
    "page", ["<html>" + "<div itemscope itemprop=a>" * 50_000, "<html " * 50_000, "<html><meta content=a name='" * 9_999]
)
def test_hostile_pages_are_taken(bench, page):
    """They say nothing, or little, and nothing fails."""
    assert isinstance(facts(bench, page), dict)
