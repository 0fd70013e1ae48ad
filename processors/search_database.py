"""The search database: what stands in it, and the thread that writes it.

SQLite lets other threads run while it works, so that a thread of its own takes little of the time of those who convert. It is
one transaction: a run that is killed leaves what was there.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from itertools import chain
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from transmissions import RunError

from .sqlite_faults import faults, is_new

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORMAT: Final = 1
_LARGE: Final = 1 << 20
"""Bytes of text that are written together, and become a part of the index; SQLite holds a copy of its own."""
_WAITING: Final = 3
"""Batches that are written or wait: with one, those who convert wait for the thread more often, and it for them."""
_PARTS: Final = 500
"""Parts of the index that become one. With 64, that took a fifth of the time; with 77 parts a search is as fast as with 14."""
_PART: Final = 2 << 20
"""Bytes of memory for a part of the index, so that it holds all that is written together."""
_MANY: Final = 2000
"""Rows that are written together: SQLite takes at most 32766 values in one statement."""
_SCHEMA: Final = """
CREATE TABLE conversation (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, provider TEXT NOT NULL, conversation_id TEXT NOT NULL,
    title TEXT NOT NULL, created TEXT, updated TEXT, url TEXT, page TEXT, digest TEXT NOT NULL
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
_KNOWN: Final = """
SELECT json_group_array(json_array(key, id, digest)) FROM conversation WHERE key IN (SELECT value FROM json_each(?))
"""


class Entry(NamedTuple):
    """A conversation for the database; the digest is of all that would stand in it."""

    key: str
    provider: str
    conversation_id: str
    title: str
    created: str
    updated: str
    url: str
    page: str
    digest: str


class Line(NamedTuple):
    """A message for the database; the text is in UTF-8."""

    position: int
    message_id: str
    role: str
    created: str
    title: str
    text: bytes


class Batch:
    """Conversations that are written together."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.lines: list[tuple[int, Line]] = []
        """Messages, each with the place of its conversation; -1 is the last one of the batch before."""
        self.size = 0

    def is_full(self) -> bool:
        """Whether it is time to write."""
        return self.size >= _LARGE or len(self.lines) >= _MANY or len(self.entries) >= _MANY

    @property
    def room(self) -> int:
        """How many others it keeps from waiting, itself among them: beside a very large one none waits."""
        return min(max(self.size // _LARGE, 1), _WAITING)


class SearchDatabase:
    """A database that is written by a thread. What it is given is written in order; faults are raised on a later call."""

    def __init__(self, path: Path, tokenizer: str) -> None:
        self._path = path
        self._tokenizer = tokenizer
        self._batch = Batch()
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._room = threading.Semaphore(_WAITING)
        self._fault: RunError | None = None
        self._is_complete = False
        self._thread = threading.Thread(target=self._work, name="search database", daemon=True)

    def start(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    async def add(self, entry: Entry | None, lines: Iterable[Line]) -> None:
        """Have a conversation written, or with None more messages of the last one. Waits while too much is waiting."""
        if entry:
            self._batch.entries.append(entry)
        for line in lines:
            self._batch.lines.append((len(self._batch.entries) - 1, line))
            self._batch.size += len(line.text)
            if self._batch.is_full():
                await self._send()

    def complete(self) -> None:
        """Wait until all is written, and make it last."""
        self._raise()
        self._batches.put(self._batch)
        self._is_complete = True
        self.abandon()
        self._raise()

    def abandon(self) -> None:
        """Let the thread end: what is not complete is forgotten, and the database is as it was."""
        self._batches.put(None)
        self._thread.join()

    async def _send(self) -> None:
        for _ in range(self._batch.room):
            self._raise()
            if not self._room.acquire(blocking=False):
                await asyncio.to_thread(self._room.acquire)  # Others work on in the meantime.
        self._raise()
        self._batches.put(self._batch)
        self._batch = Batch()

    def _raise(self) -> None:
        if self._fault:
            raise self._fault

    def _work(self) -> None:
        try:
            with faults(self._path):
                self._write_all()
        except RunError as error:
            self._fault = error
        finally:
            self._room.release(_WAITING)

    def _write_all(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A statement that is kept for later keeps the values it was given, too: 80 MiB of batches written long ago.
        database = sqlite3.connect(self._path, isolation_level=None, cached_statements=0)
        try:
            writer = _Writer(database, self._tokenizer)
            while batch := self._batches.get():
                writer.write(batch)
                self._room.release(batch.room)
            if self._is_complete:
                database.execute("COMMIT")
        finally:
            database.close()


class _Writer:
    """Writes what is new or has changed, in one transaction.

    A batch takes a handful of statements, however many rows: between two statements the thread must wait its turn, which a
    busy main thread gives up every 5 ms only.
    """

    def __init__(self, database: sqlite3.Connection, tokenizer: str) -> None:
        self._database = database
        self._is_searched = bool(tokenizer)
        database.execute("PRAGMA cache_size = -512")  # Of the default's nothing is seen in the time.
        database.execute("BEGIN IMMEDIATE")
        if is_new(database, FORMAT):
            self._lay_out(tokenizer)
        found = database.execute("SELECT sql FROM sqlite_master WHERE name = 'message_text'").fetchone()
        if tokenizer and not (found and f"tokenize='{tokenizer}'" in found[0]):
            raise sqlite3.DatabaseError(f"its words are not taken apart by '{tokenizer}'; move it away to make it anew")
        (self._conversations,) = database.execute("SELECT ifnull(max(id), 0) FROM conversation").fetchone()
        (self._messages,) = database.execute("SELECT ifnull(max(seq), 0) FROM sqlite_sequence").fetchone()
        self._last = 0

    def _lay_out(self, tokenizer: str) -> None:
        schema = _SCHEMA + (_SEARCH.format(tokenizer=tokenizer) if tokenizer else "")
        for statement in schema.split(";\n"):
            self._database.execute(statement)
        if tokenizer:
            # To merge the parts of the index as they come would take half as long again as to make them.
            for option, value in (("hashsize", _PART), ("automerge", 0), ("crisismerge", _PARTS)):
                self._database.execute("INSERT INTO message_text (message_text, rank) VALUES (?, ?)", (option, value))
        self._database.execute(f"PRAGMA user_version = {FORMAT}")

    def write(self, batch: Batch) -> None:
        """Write the conversations of a batch with their messages, unless they are there as they are."""
        numbers = self._number(batch.entries)
        rows = [(number, line) for place, line in batch.lines if (number := numbers[place] if place >= 0 else self._last)]
        self._last = numbers[-1] if numbers else self._last
        start = self._messages + 1
        self._messages += len(rows)
        heads = [(row, number, *line[:4]) for row, (number, line) in enumerate(rows, start)]
        self._insert("INSERT INTO message VALUES", "(?, ?, ?, ?, ?, ?)", heads)
        if self._is_searched:
            texts = [(row, line.title, line.text) for row, (_, line) in enumerate(rows, start)]
            self._insert("INSERT INTO message_text (rowid, title, text) VALUES", "(?, ?, CAST(? AS TEXT))", texts)

    def _number(self, entries: list[Entry]) -> list[int]:
        """Give each conversation a row, and return their numbers: 0 for what needs none, being there already."""
        latest = {entry.key: place for place, entry in enumerate(entries)}
        (found,) = self._database.execute(_KNOWN, (json.dumps(list(latest)),)).fetchone()
        known = {key: (number, digest) for key, number, digest in json.loads(found)}
        numbers = [0] * len(entries)
        for key, place in latest.items():
            number, digest = known.get(key, (0, ""))
            if digest != entries[place].digest:
                self._conversations += number == 0
                numbers[place] = number or self._conversations
        # The words of an older version stay in the index, under numbers that are never given again: no message has them.
        old = (json.dumps([number for number, _ in known.values() if number in numbers]),)
        if old != ("[]",):
            self._database.execute("DELETE FROM message WHERE conversation IN (SELECT value FROM json_each(?))", old)
            self._database.execute("DELETE FROM conversation WHERE id IN (SELECT value FROM json_each(?))", old)
        rows = [(number, *entry) for number, entry in zip(numbers, entries, strict=True) if number]
        self._insert("INSERT INTO conversation VALUES", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return numbers

    def _insert(self, statement: str, values: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            statement = f"{statement} {', '.join([values] * len(rows))}"
            self._database.execute(statement, list(chain.from_iterable(rows)))
