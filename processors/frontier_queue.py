"""The URLs of a crawl that are still to be fetched, in SQLite: each once, in the order they were found, by host.

What is queued takes no memory but for the hosts. In a file it outlives the process: what was not said to be done waits again.
"""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from transmissions import RunError

from .sqlite_faults import faults, is_new, opened

if TYPE_CHECKING:
    from collections.abc import Iterable

WAITING: Final = 0
DONE: Final = 1
FAILED: Final = 2

_VERSION: Final = 1
_SCHEMA: Final = f"""
    CREATE TABLE page (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, url TEXT NOT NULL, host TEXT NOT NULL,
        depth INTEGER NOT NULL, seed INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX waiting ON page (host, id) WHERE state = 0;
    CREATE TABLE crawl (request TEXT NOT NULL);
    PRAGMA user_version = {_VERSION};
"""
_ADD: Final = "INSERT OR IGNORE INTO page (key, url, host, depth, seed) VALUES (?, ?, ?, ?, ?)"


class Row(NamedTuple):
    """One URL of a crawl."""

    id: int
    """From 1, in the order of discovery; those that were asked for come first."""
    url: str
    host: str
    depth: int
    seed: int
    """The id of the URL, of those asked for, that it was reached from."""


class Found(NamedTuple):
    """A URL to be queued. Two with the same `key` are one."""

    key: bytes
    url: str
    host: str
    depth: int
    seed: int


def key_of(text: str) -> bytes:
    """Return what stands for a URL where URLs are compared."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class FrontierQueue:
    """A queue; without a path it is this process's own, in memory as far as it is small.

    Raises:
        OutputError: the file cannot be written.
        RunError: the file is none of ours, is in use, or holds another crawl.

    """

    def __init__(self, path: Path | None, request: str) -> None:
        self._path = path
        self._shown = path or Path("the queue of a crawl")
        if path:
            self._base = opened(path, _prepare)
        else:
            self._base = sqlite3.connect("", isolation_level=None)
            self._base.execute("PRAGMA journal_mode = OFF")
            self._base.executescript(_SCHEMA)
        try:
            self._begin(request)
        except BaseException:
            self._base.close()
            raise

    def _begin(self, request: str) -> None:
        known = self._base.execute("SELECT request FROM crawl").fetchone()
        if known is None:
            self._base.execute("INSERT INTO crawl VALUES (?)", (request,))
        elif known[0] != request:
            raise RunError(f"'{self._path}' holds another crawl that is not finished; finish that one, or remove the file")

    def add(self, found: Iterable[Found], most: int) -> int:
        """Queue what is not known yet, `most` at most; return how many that was."""
        with faults(self._shown):
            self._base.execute("BEGIN")
            new = self._add(found, most)
            self._base.execute("COMMIT")
            return new

    def finish(self, row: int, state: int, found: Iterable[Found], most: int) -> int:
        """Say that a URL is done and what was found there, both or neither; return how many URLs were queued."""
        with faults(self._shown):
            self._base.execute("BEGIN")
            new = self._add(found, most)
            self._base.execute("UPDATE page SET state = ? WHERE id = ?", (state, row))
            self._base.execute("COMMIT")
            return new

    def _add(self, found: Iterable[Found], most: int) -> int:
        base, before = self._base, self._base.total_changes
        base.executemany(_ADD, takewhile(lambda _: base.total_changes - before < most, found))
        return base.total_changes - before

    def hosts(self, after: int = 0) -> list[str]:
        """Return the hosts that URLs wait for, of those queued behind an id, in the order they were found."""
        asked = "SELECT host FROM page WHERE state = 0 AND id > ? GROUP BY host ORDER BY min(id)"
        with faults(self._shown):
            return [host for (host,) in self._base.execute(asked, (after,))]

    def waiting(self, host: str, after: int, most: int) -> list[Row]:
        """Return the next URLs of a host that wait, behind an id."""
        asked = "SELECT id, url, host, depth, seed FROM page WHERE state = 0 AND host = ? AND id > ? ORDER BY id LIMIT ?"
        with faults(self._shown):
            return [Row(*found) for found in self._base.execute(asked, (host, after, most))]

    def counts(self) -> dict[int, int]:
        """Return how many URLs are in each state."""
        with faults(self._shown):
            return dict(self._base.execute("SELECT state, count(*) FROM page GROUP BY state").fetchall())

    def url(self, row: int) -> str:
        """Return the URL of an id."""
        with faults(self._shown):
            (found,) = self._base.execute("SELECT url FROM page WHERE id = ?", (row,)).fetchone()
            return str(found)

    def close(self, *, forget: bool = False) -> None:
        """Close it; with `forget` nothing is left of it."""
        self._base.close()
        if self._path and forget:
            self._path.unlink(missing_ok=True)


def _prepare(base: sqlite3.Connection) -> None:
    base.execute("PRAGMA locking_mode = EXCLUSIVE")  # two crawls with one queue would both fetch what is in it
    base.execute("PRAGMA busy_timeout = 0")  # nor is waiting for another of use
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing by it
    if is_new(base, _VERSION):
        base.executescript(_SCHEMA)
