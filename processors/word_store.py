"""The words of an archive and the pages they stand on: kept in a small SQLite file, written as JavaScript that a page loads.

A word's shard is named by its first two characters, or, if it is not of the letters and digits of ASCII, by its first one, in
one of 64. `search_script.py` looks for words by the same rule.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from transmissions import write_whole

from .clean import clean_bytes
from .sqlite_faults import faults, is_new, opened

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_NAME: Final = ".words.db"
_OTHER: Final = "other"
_SHARDS: Final = 64
_PARTS: Final = json.dumps([*"0123456789abcdefghijklmnopqrstuvwxyz", _OTHER])
"""Words by their first character; those with more than ASCII in them apart."""
_FORMAT: Final = 1
_SCHEMA: Final = f"""
CREATE TABLE page (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE, page TEXT, title TEXT, created TEXT, kind TEXT, digest BLOB, number INTEGER
);
CREATE TABLE words (part TEXT, page INTEGER, words TEXT, PRIMARY KEY (part, page)) WITHOUT ROWID;
PRAGMA user_version = {_FORMAT}
"""

Listed = tuple[int, str, str, str, str]
"""A page's number, path, title, time and kind."""


class WordStore:
    """The words of pages, below `folder`. What is put in lasts once `write` is through.

    Raises:
        OutputError: its file cannot be written.
        RunError: its file is in use, or is none of ours.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed: set[str] = set()
        self._database = opened(folder / _NAME, _prepare)

    def _faults(self) -> AbstractContextManager[None]:
        return faults(self._folder / _NAME)

    def put(self, key: str, facts: dict[str, Any], words: str) -> None:
        """Put in a page, in place of what was there under this key. `words` are distinct and in order, one to a line."""
        told = [clean_bytes([str(facts.get(name) or "")])[0].decode() for name in ("page", "title", "created", "kind")]
        words = _plain(words)
        digest = hashlib.blake2b(words.encode(), digest_size=16).digest()
        with self._faults():
            known = self._database.execute("SELECT id, digest FROM page WHERE key = ?", (_plain(key),)).fetchone()
            if known is None:
                self._database.execute(
                    "INSERT INTO page (key, page, title, created, kind, digest) VALUES (?,?,?,?,?,?)",
                    (_plain(key), *told, digest),
                )
                (known,) = self._database.execute("SELECT last_insert_rowid(), NULL").fetchall()
            else:
                query = "UPDATE page SET page = ?, title = ?, created = ?, kind = ?, digest = ? WHERE id = ?"
                self._database.execute(query, (*told, digest, known[0]))
            if known[1] != digest:
                self._replace(known[0], dict(_parts(words)), is_new=known[1] is None)

    def _replace(self, page: int, parts: dict[str, str], is_new: bool) -> None:
        if not is_new:
            query = "DELETE FROM words WHERE page = ? AND part IN (SELECT value FROM json_each(?)) RETURNING part, words"
            before = dict(self._database.execute(query, (page, _PARTS)).fetchall())
            self._changed |= {part for part in {*before, *parts} if before.get(part) != parts.get(part)}
        else:
            self._changed |= parts.keys()
        rows = [(part, page, words) for part, words in parts.items()]
        self._database.executemany("INSERT INTO words VALUES (?,?,?)", rows)

    def pages(self) -> Iterator[Listed]:
        """Yield every page that was written, in order of (time, key)."""
        with self._faults():
            yield from self._database.execute("SELECT number, page, title, created, kind FROM page ORDER BY created, key")

    def write(self) -> None:
        """Write the shards that have changed, and make what was put in last."""
        with self._faults():
            self._number()
            for part in sorted(self._changed):
                self._write_part(part)
            self._database.execute("COMMIT")
        self._changed.clear()

    def _number(self) -> None:
        """Give new pages numbers in an order of their own: from several processes they come in any."""
        numbered = self._database.execute("SELECT count(*) FROM page WHERE number IS NOT NULL").fetchone()[0]
        new = self._database.execute("SELECT id FROM page WHERE number IS NULL ORDER BY created, key").fetchall()
        rows = [(number, page) for number, (page,) in enumerate(new, numbered + 1)]
        self._database.executemany("UPDATE page SET number = ? WHERE id = ?", rows)

    def _write_part(self, part: str) -> None:
        shards: dict[str, list[str]] = {}
        for word, places in sorted(self._places(part).items()):
            # The first number was kept to count from; what is written are distances.
            listed = ",".join(map(str, places[1:]))
            shards.setdefault(_shard_of(word), []).append(f"{json.dumps(word)}:[{listed}]")
        for path in self._folder.glob(f"{part}-*.js" if part == _OTHER else f"{part}?.js"):
            if path.stem not in shards:
                path.unlink()
        for name, entries in shards.items():
            write_changed(self._folder / f"{name}.js", f"S.take({json.dumps(name)},{{{','.join(entries)}}})\n")

    def _places(self, part: str) -> dict[str, list[int]]:
        """Return for each word of a part the last page it stands on, then the distance of each page from the one before."""
        found: dict[str, list[int]] = {}
        query = "SELECT number, words FROM words JOIN page ON page.id = words.page WHERE part = ? ORDER BY number"
        for page, words in self._database.execute(query, (part,)):
            for word in words.split("\n"):
                places = found.setdefault(word, [0])
                places.append(page - places[0])
                places[0] = page
        return found

    def close(self) -> None:
        """Close it; what was put in since the last `write` is forgotten."""
        self._database.close()


def write_changed(path: Path, text: str) -> None:
    """Write a file unless it is as it should be."""
    data = text.encode("utf-8", "replace")
    try:
        if path.read_bytes() == data:
            return
    except OSError:
        pass  # There is none yet, or writing will say what is wrong.
    write_whole(path, data)


def _parts(words: str) -> Iterator[tuple[str, str]]:
    """Yield the words of each part."""
    plain = words
    if not words.isascii():
        lines = words.split("\n")
        yield _OTHER, "\n".join(word for word in lines if not word.isascii())
        plain = "\n".join(word for word in lines if word.isascii())
    framed = f"\n{plain}"
    at = 0
    while at + 1 < len(framed):
        first = framed[at + 1]
        # Words are in order: those that begin alike end where the last of them does.
        last = framed.rfind(f"\n{first}")
        end = framed.find("\n", last + 1)
        end = len(framed) if end < 0 else end
        yield first, framed[at + 1 : end]
        at = end


def _shard_of(word: str) -> str:
    return word[:2] if word.isascii() else f"{_OTHER}-{ord(word[0]) % _SHARDS}"


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _prepare(database: sqlite3.Connection) -> None:
    """Begin the one transaction of a run; the layout is part of it, so that a run that is killed leaves nothing half made."""
    database.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split(";\n") if is_new(database, _FORMAT) else ():
        database.execute(statement)
