"""The URLs of one crawl in line, by host: whose turn it is, so that no host is asked too much and none waits for another."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from transmissions import RunError

from .crawl_tickets import Ticket
from .frontier_queue import DONE, FAILED, WAITING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from transmissions import Message

    from .frontier_queue import Found, FrontierQueue, Row

REPORTED: Final = "crawl is reported"
"""The label on the whiteboard of a run by which a CrawlReport says that it is there."""
_READ: Final = 32
"""URLs of a host that are read from the queue at once."""
_QUEUED: Final = 256
"""Links of a page that are queued at once, in some milliseconds; then others have their turn."""


class _Line:
    """The URLs of one host."""

    __slots__ = ("after", "busy", "host", "is_ready", "rows")

    def __init__(self, host: str) -> None:
        self.host = host
        self.busy = 0
        self.after = 0
        """The id of the last row read: those up to it are at work, or were."""
        self.is_ready = False
        self.rows: deque[Row] = deque()


class Lines:
    """Gives out what waits in a queue, `at_once` rows at most and `per_host` of one host, until nothing waits or is at work.

    `links` says what was found on a page that is done. Each row comes with a ticket, and counts until that is given back and
    the links are queued; a page whose links are not all queued is not done, if the process is killed.
    """

    def __init__(
        self, queue: FrontierQueue, at_once: int, per_host: int, most: int, links: Callable[[Row, Message], Iterable[Found]]
    ) -> None:
        self._queue = queue
        self._at_once = at_once
        self._per_host = per_host
        self._most = most
        self._links = links
        self._busy = 0
        self._lines: dict[str, _Line] = {}
        self._ready: deque[_Line] = deque()
        self._changed = asyncio.Event()
        self._finders = 0
        self._is_closed = False
        self._fault: RunError | None = None
        counts = queue.counts()
        self.total = sum(counts.values())
        """How many URLs are known."""
        self.waiting = counts.get(WAITING, 0)
        """How many of them wait or are at work."""
        self.is_resumed = self.waiting < self.total
        """Whether some were done before: this crawl goes on with another."""
        for host in queue.hosts():
            self._revive(host)

    async def __aiter__(self) -> AsyncIterator[tuple[Row, Ticket]]:
        while True:
            row = self._next()
            if self._fault:
                raise self._fault
            if row:
                yield row, Ticket(row, self._given_back)
            elif not self._busy and not self._finders:
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    @contextmanager
    def finding(self) -> Iterator[None]:
        """Wait for more, as long as somebody looks for it elsewhere."""
        self._finders += 1
        try:
            yield
        finally:
            self._finders -= 1
            self._changed.set()

    def add(self, found: list[Found]) -> None:
        """Queue more, as far as there is room."""
        self._added(self._queue.add(found, self._most - self.total), found)

    def _next(self) -> Row | None:
        while self._ready and self._busy < self._at_once:
            line = self._ready.popleft()
            line.is_ready = False
            if not line.rows:
                line.rows.extend(self._queue.waiting(line.host, line.after, _READ))
            if line.rows:
                return self._take(line)
            if not line.busy:
                del self._lines[line.host]
        return None

    def _take(self, line: _Line) -> Row:
        row = line.rows.popleft()
        line.after = row.id
        line.busy += 1
        self._busy += 1
        self._make_ready(line)
        return row

    def close(self) -> None:
        """Take nothing back any more."""
        self._is_closed = True

    def _given_back(self, row: Row, page: Message | None) -> None:
        has_failed = page is None or "fault" in page
        found = () if page is None or has_failed else self._links(row, page)
        self._finish(row, FAILED if has_failed else DONE, iter(found))

    def _finish(self, row: Row, state: int, links: Iterator[Found]) -> None:
        """Queue links and then give the row's place to another, or go on with that when others have had their turn."""
        if self._is_closed:
            return
        is_done = True
        try:
            is_done = self._finished(row, state, list(islice(links, _QUEUED)))
        except RunError as error:
            self._fault = error
        finally:  # whatever a page calls its links, it does not keep its place for ever
            if is_done:
                self._free(row.host)
            else:
                asyncio.get_running_loop().call_soon(self._finish, row, state, links)

    def _free(self, host: str) -> None:
        line = self._lines[host]
        line.busy -= 1
        self._busy -= 1
        self.waiting -= 1
        self._make_ready(line)
        self._changed.set()

    def _finished(self, row: Row, state: int, found: list[Found]) -> bool:
        room, is_last = self._most - self.total, len(found) < _QUEUED
        count = self._queue.finish(row.id, state, found, room) if is_last else self._queue.add(found, room)
        self._added(count, found)
        return is_last

    def _added(self, count: int, found: list[Found]) -> None:
        self.total += count
        self.waiting += count
        if count:
            for host in dict.fromkeys(one.host for one in found):
                self._revive(host)
            self._changed.set()

    def _revive(self, host: str) -> None:
        line = self._lines.get(host)
        if line is None:
            line = self._lines[host] = _Line(host)
        self._make_ready(line)

    def _make_ready(self, line: _Line) -> None:
        if not line.is_ready and line.busy < self._per_host:
            line.is_ready = True
            self._ready.append(line)
