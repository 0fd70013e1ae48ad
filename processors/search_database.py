"""The search database, and the thread that writes it.

SQLite lets other threads run while it works, so that a thread of its own takes little of the time of those who convert. It is
one transaction: a run that is killed leaves what was there.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Self

from transmissions import RunError

from .search_rows import SHIFT, part_of
from .search_schema import ADD_CONVERSATIONS, ADD_MESSAGES, ADD_TEXTS, FORMAT, KNOWN, SCHEMA, SEARCH
from .sqlite_faults import faults, is_new

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .search_rows import Entry, Part

_LARGE: Final = 1 << 20
"""Bytes of text that are written together, and become a part of the index; SQLite holds a copy of its own."""
_WAITING: Final = 2
"""Batches that are written or wait: with one, those who convert wait for the thread more often, and it for them."""
_PARTS: Final = 500
"""Parts of the index that become one. With 64, that took a fifth of the time; with 77 parts a search is as fast as with 14."""
_PART: Final = 2 << 20
"""Bytes of memory for a part of the index, so that it holds all that is written together."""
_MANY: Final = 2000
"""Rows from which on they are written."""
_PAGE: Final = 16384
"""Bytes of a page. With four times as many as by default, SQLite reads and writes less than half as often."""
_LEAF: Final = 16000
"""Bytes of a page of the index, so that each is in one page of the database."""


class Batch:
    """Conversations that are written together."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.parts: list[tuple[int, Part]] = []
        """Messages, each part with the place of its conversation; -1 is the last one of the batch before."""
        self.size = 0
        self._rows = 0

    def add(self, part: Part) -> None:
        """Add messages of the last conversation."""
        _, spans, texts = part
        self.parts.append((len(self.entries) - 1, part))
        self.size += len(texts)
        self._rows += len(spans)

    def is_full(self) -> bool:
        """Whether it is time to write."""
        return self.size >= _LARGE or self._rows >= _MANY or len(self.entries) >= _MANY

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

    async def add(self, entry: Entry, parts: Iterable[Any]) -> None:
        """Have a conversation written. Waits while too much is waiting."""
        self._batch.entries.append(entry)
        for part in parts:
            self._batch.add(part_of(part))
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
        database.execute(f"PRAGMA page_size = {_PAGE}")  # One that is there keeps its own.
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
        schema = SCHEMA + (SEARCH.format(tokenizer=tokenizer) if tokenizer else "")
        for statement in schema.split(";\n"):
            self._database.execute(statement)
        if tokenizer:
            # To merge the parts of the index as they come would take half as long again as to make them.
            for option, value in (("pgsz", _LEAF), ("hashsize", _PART), ("automerge", 0), ("crisismerge", _PARTS)):
                self._database.execute("INSERT INTO message_text (message_text, rank) VALUES (?, ?)", (option, value))
        self._database.execute(f"PRAGMA user_version = {FORMAT}")

    def write(self, batch: Batch) -> None:
        """Write the conversations of a batch with their messages, unless they are there as they are."""
        numbers = self._number(batch.entries)
        parts = [(number, part) for place, part in batch.parts if (number := numbers[place] if place >= 0 else self._last)]
        self._last = numbers[-1] if numbers else self._last
        if not parts:
            return
        start = self._messages + 1
        self._messages += sum(len(part[1]) for _, part in parts)
        # Lines of JSON have no line ends in them: each stands for the number of the conversation.
        rows = "],[".join([f"{number},{part[0]}".replace("\n", f"],[{number},") for number, part in parts])
        self._database.execute(ADD_MESSAGES, (start, f"[[{rows}]]"))
        if self._is_searched:
            spans, texts = json.dumps(list(_spans(part for _, part in parts))), b"".join([part[2] for _, part in parts])
            batch.parts.clear()  # SQLite makes a copy of its own: three would be in memory.
            parts.clear()
            self._database.execute(ADD_TEXTS, (start, texts, spans))

    def _number(self, entries: list[Entry]) -> list[int]:
        """Give each conversation a row, and return their numbers: 0 for what needs none, being there already."""
        latest = {entry[0]: place for place, entry in enumerate(entries)}
        (found,) = self._database.execute(KNOWN, (json.dumps(list(latest)),)).fetchone()
        known = {key: (number, digest) for key, number, digest in json.loads(found)}
        numbers = [0] * len(entries)
        for key, place in latest.items():
            number, digest = known.get(key, (0, ""))
            if digest != entries[place][-1]:
                self._conversations += number == 0
                numbers[place] = number or self._conversations
        # The words of an older version stay in the index, under numbers that are never given again: no message has them.
        old = (json.dumps([number for number, _ in known.values() if number in numbers]),)
        if old != ("[]",):
            self._database.execute("DELETE FROM message WHERE conversation IN (SELECT value FROM json_each(?))", old)
            self._database.execute("DELETE FROM conversation WHERE id IN (SELECT value FROM json_each(?))", old)
        rows = [(number, *entry) for number, entry in zip(numbers, entries, strict=True) if number]
        if rows:
            self._database.execute(ADD_CONVERSATIONS, (json.dumps(rows, ensure_ascii=False),))
        return numbers


def _spans(parts: Iterable[Part]) -> Iterator[Any]:
    """Yield where the texts of several parts lie once those are one; SQLite counts from 1."""
    start = 1
    for _, spans, texts in parts:
        shift = start << SHIFT
        for span in spans:
            yield span + shift if span.__class__ is int else (span[0], span[1] + shift)
        start += len(texts)
