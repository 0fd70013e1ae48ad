"""Steps of a crawl around a cache, with one between them that stands for all that fetches and reads."""

import asyncio

from transmissions import Processor
from transmissions.processors.crawl_page import is_open, told
from transmissions.processors.page_cache import PageRecall, PageRemember
from transmissions.testing import bench, through

URL = "http://example.com/page1?q=1"


class Origin(Processor):
    """Stands for the steps that fetch and read a page, and counts which they were asked for."""

    one_by_one = True
    extraction: str = "article"

    def __post_init__(self):
        self.asked = []
        self.seconds = 0.0
        self.fields = {}
        self.fault = None

    async def process(self, message):
        if not is_open(message):
            return message
        self.asked.append(message["url"])
        await asyncio.sleep(self.seconds)
        message |= {"status": 200, "body": b"x", "attempts": 1, "gate_decision": "headless", "quality_score": 0.5}
        message |= {
            "headers": {"etag": '"1"', "set-cookie": "a=b"},
            "document": {"text": "é\ud800", "content_hash": "sha256:1"},
        }
        return message | self.fields | ({"fault": told(self.fault)} if self.fault else {})


def visit(origin, *urls, concurrency=8, mode="read_write", options=None, **settings):
    """Return what becomes of pages, in the order they were asked for."""
    pages = asked(urls, cache_mode=mode, **(options or {}))
    steps = [PageRecall(**settings), origin, PageRemember(**settings)]
    return sorted(through(steps, pages, concurrency=concurrency, ordered=False), key=lambda page: page["index"])


def figures(folder, origin, *urls, **settings):
    """Return what is told of the cache when pages were visited."""
    told = {}

    async def work():
        steps = [PageRecall(**settings), origin, PageRemember(**settings)]
        async with bench(steps, asked(urls), folder, concurrency=8, ordered=False) as run:
            run.on("summary", lambda _, fields: told.update(fields["cache"]))
            await run.wait()

    asyncio.run(work())
    return told


def asked(urls, **options):
    """Return the pages of a crawl as they are when it is their turn."""
    return [{"url": url, "index": at, "options": options} for at, url in enumerate(urls or [URL])]


def are_cached(pages):
    """Return of each page whether it was found."""
    return [bool(page.get("from_cache")) for page in pages]
