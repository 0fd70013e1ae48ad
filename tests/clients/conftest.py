"""A home to serve from, and a server of it."""

import delivering
import pytest


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Work in a home with a few apps; `crawl` answers each of `urls` with what a crawl does."""
    delivering.make_home(tmp_path, monkeypatch)
    folder = tmp_path / "apps" / "crawl"
    folder.mkdir()
    (folder / "transmissions.ttl").write_text(delivering.PREFIX + ":crawl a :EntryTransmission ; :pipe ( [ a :Crawled ] ) .")
    (tmp_path / "processors" / "crawled.py").write_text(CRAWLED)
    return tmp_path


@pytest.fixture
def server(home):
    """Serve `numbers`, `dead` and `crawl`, with a heartbeat every second."""
    with delivering.running("numbers", "dead", "crawl", pace=delivering.Pace(heartbeat=1.0)) as running:
        yield running


CRAWLED = '''
import asyncio
from transmissions import Processor


class Crawled(Processor):
    """Answer each URL with a page."""

    async def run(self, reader, writer):
        async for message in reader:
            urls = message["urls"]
            await writer.write({"event": "crawling", "total_urls": len(urls)})
            for url in urls:
                await asyncio.sleep(message.get("options", {}).get("wait", 0))
                document = {"title": f"<img src=x onerror='window.broken=1'> {url}", "text": "words " * 100, "url": url}
                page = {"url": url, "status": 200, "processing_time_ms": 12, "quality_score": 0.875, "document": document}
                await writer.write(page)
'''
