"""Where pages are kept: in a file of SQLite, in memory, or in Redis. What is kept is bytes by a key, the oldest go first."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from .redis_clients import redis_client, redis_faults
from .sqlite_faults import faults, is_new, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from transmissions import Secret

    T = TypeVar("T")

MEMORY: Final = "memory:"
_PATIENCE: Final = 1.0
"""Seconds that a server is waited for: fetching a page takes about as long."""
_TOGETHER: Final = 16
"""Entries that are removed at once where there is no room."""
_VERSION: Final = 1
_SCHEMA: Final = (
    "CREATE TABLE page (key TEXT PRIMARY KEY, stored REAL NOT NULL, entry BLOB NOT NULL)",
    "CREATE INDEX oldest ON page (stored)",
    "CREATE TABLE held (entries INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "INSERT INTO held VALUES (0, 0)",
    """CREATE TRIGGER added AFTER INSERT ON page BEGIN
        UPDATE held SET entries = entries + 1, bytes = bytes + length(new.entry); END""",
    """CREATE TRIGGER changed AFTER UPDATE ON page BEGIN
        UPDATE held SET bytes = bytes + length(new.entry) - length(old.entry); END""",
    """CREATE TRIGGER removed AFTER DELETE ON page BEGIN
        UPDATE held SET entries = entries - 1, bytes = bytes - length(old.entry); END""",
    f"PRAGMA user_version = {_VERSION}",
)
_PUT: Final = """
    INSERT INTO page (key, stored, entry) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET stored = excluded.stored, entry = excluded.entry
"""
_EVICT: Final = "DELETE FROM page WHERE rowid IN (SELECT rowid FROM page ORDER BY stored LIMIT ?)"


class Limits(NamedTuple):
    """How much is kept at most."""

    bytes: int
    entries: int
    milliseconds: int
    """How long an entry is kept by what removes entries by itself."""


class Store(Protocol):
    """Keeps entries. Each method raises RunError where that cannot be done, naming the store."""

    async def get(self, key: str) -> bytes | None:
        """Return an entry, if there is one."""
        ...

    async def put(self, key: str, stored: float, entry: bytes) -> int:
        """Keep an entry in place of an older one; return how many others had to go. `stored` is in seconds since 1970."""
        ...

    async def close(self) -> None:
        """Let go of what is open."""
        ...


def store_at(place: str, limits: Limits, password: Secret | None = None) -> Store:
    """Return the store at a place: `memory:`, a URL of Redis, or the path of a file. Nothing is opened yet."""
    if place == MEMORY:
        return MemoryStore(limits)
    return RedisStore(place, password, limits) if "://" in place else FileStore(Path(place), limits)


class MemoryStore:
    """Keeps entries as long as the process lives."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        """Return an entry, if there is one."""
        return self._entries.get(key)

    async def put(self, key: str, stored: float, entry: bytes) -> int:
        """Keep an entry; return how many others had to go."""
        self._bytes += len(entry) - len(self._entries.pop(key, b""))
        self._entries[key] = entry
        before = len(self._entries)
        while self._bytes > self._limits.bytes or len(self._entries) > self._limits.entries:
            self._bytes -= len(self._entries.popitem(last=False)[1])
        return before - len(self._entries)

    async def close(self) -> None:
        """There is nothing to close."""


class _Batch:
    """Entries that are written together."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, bytes]] = []
        self.written: asyncio.Task[int] | None = None


class FileStore:
    """Keeps entries in a file that several processes may use at once.

    Reading takes about 15 µs, and is done in the event loop. Writing waits for the disk now and then, so a thread does it:
    what comes while it is at work is one transaction.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._thread = ThreadPoolExecutor(1, "pages")
        self._lock = asyncio.Lock()
        self._batch = _Batch()
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None

    async def get(self, key: str) -> bytes | None:
        """Return an entry, if there is one."""
        reader = self._reader or await self._open()
        with faults(self._path), contextlib.suppress(sqlite3.OperationalError):
            return _entry(reader, key)
        return await self._work(lambda: self._read(key))  # Another process has it for itself; the thread can wait for that.

    async def put(self, key: str, stored: float, entry: bytes) -> int:
        """Keep an entry; return how many others had to go."""
        batch = self._batch
        is_first = not batch.rows
        batch.rows.append((key, stored, entry))
        batch.written = batch.written or asyncio.create_task(self._write(batch))
        evicted = await asyncio.shield(batch.written)
        return evicted if is_first else 0

    async def close(self) -> None:
        """Close the file when all that was begun is done."""
        async with self._lock:
            await self._work(self._close)
        self._thread.shutdown(wait=False)

    async def _write(self, batch: _Batch) -> int:
        async with self._lock:
            self._batch = _Batch()
            return await self._work(lambda: self._keep(batch.rows))

    async def _open(self) -> sqlite3.Connection:
        async with self._lock:
            if self._reader is None:
                self._reader = await self._work(self._lay_out)
            return self._reader

    async def _work(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _lay_out(self) -> sqlite3.Connection:
        """Return a connection to read by, once there is something to read."""
        self._writer = self._writer or self._connect(_prepare)
        return self._connect(_prepare_reading)

    def _connect(self, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
        with faults(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))  # What somebody reads is nobody else's business.
        return opened(self._path, prepare, any_thread=True)

    def _read(self, key: str) -> bytes | None:
        assert self._writer
        with faults(self._path):
            return _entry(self._writer, key)

    def _keep(self, rows: list[tuple[str, float, bytes]]) -> int:
        writer = self._writer = self._writer or self._connect(_prepare)
        with faults(self._path), writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.executemany(_PUT, rows)
            return _make_room(writer, self._limits)

    def _close(self) -> None:
        for base in (self._reader, self._writer):
            if base:
                base.close()


def _prepare(base: sqlite3.Connection) -> None:
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = NORMAL")
    with base:
        base.execute("BEGIN IMMEDIATE")  # Another process may be laying it out this moment.
        if is_new(base, _VERSION):
            for statement in _SCHEMA:
                base.execute(statement)


def _prepare_reading(base: sqlite3.Connection) -> None:
    base.execute("PRAGMA query_only = ON")
    base.execute("PRAGMA busy_timeout = 0")


def _entry(base: sqlite3.Connection, key: str) -> bytes | None:
    found = base.execute("SELECT entry FROM page WHERE key = ?", (key,)).fetchone()
    return found[0] if found else None


def _make_room(base: sqlite3.Connection, limits: Limits) -> int:
    evicted = 0
    while True:
        entries, size = base.execute("SELECT entries, bytes FROM held").fetchone()
        if entries <= limits.entries and size <= limits.bytes:
            return evicted
        evicted += base.execute(_EVICT, (min(_TOGETHER, max(1, entries - limits.entries)),)).rowcount


class RedisStore:
    """Keeps entries in Redis or Valkey, which removes them in time; how much there is room for, the server says."""

    def __init__(self, url: str, password: Secret | None, limits: Limits) -> None:
        self._url = url
        self._limits = limits
        self._client = redis_client(url, password, _PATIENCE)

    async def get(self, key: str) -> bytes | None:
        """Return an entry, if there is one."""
        with redis_faults(self._url):
            found = await self._client.get(key)
            return found if isinstance(found, bytes) else None

    async def put(self, key: str, stored: float, entry: bytes) -> int:
        """Keep an entry."""
        with redis_faults(self._url):
            await self._client.set(key, entry, px=self._limits.milliseconds)
        return 0

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
