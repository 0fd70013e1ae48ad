"""Bytes into lines: whole ones, with a limit on what one may hold, decoded and split only if somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .config import StreamSource

TRUNCATED: Final = "…[{} bytes cut]"
"""What stands at the end of a line that was longer than allowed."""


class Lines:
    """Lines of one output that came together.

    `texts` are the lines without their ends, and `text` is all of them as one text: a reader that searches the whole saves
    the splitting. Both are made when first asked for, once for all readers.
    """

    __slots__ = ("_block", "_codec", "_text", "_texts", "count", "first", "source", "time")

    def __init__(
        self,
        source: StreamSource,
        first: int,
        content: bytes | list[str],
        time: float,
        codec: tuple[str, str] = ("utf-8", "replace"),
    ) -> None:
        self.source = source
        self.first = first
        """The number of the first of them in this output, counted from 1."""
        self.time = time
        """When they were read, in seconds since 1970."""
        self.count = len(content) if isinstance(content, list) else content.count(b"\n") + 1
        self._block = b"" if isinstance(content, list) else content
        self._texts = content if isinstance(content, list) else None
        self._text: str | None = None
        self._codec = codec

    @property
    def text(self) -> str:
        """All lines, with a line feed between each two."""
        if self._text is None:
            if self._texts is None:
                block = self._block.replace(b"\r\n", b"\n").removesuffix(b"\r") if b"\r" in self._block else self._block
                self._text = block.decode(*self._codec)
            else:
                self._text = "\n".join(self._texts)
        return self._text

    @property
    def texts(self) -> list[str]:
        """The lines, one by one."""
        if self._texts is None:
            self._texts = self.text.split("\n")
        return self._texts

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
        self._codec = (encoding, errors)
        self._open: list[bytes] = []
        """The pieces of the line that has not ended yet."""
        self._held = self._cut = 0
        self._count = 0

    def feed(self, data: bytes, time: float) -> Lines | None:
        """Take some bytes, and return the lines they end."""
        end = data.rfind(b"\n")
        if end < 0:
            self._keep(data)
            return None
        whole, rest = data[:end], data[end + 1 :]
        if self._cut or (self._limit is not None and self._held + len(whole) > self._limit):
            lines = self._numbered([self._bounded(line) for line in whole.split(b"\n")], time)
        else:
            lines = self._numbered(b"".join([*self._open, whole]), time)
            self._open, self._held = [], 0
        if rest:
            self._keep(rest)
        return lines

    def finish(self, time: float) -> Lines | None:
        """Return the last line, if it did not end."""
        return self._numbered([self._take(ended=False)], time) if self._open else None

    def _numbered(self, content: bytes | list[str], time: float) -> Lines:
        lines = Lines(self._source, self._count + 1, content, time, self._codec)
        self._count += lines.count
        return lines

    def _bounded(self, line: bytes) -> str:
        self._keep(line)
        return self._take()

    def _keep(self, data: bytes) -> None:
        room = len(data) if self._limit is None else self._limit - self._held
        self._cut += max(0, len(data) - room)
        self._open.append(data[:room] if len(data) > room else data)
        self._held += min(len(data), room)

    def _take(self, *, ended: bool = True) -> str:
        line = b"".join(self._open)
        if ended and not self._cut:
            line = line.removesuffix(b"\r")
        text = line.decode(*self._codec) + (TRUNCATED.format(self._cut) if self._cut else "")
        self._open, self._held, self._cut = [], 0, 0
        return text
