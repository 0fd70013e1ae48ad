"""The ledger of an archive: which conversations lie in an output folder, under which names, and what was written for each.

A SQLite file beside the pages, so that the next run knows what it need not write again, which names are taken, and which
version of a conversation is newer. Lost or deleted, it is made anew: then pages are written again, and nothing else is lost.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from .sqlite_faults import faults, is_new, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME: Final = ".state.db"
_FORMAT: Final = 1
# As the lines of the index are, which can then be taken as they stand.
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode
_SCHEMA: Final = """
CREATE TABLE conversation (
    key TEXT PRIMARY KEY, updated TEXT, digest TEXT, wanted TEXT, page TEXT, short TEXT, folder TEXT, files TEXT,
    created TEXT, facts TEXT
);
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
    """Paths to `[sha1, bytes]`, as they were written last; behind them a mark where a page stays whose target is off."""


class Ledger:
    """The open ledger of an output folder. Lone surrogates in text are kept as JSON escapes.

    Raises:
        OutputError: it cannot be written.
        RunError: it is in use, or is no ledger.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = opened(path, _prepare, any_thread=True)
        self._settling: Thread | None = None
        self._latest: dict[str, tuple[str, ...]] = {}
        """What is recorded and not yet in the database: many rows at once cost a third of one by one."""

    def known(self, key: str) -> Known | None:
        """Return what is known of a conversation."""
        if key in self._latest:
            row: Any = self._latest[key][1:8]
            return Known._make((*row[:-1], json.loads(row[-1])))
        with faults(self._path):
            query = "SELECT updated, digest, wanted, page, short, folder, files FROM conversation WHERE key = ?"
            row = self._database.execute(query, (plain(key),)).fetchone()
        return Known._make((*row[:-1], json.loads(row[-1]))) if row else None

    def names(self) -> Iterator[tuple[str, str, str]]:
        """Yield page, short id and folder of every conversation."""
        with faults(self._path):
            yield from self._database.execute("SELECT page, short, folder FROM conversation")

    def record(self, key: str, known: Known, facts: dict[str, Any]) -> None:
        """Record what was written for a conversation, in place of what was recorded before; `commit` makes it last."""
        words = map(plain, (key, *known[:-1]))
        self._latest[key] = (*words, _json(known.files), plain(str(facts.get("created") or "")), _json(facts))

    def commit(self) -> None:
        """Make everything recorded last, all or nothing."""
        with faults(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("REPLACE INTO conversation VALUES (?,?,?,?,?,?,?,?,?,?)", self._latest.values())
            self._database.execute("COMMIT")
        self._latest.clear()

    def entries(self) -> Iterator[str]:
        """Yield the facts of every conversation, as a line of JSON, in order of (created, key)."""
        with faults(self._path):
            for (facts,) in self._database.execute("SELECT facts FROM conversation ORDER BY created, key"):
                yield facts

    def settle(self) -> None:
        """Begin to move what is committed from the log beside it into the file itself, which closing would have to wait for."""
        self._settling = Thread(target=self._checkpoint, name="ledger")
        self._settling.start()

    def _checkpoint(self) -> None:
        with suppress(sqlite3.Error):  # What does not fit stays in the log, where everybody finds it.
            self._database.execute("PRAGMA wal_checkpoint")

    def close(self) -> None:
        """Close it; what is not committed is forgotten."""
        if self._settling:
            self._settling.join()
        self._database.close()


def _prepare(database: sqlite3.Connection) -> None:
    for setting in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -512", "wal_autocheckpoint = 16000"):
        # Of the default's cache nothing is seen in the time, and each checkpoint waits for the disk; closing makes one.
        database.execute(f"PRAGMA {setting}")
    if is_new(database, _FORMAT):
        database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_FORMAT}; COMMIT;")


def _json(value: dict[str, Any]) -> str:
    """Return JSON with a space behind each comma and colon: so `index.jsonl` has it."""
    try:
        return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    except UnicodeEncodeError:  # Half of a surrogate pair, which only Python's own writer takes: at a quarter of the speed.
        return plain(_encode(value))


def plain(text: str) -> str:
    """Return text that SQLite takes: it has no way to write half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
