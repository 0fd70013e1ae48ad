"""Which keys were seen before: in memory, or in a SQLite file that later runs read too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from transmissions import RunError

from .sqlite_faults import faults, is_new, opened

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_FORMAT: Final = 1


class SeenInMemory:
    """Digests of keys in order of arrival, as many and as old as there may be."""

    def __init__(self, window: int, seconds: float, most: int) -> None:
        self._window = window
        self._seconds = seconds
        self._most = most
        self._seen: dict[bytes, float] = {}

    def add(self, digest: bytes) -> bool:
        """Remember a digest; return whether it is new.

        Raises:
            RunError: there are too many.

        """
        now = time.monotonic() if self._seconds else 0.0
        if self._seconds:
            self._forget(now - self._seconds)
        if digest in self._seen:
            return False
        if len(self._seen) >= (self._window or self._most):
            if not self._window:
                raise RunError(
                    f"there are more than {self._most} keys (:maxKeys); set :window, or :stateFile to have them in a file"
                )
            del self._seen[next(iter(self._seen))]
        self._seen[digest] = now
        return True

    def _forget(self, before: float) -> None:
        while self._seen and self._seen[oldest := next(iter(self._seen))] <= before:
            del self._seen[oldest]

    def keep(self) -> None:
        """Keep nothing: it ends with the run."""

    def close(self) -> None:
        """Close nothing."""


class SeenInFile:
    """Digests of keys in a SQLite file. All that a run adds is one transaction."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._path = path
        self._now = time.time
        self._database = opened(path, self._prepare)
        with faults(path):
            if seconds:
                self._database.execute("DELETE FROM seen WHERE first <= ?", (self._now() - seconds,))
        self._seconds = seconds

    @staticmethod
    def _prepare(database: sqlite3.Connection) -> None:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("BEGIN IMMEDIATE")
        if is_new(database, _FORMAT):
            database.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY, first REAL NOT NULL) WITHOUT ROWID")
            database.execute(f"PRAGMA user_version = {_FORMAT}")

    def add(self, digest: bytes) -> bool:
        """Remember a digest; return whether it is new."""
        now = self._now()
        add = "INSERT INTO seen VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET first = excluded.first WHERE first <= ?"
        with faults(self._path):
            return self._database.execute(add, (digest, now, now - self._seconds if self._seconds else -1.0)).rowcount > 0

    def keep(self) -> None:
        """Have all that was added last."""
        with faults(self._path):
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the file; what was not kept is undone."""
        with faults(self._path):
            self._database.close()
