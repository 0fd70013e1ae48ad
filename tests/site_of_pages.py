"""A small web on the loopback for tests of crawling: hosts that count who asks for what, and how many at once.

    with web({"/": html("Home", "/a", "/b"), "/a": html("A"), "/slow": slow(0.2, html("S"))}, hosts=2) as site:
        events = crawl(site.urls("/", "/a"), tmp_path)
    assert site.asked() == {"/": 1, "/a": 1}

Hosts are 127.0.0.2, 127.0.0.3 and so on, at one port; what is served is the same at all of them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from delivering import running
from local_server import LocalServer, Page, Seen, serving

import transmissions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from local_server import Answer

WORDS = "A page about gardens says how roses are cut in spring, which tools are best, and what to do with the leaves. "


def html(title: str, *links: str, words: int = 12, head: str = "") -> Page:
    """Return an article of some paragraphs, with links."""
    anchors = "".join(f'<p><a href="{link}">see {link}</a></p>' for link in links)
    text = "".join(f"<p>{title} {number}. {WORDS}</p>" for number in range(words))
    top = f"<!doctype html><html><head><title>{title}</title>{head}</head>"
    body = f"{top}<body><article><h1>{title}</h1>{text}{anchors}</article></body></html>"
    return Page(body.encode(), {"Content-Type": "text/html; charset=utf-8"})


class Held:
    """A page that is sent when somebody lets it go."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.let_go = threading.Event()

    def __call__(self, _: Seen) -> Page:
        self.let_go.wait(20)
        return self.page


class Slow:
    """An answer that comes after some seconds."""

    def __init__(self, seconds: float, page: Answer) -> None:
        self.seconds = seconds
        self.page = page


class Flaky:
    """Answers in turn; the last one stays."""

    def __init__(self, *pages: Any) -> None:
        self.pages = list(pages)

    def next(self) -> Any:
        """Return the answer for this time."""
        return self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]


class Web:
    """What was asked of all hosts together."""

    def __init__(self, pages: Mapping[str, Any] | Callable[[str], Any]) -> None:
        self.pages = pages
        self.servers: list[LocalServer] = []
        self.begun: list[tuple[float, str]] = []
        """When each request began, and its path."""
        self.most_at_once = self._now = 0
        """Of pages: robots.txt is asked for by each crawl, whoever's turn it is."""
        self._lock = threading.Lock()

    def answer(self, seen: Seen) -> Answer:
        """Answer a request, and count it."""
        with self._lock:
            self.begun.append((time.monotonic(), seen.path))
            self._now += seen.path != "/robots.txt"
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            return self._answer(seen)
        finally:
            with self._lock:
                self._now -= seen.path != "/robots.txt"

    def _answer(self, seen: Seen) -> Answer:
        found: Any = self.pages(seen.path) if callable(self.pages) else self.pages.get(seen.path)
        if isinstance(found, Flaky):
            with self._lock:
                found = found.next()
        if isinstance(found, Slow):
            time.sleep(found.seconds)
            found = found.page
        if callable(found):
            found = found(seen)
        return Page(b"nothing here", {"Content-Type": "text/plain"}, 404) if found is None else found

    def url(self, path: str, host: int = 0) -> str:
        """Return the URL of a path at one of the hosts."""
        return self.servers[host].url + path

    def urls(self, *paths: str) -> list[str]:
        """Return URLs of paths, at the hosts in turn."""
        return [self.url(path, number % len(self.servers)) for number, path in enumerate(paths)]

    def asked(self) -> dict[str, int]:
        """Return how often each page was asked for."""
        return dict(Counter(path for _, path in self.begun if path != "/robots.txt"))

    @property
    def seen(self) -> list[Seen]:
        """All requests, by host."""
        return [seen for server in self.servers for seen in server.seen]


@contextlib.contextmanager
def web(pages: Mapping[str, Any] | Callable[[str], Any], hosts: int = 1) -> Iterator[Web]:
    """Serve pages until the block is left."""
    site = Web(pages)
    with contextlib.ExitStack() as stack:
        for number in range(hosts):
            port = site.servers[0].server_port if site.servers else 0
            site.servers.append(stack.enter_context(serving(site.answer, f"127.0.0.{number + 2}", port)))
        yield site


ALLOW = {"network.allow": "127.0.0.0/8"}
ONE_READER = {"reading.workers": 1}
"""For pages as small as these; a process that reads takes a quarter of a second of work to begin."""


def crawl(urls: list[str], folder: Path, settings: Mapping[str, object] | None = None, **options: Any) -> list[dict[str, Any]]:
    """Run the app on URLs, and return its events; `options` are those of the request."""
    message = {"urls": urls, "options": {"cache_mode": "bypass", **options}}
    own = {**ALLOW, **ONE_READER, **(settings or {})}
    return transmissions.run("crawl", message=message, output=folder, settings=own).messages


def by_url(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return events by the path they are about."""
    return {_path(event): event for event in events}


def _path(event: dict[str, Any]) -> str:
    url = event["url"] if event["event"] == "error" else event["result"]["url"]
    return "/" + url.partition("://")[2].partition("/")[2]


@contextlib.contextmanager
def serving_crawls(*settings: str, allow: str = ALLOW["network.allow"], **more: Any) -> Iterator[Any]:
    """Serve the app to clients, who may crawl the loopback."""
    own = [f"network.allow={allow}", *(f"{name}={value}" for name, value in ONE_READER.items()), *settings]
    with running("crawl", settings=own, **more) as server:
        yield server


def asking(urls: list[str], **options: Any) -> dict[str, Any]:
    """Return what a client asks for; nothing comes from a cache unless it says so."""
    return {"urls": urls, "options": {"cache_mode": "bypass", **options}}
