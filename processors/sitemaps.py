"""The pages that sites list in their sitemaps (sitemaps.org): XML, plain text, compressed, and sitemaps of sitemaps."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from typing import TYPE_CHECKING, Final

from transmissions import RunError

from .content_coding import CodingError, decoder_of
from .exchange import Request
from .xml_elements import ElementParser, Mapping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from collections.abc import Mapping as Headers

    from .content_coding import Decoder
    from .fetch import Door

LARGEST: Final = 52_428_800
"""Bytes of one sitemap, as the protocol has it."""
_MOST_FILES: Final = 1000
_DEEPEST: Final = 3
_LOCATIONS: Final = Mapping(("*", "*", "loc"), True, "local", frozenset(), True, 65536)
_INDEX: Final = re.compile(rb"<(?:[\w.-]+:)?sitemapindex[\s>]")
_GZIP: Final = b"\x1f\x8b"
_OK: Final = 200


class SitemapReader:
    """Reads one sitemap as it comes; `is_index` says whether what it lists are sitemaps."""

    def __init__(self, name: str) -> None:
        self.is_index = False
        self._name = name
        self._decoder: Decoder | None = None
        self._parser: ElementParser | None = None
        self._is_text = False
        self._size = 0
        self._line = b""

    def feed(self, data: bytes) -> Iterator[list[str]]:
        """Yield what a piece lists, a little at a time: it may be small and list very many.

        Raises:
            RunError: it is neither XML nor text, or too large.

        """
        if self._decoder is None:
            self._decoder = decoder_of("gzip" if data.startswith(_GZIP) else "")
        try:
            for plain in self._decoder.decode(data):
                self._size += len(plain)
                if self._size > LARGEST:
                    raise RunError(f"{self._name}: a sitemap is larger than {LARGEST} bytes")
                yield list(self._read(plain))
        except CodingError as error:
            raise RunError(f"{self._name}: {error}") from error

    def end(self) -> Iterator[str]:
        """Yield what is left at the end."""
        if self._parser:
            self._parser.feed(b"", final=True)
        yield from self._lines(b"\n")

    def _read(self, plain: bytes) -> Iterator[str]:
        if not (self._is_text or self._parser) and plain.strip():
            self._is_text = not plain.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
            self.is_index = bool(_INDEX.search(plain[:4096]))
            self._parser = None if self._is_text else ElementParser(_LOCATIONS, self._name)
        if self._is_text:
            yield from self._lines(plain)
        elif self._parser:
            self._parser.feed(plain)
            found, self._parser.found = self._parser.found, []
            yield from (value.get("#text", "") for value, _ in found)

    def _lines(self, data: bytes) -> Iterator[str]:
        *lines, self._line = (self._line + data).split(b"\n")
        yield from (line.decode("utf-8", "replace").removeprefix("\ufeff").strip() for line in lines if line.strip())


async def pages_listed(
    sitemaps: Iterable[str], door: Door, headers: Headers[str, str]
) -> AsyncIterator[tuple[list[str], list[RunError]]]:
    """Yield the URLs of the pages that sitemaps list, and those they list, as they come; and what is wrong with a sitemap.

    URLs come from the site: they are fetched like those of its pages, to public addresses or those the door allows.
    """
    waiting = deque((url, 0) for url in sitemaps)
    seen = {url for url, _ in waiting}
    while waiting:
        url, depth = waiting.popleft()
        listed: list[str] = []
        try:
            async for pages in _read(url, listed, door, headers):
                yield pages, []
        except RunError as error:
            yield [], [error]
        more = [one for one in dict.fromkeys(listed) if one not in seen and depth < _DEEPEST][: _MOST_FILES - len(seen)]
        seen.update(more)
        waiting.extend((one, depth + 1) for one in more)


def _sort_out(found: list[str], reader: SitemapReader, listed: list[str]) -> list[str]:
    """Put sitemaps into `listed`, and return pages."""
    if not reader.is_index:
        return found
    listed += found[: _MOST_FILES - len(listed)]
    return []


async def _read(url: str, listed: list[str], door: Door, headers: Headers[str, str]) -> AsyncIterator[list[str]]:
    """Yield the pages that a sitemap lists; if it lists sitemaps, these are put into `listed`."""
    reader = SitemapReader(url)
    async with door.stream(Request(url, headers=headers), trusted=False) as answer:
        if answer.status != _OK:
            raise RunError(f"{url} answers {answer.status}")
        async for piece in answer.pieces:
            for found in reader.feed(piece):
                yield _sort_out(found, reader, listed)
                await asyncio.sleep(0)  # others have their turn
        yield list(reader.end())
