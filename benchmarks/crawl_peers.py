"""Those that `crawl.py` is compared with, each in a process of its own: `crawl_peers.py NAME URLS AT_ONCE FOLDER`.

Each fetches all URLs of a file, so many at once, and writes a line for each page: the time, the URL, status and size.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path


def bare(urls, at_once, file):
    """Fetch with aiohttp, and nothing around it."""
    import aiohttp

    async def work(session, waiting):
        for url in waiting:
            async with session.get(url) as reply:
                note(file, url, reply.status, await reply.read())

    async def main():
        waiting = iter(urls)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(work(session, waiting) for _ in range(at_once)))

    asyncio.run(main())


def scrapy(urls, at_once, file):
    """Crawl with scrapy."""
    from scrapy import Spider
    from scrapy.crawler import CrawlerProcess

    class Pages(Spider):
        name = "pages"
        start_urls = urls

        def parse(self, response):
            note(file, response.url, response.status, response.body)

    settings = {
        "CONCURRENT_REQUESTS": at_once,
        "CONCURRENT_REQUESTS_PER_DOMAIN": at_once,
        "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": False,
        "COOKIES_ENABLED": False,
        "RETRY_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "AUTOTHROTTLE_ENABLED": False,
        "LOG_ENABLED": False,
    }
    process = CrawlerProcess(settings)
    process.crawl(Pages)
    process.start()


def crawlee(urls, at_once, file):
    """Crawl with crawlee's crawler that parses nothing."""
    from datetime import timedelta

    from crawlee import ConcurrencySettings, service_locator
    from crawlee.crawlers import HttpCrawler
    from crawlee.storage_clients import MemoryStorageClient

    async def main():
        service_locator.set_storage_client(MemoryStorageClient())
        crawler = HttpCrawler(
            concurrency_settings=ConcurrencySettings(
                min_concurrency=at_once, desired_concurrency=at_once, max_concurrency=at_once
            ),
            max_request_retries=0,
            use_session_pool=False,
            configure_logging=False,
            statistics_log_format="inline",
            request_handler_timeout=timedelta(seconds=60),
        )

        @crawler.router.default_handler
        async def handle(context):
            note(file, context.request.url, context.http_response.status_code, await context.http_response.read())

        await crawler.run(urls)

    asyncio.run(main())


def note(file, url, status, data):
    """Write the line of a page."""
    file.write(f"{time.time()} {url} {status} {len(data)}\n")


CONTESTANTS = {"aiohttp, bare": bare, "scrapy": scrapy, "crawlee": crawlee}


def main(name, urls, at_once, folder):
    """Take part."""
    Path(folder).mkdir()
    wanted = json.loads(Path(urls).read_text(encoding="utf-8"))["urls"]
    with Path(folder, "pages.txt").open("w", encoding="utf-8") as file:
        CONTESTANTS[name](wanted, int(at_once), file)


if __name__ == "__main__":
    main(*sys.argv[1:])
