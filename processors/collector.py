"""Many records in one file, which a later run brings up to date: RecordCollector."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import chain
from typing import IO, TYPE_CHECKING, Annotated, Final

from transmissions import Processor, Protected, RunError, UsageError, cannot_write

from .spool import pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transmissions import Message

    from .spool import Content

_BLOCK: Final = 1 << 20
_LONGEST: Final = 1 << 16
"""Bytes of a line that its key must stand in."""
_KEY: Final = r'# [^\n]+|\{"key": ?"(?:[^"\\]|\\.)*"'
"""A comment of N-Triples or Turtle, or the first field of a JSON object."""


class RecordCollector(Processor):
    """Collect records in single files, each of which is whole or as it was.

    Takes `records`: file names, each with the bytes of one record in whole lines. A record begins with its key: what
    `keyPattern` finds at the start of a line. Lines that follow and have no key, or the same, belong to it. `records` ends
    here; a message without it goes on as it is. `no_records` names files likewise, each with the key of a record that there is
    none of any more.

    ```turtle
    :collect a :RecordCollector .
    ```

    New records stand in order of arrival, behind them those of earlier runs that did not come this time. A key that comes
    again replaces its earlier record. A file that would become what it is stays untouched, and one that holds anything else
    than records is an error: nothing is lost. Of the keys, 8 bytes each are in memory.
    """

    stateful = True

    key_pattern: Annotated[str, Protected()] = _KEY
    "A regular expression for the key, at the start of a record's first line."

    def __post_init__(self) -> None:
        """Fail early where the pattern is wrong."""
        try:
            self._pattern = re.compile(self.key_pattern.encode())
        except re.error as error:
            raise UsageError(f"keyPattern of RecordCollector is wrong: {error}") from error
        self._files: dict[str, _Collection] = {}

    def process(self, message: Message) -> Message:
        """Put the message's `records` into their files."""
        for name, content in message.get("records", {}).items():
            self._file(name).add(content)
        for name, key in message.get("no_records", {}).items():
            self._file(name).forget(key)
        for name in ("records", "no_records"):
            message.pop(name, None)  # Only now: had writing failed, the dead letter would hold them.
        return message

    def finish(self) -> None:
        """Give each complete file its name."""
        for file in self._files.values():
            file.complete()

    async def __aexit__(self, *exc: object) -> None:
        for file in self._files.values():
            file.abandon()

    def _file(self, name: str) -> _Collection:
        if name not in self._files:
            self._files[name] = _Collection(self.context.output_path(name), self._pattern)
        return self._files[name]


class _Collection:
    """One file in the making, beside the one that is there."""

    def __init__(self, path: Path, pattern: re.Pattern[bytes]) -> None:
        self._path = path
        self._pattern = pattern
        # Always the same temporary name, so that a run after a killed one leaves nothing behind.
        self._part = path.with_name(f".{path.name[:60]}.part")
        self._size = 0
        self._keys: set[int] = set()
        self._latest: dict[int, int] = {}
        """Where the latest record of a key begins, for keys that came more than once."""
        self._check_old()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._part.unlink(missing_ok=True)
            self._out: IO[bytes] = self._part.open("xb", buffering=_BLOCK)
        except OSError as error:
            raise cannot_write(path, error) from error

    def _check_old(self) -> None:
        """Look at the file that is there before anything is written.

        Raises:
            RunError: it is not one of records.

        """
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        with self._path.open("rb") as file:
            start = file.readline(_LONGEST)
            file.seek(max(size - 1, 0))
            is_whole = file.read(1) in (b"\n", b"")
        if size and not (is_whole and self._pattern.match(start)):
            fault = "does not begin with a record" if is_whole else "is cut off"
            raise RunError(f"'{self._path}' is there and {fault}; it would be lost: move it away")

    def add(self, content: Content) -> None:
        """Write a record down."""
        stream = iter(pieces(content))
        first = next(stream, b"")
        found = self._pattern.match(first)
        if found is None:
            shown = first[:40].decode(errors="replace")
            raise RunError(f"a record for '{self._path.name}' begins with {shown!r}, which is no key")
        self.forget(found[0])
        last = b""
        for piece in chain((first,), stream):
            self._write(piece)
            last = piece or last
        if not last.endswith(b"\n"):
            self._write(b"\n")

    def forget(self, name: bytes) -> None:
        """Have earlier records of a key left out."""
        key = hash(name)
        if key in self._keys:
            self._latest[key] = self._size
        self._keys.add(key)

    def _write(self, data: bytes) -> None:
        try:
            self._out.write(data)
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._size += len(data)

    def complete(self) -> None:
        """Carry over what did not come this time, and give the file its name if it is another than before."""
        try:
            self._out.flush()
            if self._latest:
                self._leave_out()
            if self._path.exists() and not _are_equal(self._part, self._path):
                self._carry_over()
            self._out.close()
            is_there = self._path.exists()
            if _are_equal(self._part, self._path) if is_there else not self._size:
                self._part.unlink()
            else:
                self._part.replace(self._path)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def abandon(self) -> None:
        """Leave nothing half written behind."""
        with suppress(OSError):
            self._out.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _carry_over(self) -> None:
        with self._path.open("rb") as old:
            for key, _, line in self._lines(old):
                if key not in self._keys:
                    self._out.write(line)

    def _leave_out(self) -> None:
        """Write the file anew without the earlier records of keys that came again."""
        with self._part.open("rb") as given:
            # Removed, it lives until it is closed: nothing else has the name while it is written anew.
            self._part.unlink()
            self._out.close()
            self._out = self._part.open("xb", buffering=_BLOCK)
            for key, start, line in self._lines(given):
                if start >= self._latest.get(key, 0):
                    self._out.write(line)
            self._out.flush()

    def _lines(self, file: IO[bytes]) -> Iterator[tuple[int, int, bytes]]:
        """Yield every line with the key of its record and where it starts; one too long for memory comes in pieces."""
        key = start = 0
        is_new = True
        while line := file.readline(_BLOCK):
            if is_new and (found := self._pattern.match(line)):
                key = hash(found[0])
            yield key, start, line
            start += len(line)
            is_new = line.endswith(b"\n")


def _are_equal(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while block := left.read(_BLOCK):
            if block != right.read(_BLOCK):
                return False
    return True
