"""The search database: what stands in it, and the thread that writes it.

SQLite lets other threads run while it works, so that a thread of its own takes little of the time of those who convert. It is
one transaction: a run that is killed leaves what was there.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from transmissions import OutputError, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMAT: Final = 1
_ROOM: Final = 4 << 20
"""Characters that may wait for the thread."""
_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_SCHEMA: Final = """
CREATE TABLE conversation (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, provider TEXT NOT NULL, conversation_id TEXT NOT NULL,
    title TEXT NOT NULL, created TEXT, updated TEXT, url TEXT, page TEXT, digest BLOB NOT NULL
);
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, conversation INTEGER NOT NULL REFERENCES conversation,
    position INTEGER NOT NULL, message_id TEXT NOT NULL, role TEXT NOT NULL, created TEXT
);
CREATE INDEX message_of ON message (conversation, position);
"""
_SEARCH: Final = """
CREATE VIRTUAL TABLE message_text USING fts5(title, text, content='', tokenize='{tokenizer}');
CREATE VIRTUAL TABLE word USING fts5vocab(message_text, row);
CREATE VIEW hit AS SELECT
    message_text.message_text AS words, message_text.rank AS rank, conversation.title AS title, conversation.page AS page,
    message.role AS role, message.created AS created, message.position AS position, message.message_id AS message_id,
    conversation.provider AS provider, conversation.conversation_id AS conversation_id, conversation.url AS url
FROM message_text JOIN message ON message.id = message_text.rowid JOIN conversation ON conversation.id = message.conversation;
"""
# Plain statements only: one that SQLite guards by a savepoint, such as an upsert, has FTS5 write out all it has gathered,
# and that took three times as long.
_NEW: Final = """
INSERT INTO conversation (key, provider, conversation_id, title, created, updated, url, page, digest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_AGAIN: Final = """
UPDATE conversation SET title = ?, created = ?, updated = ?, url = ?, page = ?, digest = ? WHERE id = ?
"""


class Entry(NamedTuple):
    """A conversation for the database: its row, ending with a digest of all that would be in its rows."""

    row: tuple[str | bytes, ...]
    is_whole: bool = True
    """Whether all its messages come with it; the rest follow without an entry."""


class Line(NamedTuple):
    """A message for the database."""

    position: int
    message_id: str
    role: str
    created: str
    title: str
    text: str


class SearchDatabase:
    """A database that is written by a thread. What it is given is written in order; faults are raised on the next call."""

    def __init__(self, path: Path, tokenizer: str) -> None:
        self._path = path
        self._tokenizer = tokenizer
        self._waiting: deque[tuple[Entry | None, Sequence[Line], int]] = deque()
        self._room = _ROOM
        self._changed = threading.Condition()
        self._fault: OutputError | RunError | None = None
        self._is_complete = self._is_over = False
        self._thread = threading.Thread(target=self._work, name="search database", daemon=True)

    def start(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def add(self, entry: Entry | None, lines: Sequence[Line]) -> None:
        """Have a conversation written, or more messages of the last one. Waits while too much is waiting."""
        size = sum(len(line.text) + 100 for line in lines)
        with self._changed:
            # What is larger than the room passes alone.
            self._changed.wait_for(lambda: self._room >= min(size, _ROOM) or self._fault)
            self._raise()
            self._waiting.append((entry, lines, size))
            self._room -= size
            self._changed.notify()

    def complete(self) -> None:
        """Wait until all is written, and make it last."""
        self._end(is_complete=True)
        self._raise()

    def abandon(self) -> None:
        """Leave the database as it was."""
        self._end(is_complete=False)

    def _end(self, *, is_complete: bool) -> None:
        with self._changed:
            self._is_complete, self._is_over = is_complete, True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _raise(self) -> None:
        if self._fault:
            raise self._fault

    def _work(self) -> None:
        try:
            self._write_all()
        except sqlite3.Error as error:
            fault = _fault_of(self._path, error)
        except OSError as error:
            fault = OutputError(f"cannot write '{self._path}': {error.strerror}")
        else:
            return
        with self._changed:
            self._fault = fault
            self._changed.notify()

    def _write_all(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, isolation_level=None)
        try:
            writer = _Writer(database, self._path, self._tokenizer)
            while (item := self._next()) is not None:
                writer.write(*item)
            if self._is_complete:
                database.execute("COMMIT")
        finally:
            database.close()

    def _next(self) -> tuple[Entry | None, Sequence[Line]] | None:
        """Return what is to be written next, once there is something; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_over)
            if not self._waiting or (self._is_over and not self._is_complete):
                return None
            entry, lines, size = self._waiting.popleft()
            self._room += size
            self._changed.notify()
            return entry, lines


class _Writer:
    """Writes conversations that are new or have changed, in one transaction."""

    def __init__(self, database: sqlite3.Connection, path: Path, tokenizer: str) -> None:
        self._database = database
        self._conversation = 0
        """The one whose messages come; 0 where they are there already."""
        database.execute("BEGIN IMMEDIATE")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0 and not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._lay_out(tokenizer)
        elif version != FORMAT:
            raise sqlite3.DatabaseError("it is another program's database; move it away")
        found = database.execute("SELECT sql FROM sqlite_master WHERE name = 'message_text'").fetchone()
        self._is_searched = bool(tokenizer)
        if tokenizer and not (found and f"tokenize='{tokenizer}'" in found[0]):
            raise sqlite3.DatabaseError(f"its words are not taken apart by '{tokenizer}'; move it away to make it anew")

    def _lay_out(self, tokenizer: str) -> None:
        schema = _SCHEMA + (_SEARCH.format(tokenizer=tokenizer) if tokenizer else "")
        for statement in schema.split(";\n"):
            self._database.execute(statement)
        if tokenizer:
            # Words are gathered in memory before they go into the index: the default of 1 MiB makes many small parts.
            self._database.execute("INSERT INTO message_text (message_text, rank) VALUES ('hashsize', 8388608)")
        self._database.execute(f"PRAGMA user_version = {FORMAT}")

    def write(self, entry: Entry | None, lines: Sequence[Line]) -> None:
        """Write a conversation's messages, unless they are there as they are."""
        if entry:
            self._conversation = self._begin(entry)
        if self._conversation:
            self._insert(lines)

    def _begin(self, entry: Entry) -> int:
        key, digest = entry.row[0], entry.row[-1]
        known = self._database.execute("SELECT id, digest FROM conversation WHERE key = ?", (key,)).fetchone()
        if known is None:
            return int(self._database.execute(_NEW, entry.row).lastrowid or 0)
        number, before = known
        if before == digest:
            return 0
        self._database.execute(_AGAIN, (*entry.row[3:], number))
        # Its words stay in the index, under numbers that are never given again: no message has them any more.
        self._database.execute("DELETE FROM message WHERE conversation = ?", (number,))
        return int(number)

    def _insert(self, lines: Sequence[Line]) -> None:
        (last,) = self._database.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'message'").fetchone()
        first = (last or 0) + 1
        rows = [(number, self._conversation, *line[:4]) for number, line in enumerate(lines, first)]
        self._database.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", rows)
        if self._is_searched:
            texts = [(number, *line[4:]) for number, line in enumerate(lines, first)]
            self._database.executemany("INSERT INTO message_text (rowid, title, text) VALUES (?, ?, ?)", texts)


def _fault_of(path: Path, error: sqlite3.Error) -> OutputError | RunError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FULL:
        return OutputError(f"cannot write '{path}': {error}")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RunError(f"'{path}' is in use by another program; try again when that is done")
    if code == sqlite3.SQLITE_NOTADB:
        return RunError(f"'{path}' is no SQLite database; move it away")
    return RunError(f"cannot use '{path}': {error}")
