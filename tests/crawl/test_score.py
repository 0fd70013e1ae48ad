"""How good a page is to read."""

from crawled_pages import asked, body_of, fetched

from transmissions.processors.crawl_score import PageScore
from transmissions.processors.page_quality import quality_of
from transmissions.processors.page_reading import read_page
from transmissions.testing import through

BEST = {"words": 900, "paragraphs": 9, "headings": 4, "ordered": 3, "density": 0.5, "linked": 0.1, "facts": 4}


def read(name):
    """Return a page as PageExtract leaves it."""
    return {**fetched(b""), **read_page(asked(body_of(name)))}


def test_the_formula():
    """The parts of the score are those that the documentation names."""
    assert quality_of(BEST) == 1.0
    assert quality_of({**BEST, "words": 24}) == 0.75
    assert quality_of({**BEST, "paragraphs": 0, "headings": 0, "ordered": 0}) == 0.75
    assert quality_of({**BEST, "density": 0.0}) == 0.85
    assert quality_of({**BEST, "facts": 0}) == 0.9
    assert quality_of({**BEST, "linked": 1.0}) == 0.7
    assert quality_of({**BEST, "words": 0}) == 0.0


def test_a_document_has_the_score_in_percent():
    """A score from 0 to 1 stands in the page, and the same in percent as a whole number in the document (EV-15)."""
    (page,) = through(PageScore(), [read("blog")])
    assert 0.8 < page["quality_score"] <= 1
    assert page["document"]["quality_score"] == round(100 * page["quality_score"])
    assert isinstance(page["document"]["quality_score"], int)


def test_better_pages_score_higher():
    """An article is better than a product, and that is better than a shell that scripts fill."""
    scores = [page["quality_score"] for page in through(PageScore(), map(read, ["blog", "docs", "shop", "spa"]))]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.4


def test_what_is_no_open_page_passes():
    """A page from a cache has its score already."""
    messages = [{"n": 1}, {**read("blog"), "from_cache": True, "quality_score": 0.5}]
    assert through(PageScore(), messages) == messages
