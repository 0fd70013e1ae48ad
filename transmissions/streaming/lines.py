"""Bytes into lines: whole ones, with a limit on what one may hold, decoded and split only if somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .config import StreamSource

TRUNCATED: Final = "…[{} bytes cut]"
"""What stands at the end of a line that was longer than allowed."""


class _Content:
    """Lines as bytes or texts; one is made of the other when first asked for, once for all readers."""

    __slots__ = ("_block", "_codec", "_text", "_texts", "count")

    def __init__(self, content: bytes | list[str], codec: tuple[str, str]) -> None:
        self._block = content if isinstance(content, bytes) else b""
        self._texts = content if isinstance(content, list) else None
        self._text: str | None = None
        self._codec = codec
        self.count = len(content) if isinstance(content, list) else content.count(b"\n") + 1

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = self._plain().decode(*self._codec) if self._texts is None else "\n".join(self._texts)
        return self._text

    @property
    def texts(self) -> list[str]:
        if self._texts is None:
            texts = self.text.split("\n")
            # Some codecs take a line feed for a part of a broken character.
            self._texts = texts if len(texts) == self.count else self._one_by_one()
        return self._texts

    def _plain(self) -> bytes:
        return self._block.replace(b"\r\n", b"\n").removesuffix(b"\r") if b"\r" in self._block else self._block

    def _one_by_one(self) -> list[str]:
        return [line.decode(*self._codec) for line in self._plain().split(b"\n")]


class Lines:
    """Lines of one output that came together.

    `texts` are the lines without their ends, and `text` is all of them as one text: a reader that searches the whole saves
    the splitting. Both are made when first asked for, once for all readers.
    """

    __slots__ = ("_begin", "_content", "_part", "count", "first", "source", "time")

    def __init__(
        self,
        source: StreamSource,
        first: int,
        content: bytes | list[str] | _Content,
        time: float,
        codec: tuple[str, str] = ("utf-8", "replace"),
    ) -> None:
        self.source = source
        self.first = first
        """The number of the first of them in this output, counted from 1."""
        self.time = time
        """When they were read, in seconds since 1970."""
        self._content = content if isinstance(content, _Content) else _Content(content, codec)
        self._begin = 0
        self._part: list[str] | None = None
        self.count = self._content.count

    @property
    def text(self) -> str:
        """All lines, with a line feed between each two."""
        return self._content.text if self.count == self._content.count else "\n".join(self.texts)

    @property
    def texts(self) -> list[str]:
        """The lines, one by one."""
        if self.count == self._content.count:
            return self._content.texts
        if self._part is None:
            self._part = self._content.texts[self._begin : self._begin + self.count]
        return self._part

    def part(self, begin: int, end: int | None = None) -> Lines:
        """Return some of them, in a time that does not depend on how many."""
        part = Lines(self.source, self.first + begin, self._content, self.time)
        part._begin = self._begin + begin
        part.count = (self.count if end is None else min(end, self.count)) - begin
        return part

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
        self._ends_with_return = False
        self._count = 0

    def feed(self, data: bytes, time: float) -> Lines | None:
        """Take some bytes, and return the lines they end."""
        end = data.rfind(b"\n")
        if end < 0:
            self._keep(data)
            return None
        whole, rest = memoryview(data)[:end], data[end + 1 :]  # copied once, below
        if self._cut or (self._limit is not None and self._held + len(whole) > self._limit):
            lines = self._numbered([self._bounded(line) for line in bytes(whole).split(b"\n")], time)
        else:
            lines = self._numbered(b"".join([*self._open, whole]), time)
            self._open, self._held, self._ends_with_return = [], 0, False
        self._keep(rest)
        return lines

    def finish(self, time: float) -> Lines | None:
        """Return the last line, if it did not end."""
        return self._numbered([self._take()], time) if self._held else None

    def _numbered(self, content: bytes | list[str], time: float) -> Lines:
        lines = Lines(self._source, self._count + 1, content, time, self._codec)
        self._count += lines.count
        return lines

    def _bounded(self, line: bytes) -> str:
        self._keep(line)
        if self._ends_with_return:  # it belongs to the line's end, and does not count
            if self._cut:
                self._cut -= 1
            else:
                self._open[-1] = self._open[-1][:-1]
        return self._take()

    def _keep(self, data: bytes) -> None:
        if not data:
            return
        kept = data if self._limit is None else data[: self._limit - self._held]
        if kept:
            self._open.append(kept)
        self._held += len(kept)
        self._cut += len(data) - len(kept)
        self._ends_with_return = data.endswith(b"\r")

    def _take(self) -> str:
        text = b"".join(self._open).decode(*self._codec) + (TRUNCATED.format(self._cut) if self._cut else "")
        self._open, self._held, self._cut, self._ends_with_return = [], 0, 0, False
        return text
