"""Pages as a crawl finds them, and what a reader is asked of them."""

from pathlib import Path

from transmissions.processors.page_reading import Asked

PAGES = Path(__file__).parent / "crawl" / "pages"


def body_of(name):
    """Return the bytes of a page."""
    return (PAGES / f"{name}.html").read_bytes()


def asked(body, content_type="text/html", **more):
    """Return what a process is asked of a page."""
    return Asked("https://river.example/2026/archive", body, content_type, **more)


def fetched(body, **more):
    """Return a page as PageFetch leaves it."""
    url = "https://river.example/2026/archive"
    usual = {"url": url, "final_url": url, "index": 0, "options": {}, "status": 200, "headers": {}}
    return {**usual, "content_type": "text/html", "charset": "", "body": body, "processing_stages": ["fetch"], **more}
