"""The ledger of an archive: which conversations lie in an output folder, under which names, and what was written for each.

A SQLite file beside the pages, so that the next run knows what it need not write again, which names are taken, and which
version of a conversation is newer. Lost or deleted, it is made anew: then pages are written again, and nothing else is lost.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from transmissions import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME: Final = ".state.db"
_FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS conversation (
    key TEXT PRIMARY KEY, updated TEXT, digest TEXT, wanted TEXT, page TEXT, short TEXT, folder TEXT, files TEXT,
    created TEXT, facts TEXT
);
CREATE INDEX IF NOT EXISTS in_time ON conversation (created, key);
"""


class Known(NamedTuple):
    """What the ledger says of one conversation."""

    updated: str
    digest: str
    wanted: str
    """The path its page was to have; `page` differs where that was taken."""
    page: str
    short: str
    folder: str
    files: dict[str, list[Any]]
    """Paths to `[sha1, bytes]`, as they were written last."""


class Ledger:
    """The open ledger of an output folder. Lone surrogates in text are kept as JSON escapes.

    Raises:
        OutputError: it cannot be read or written, or is no ledger.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._faults():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
            self._latest: dict[str, tuple[str, ...]] = {}
            """What is recorded and not yet in the database: many rows at once cost a third of one by one."""
            self._prepare()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the ledger at `path`, or make it."""
        return cls(path)

    def _prepare(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _FORMAT):
            raise OutputError(f"'{self._path}' was made by another version of transmissions; move it away to make it anew")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("PRAGMA cache_size = -512")  # Of the default's two megabytes nothing is seen in the time.
        self._database.execute("PRAGMA wal_autocheckpoint = 16000")  # Each waits for the disk; closing does so once.
        if version == 0:
            self._database.executescript(_SCHEMA)
            self._database.execute(f"PRAGMA user_version = {_FORMAT}")

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutputError(f"cannot use '{self._path}': {error}") from error

    def known(self, key: str) -> Known | None:
        """Return what is known of a conversation."""
        if key in self._latest:
            row: Any = self._latest[key][1:8]
            return Known._make((*row[:-1], json.loads(row[-1])))
        with self._faults():
            query = "SELECT updated, digest, wanted, page, short, folder, files FROM conversation WHERE key = ?"
            row = self._database.execute(query, (plain(key),)).fetchone()
        return Known._make((*row[:-1], json.loads(row[-1]))) if row else None

    def names(self) -> Iterator[tuple[str, str, str]]:
        """Yield page, short id and folder of every conversation."""
        with self._faults():
            yield from self._database.execute("SELECT page, short, folder FROM conversation")

    def record(self, key: str, known: Known, facts: dict[str, Any]) -> None:
        """Record what was written for a conversation, in place of what was recorded before; `commit` makes it last."""
        files = json.dumps(known.files)
        self._latest[key] = tuple(map(plain, (key, *known[:-1], files, str(facts.get("created") or ""), json.dumps(facts))))

    def commit(self) -> None:
        """Make everything recorded last, all or nothing."""
        with self._faults():
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("REPLACE INTO conversation VALUES (?,?,?,?,?,?,?,?,?,?)", self._latest.values())
            self._database.execute("COMMIT")
        self._latest.clear()

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the facts of every conversation, in order of (created, key)."""
        with self._faults():
            for (facts,) in self._database.execute("SELECT facts FROM conversation ORDER BY created, key"):
                yield json.loads(facts)

    def close(self) -> None:
        """Close it; what is not committed is forgotten."""
        self._database.close()


def plain(text: str) -> str:
    """Return text that SQLite takes: it has no way to write half of a surrogate pair."""
    return text.encode("utf-8", "backslashreplace").decode()
