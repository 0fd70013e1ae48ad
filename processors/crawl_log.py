"""Files that all pages of a crawl are added to, each once, whatever happened to the crawl on the way."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, Self

from transmissions import Processor, Protected, cannot_write

from .crawl_page import is_good
from .frontier_queue import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from transmissions import Message


class _PageLog(Processor, ABC):
    """Adds every page to one file as it comes. One that a killed crawl has left is gone on with, and has each page once."""

    extra = "crawl"
    stateful = True

    destination_file: Annotated[str, Protected()]
    "The file, in the output folder."
    _file: int = -1

    @abstractmethod
    def encode(self, page: Message) -> bytes:
        """Return what is written of a page."""

    def head(self) -> bytes:
        """Return what stands at the beginning of the file."""
        return b""

    @abstractmethod
    def known(self, path: Path) -> tuple[set[bytes], int]:
        """Return the keys of the pages that a file holds whole, and where the last one ends."""

    def takes(self, message: Message) -> bool:
        """Whether a message is one that is added."""
        return is_good(message)

    async def __aenter__(self) -> Self:
        self._keys: set[bytes] = set()
        """The pages that the file held already."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def process(self, message: Message) -> Message:
        """Add a page."""
        if self.takes(message):
            self._begin()
            self._add(message)
        return message

    def finish(self) -> None:
        """Leave an empty file where there were no pages."""
        self._begin()

    def _begin(self) -> None:
        """Open the file: as it is where a crawl goes on, else anew."""
        if self._file >= 0:
            return
        is_resumed = getattr(self.context.whiteboard.get("crawl"), "is_resumed", False)
        path = self.context.output_path(self.destination_file, anew=not is_resumed)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._keys, end = self.known(path) if is_resumed and path.exists() else (set(), 0)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            os.ftruncate(self._file, end)
            os.lseek(self._file, end, os.SEEK_SET)
        except OSError as error:
            raise cannot_write(path, error) from error
        if not end:
            self._write(self.head())

    def _add(self, page: Message) -> None:
        if not self._keys or key_in(page) not in self._keys:
            self._write(self.encode(page))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise cannot_write(self.destination_file, error) from error


def key_in(page: Mapping[str, Any]) -> bytes:
    """Return what a page is found by in a log: one that was asked for twice is two pages of one URL."""
    return key_of(page["url"] if page.get("depth") else f"{page['url']} {page.get('index')}")


def whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file but for half a one at its end."""
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))
