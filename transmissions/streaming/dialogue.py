"""A program that is talked to: lines are written to it and read from it for as long as both want."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from .child import launch
from .config import StreamSource
from .pump import Pump, write_input

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from .child import Child
    from .config import ExecutionContext

_WAITING: Final = 1 << 20
"""Bytes of lines that may wait for their reader; then the program waits."""
_REMEMBERED: Final = 1 << 12
"""Bytes of its standard error that are kept, the last ones."""


class Dialogue:
    """A program of the run, as an async context manager; what it is and where it runs is in `context`, which has `stdin=""`.

    When it is left, the program reads an end, and has `context.grace` seconds to go by itself before its group is ended. It
    ends with this process too, however that ends.
    """

    def __init__(self, command: Sequence[str], context: ExecutionContext, longest: int) -> None:
        self._command = command
        self._context = context
        self._longest = longest
        self._lines: deque[bytes] = deque()
        self._begun = bytearray()
        self._waiting = 0
        self._complaints = bytearray()
        self._is_over = False
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._child: Child = launch(self._command, self._context)
        self._pump = Pump(self._child.outlets, self._take)
        self._pump.resume()
        self._watch = asyncio.create_task(self._until_it_ends())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._is_over = True  # What it still says is not for anybody, but nothing is to keep it from its end.
        self._pump.resume()
        self._child.close_input()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._context.grace):
                    await asyncio.shield(self._watch)
        finally:
            await self._put_away()

    @property
    def complaints(self) -> str:
        """The last it wrote to its standard error."""
        return self._complaints.decode(errors="replace")

    @property
    def is_broken(self) -> bool:
        """Whether it writes a line longer than `longest` bytes; it is read no more then."""
        return len(self._begun) > self._longest

    async def send(self, line: bytes) -> None:
        """Write a line, when the program takes it; one that has gone takes anything."""
        async with self._writing:
            if self._child.stdin is not None and not self._is_over:
                await write_input(self._child.stdin, line)

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield the lines of its standard output, without their ends, until it has gone or one is too long."""
        while True:
            while self._lines:
                line = self._lines.popleft()
                self._waiting -= len(line)
                yield line
            if self._is_over or self.is_broken:
                return
            self._pump.resume()
            self._news.clear()
            await self._news.wait()

    async def _until_it_ends(self) -> None:
        await self._child.exited()
        await self._pump.drained(self._context.drain)
        self._end()

    async def _put_away(self) -> None:
        self._watch.cancel()
        try:
            await self._child.end(self._context.grace)
        finally:
            self._end()
            self._pump.close()
            self._child.forget()

    def _end(self) -> None:
        self._is_over = True
        self._news.set()

    def _take(self, source: StreamSource, data: bytes) -> None:
        if source is StreamSource.STDERR:
            self._complaints = (self._complaints + data)[-_REMEMBERED:]
        elif not self._is_over:
            *lines, rest = data.split(b"\n")
            for line in lines:
                self._add(bytes(self._begun) + line)
                self._begun.clear()
            self._begun += rest
            if self.is_broken:
                self._pump.pause()
                self._news.set()

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._waiting += len(line)
        self._news.set()
        if self._waiting > _WAITING:
            self._pump.pause()
