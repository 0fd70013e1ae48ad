"""Bytes into lines: whole ones, decoded a piece at a time, with a limit on what one may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .config import StreamSource

TRUNCATED: Final = "…[{} bytes cut]"
"""What stands at the end of a line that was longer than allowed."""


class Lines(NamedTuple):
    """Lines of one output that came together."""

    source: StreamSource
    first: int
    """The number of the first of them in this output, counted from 1."""
    texts: list[str]
    time: float
    """When they were read, in seconds since 1970."""

    def part(self, begin: int, end: int | None = None) -> Lines:
        """Return some of them."""
        return Lines(self.source, self.first + begin, self.texts[begin:end], self.time)

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Yield each with its number."""
        return enumerate(self.texts, self.first)


class LineSplitter:
    """Cuts one output into lines.

    Only a line feed ends a line, and a carriage return before it goes with it. What stands behind the last one is a line if
    it is not empty. Reads of any size give the same lines, in a time linear in their bytes.
    """

    def __init__(self, source: StreamSource, limit: int | None, encoding: str, errors: str) -> None:
        self._source = source
        self._limit = limit
        self._text = (encoding, errors)
        self._open: list[bytes] = []
        """The pieces of the line that has not ended yet."""
        self._held = 0
        self._cut = 0
        self.count = 0

    def feed(self, data: bytes, time: float) -> Lines | None:
        """Take some bytes, and return the lines they end."""
        end = data.rfind(b"\n")
        if end < 0:
            self._keep(data)
            return None
        whole, rest = data[: end + 1], data[end + 1 :]
        if self._open:
            first, _, whole = whole.partition(b"\n")
            self._keep(first)
            texts = [self._take(), *self._split(whole)]
        else:
            texts = self._split(whole)
        if rest:
            self._keep(rest)
        return self._numbered(texts, time)

    def finish(self, time: float) -> Lines | None:
        """Return the last line, if it did not end."""
        return self._numbered([self._take(ended=False)], time) if self._open else None

    def _numbered(self, texts: list[str], time: float) -> Lines:
        lines = Lines(self._source, self.count + 1, texts, time)
        self.count += len(texts)
        return lines

    def _split(self, whole: bytes) -> list[str]:
        if not whole:
            return []
        if self._limit is not None and len(whole) > self._limit and max(map(len, whole.split(b"\n"))) > self._limit:
            return [self._bounded(line) for line in whole[:-1].split(b"\n")]
        if b"\r" in whole:
            whole = whole.replace(b"\r\n", b"\n")
        return whole[:-1].decode(*self._text).split("\n")

    def _bounded(self, line: bytes) -> str:
        self._keep(line)
        return self._take()

    def _keep(self, data: bytes) -> None:
        room = len(data) if self._limit is None else self._limit - self._held
        self._cut += max(0, len(data) - room)
        kept = data[:room] if len(data) > room else data
        self._open.append(kept)
        self._held += len(kept)

    def _take(self, *, ended: bool = True) -> str:
        line = b"".join(self._open)
        if ended and not self._cut:
            line = line.removesuffix(b"\r")
        text = line.decode(*self._text) + (TRUNCATED.format(self._cut) if self._cut else "")
        self._open, self._held, self._cut = [], 0, 0
        return text
