"""Sort more than fits in memory: keys that compare as bytes, and runs of sorted messages in a temporary file."""

from __future__ import annotations

import heapq
import io
import os
import pickle
import tempfile
from operator import itemgetter
from struct import Struct
from typing import IO, TYPE_CHECKING, Any, Final

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

_OVERHEAD: Final = 180
"""Bytes Python takes for a record besides its key and its data: two bytes objects, a tuple, places in lists."""
_CHUNK: Final = 1 << 16
_DOUBLE: Final = Struct(">d")
_BITS: Final = Struct(">Q")
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1
_INVERTED: Final = bytes(255 - byte for byte in range(256))
_LAST: Final = b"\x02"

Record = tuple[bytes, bytes]
"""A key that compares as bytes, and the pickled message."""


def text_key(text: str) -> bytes:
    """Return bytes that are in order like texts are (by code point), with an end that lets no text be the start of another."""
    return text.encode("utf-8", "surrogatepass").replace(b"\0", b"\0\xff") + b"\0\0"


def number_key(number: float) -> bytes:
    """Return eight bytes that are in order like numbers are, as floating point has them."""
    (bits,) = _BITS.unpack(_DOUBLE.pack(number + 0.0))  # Minus zero becomes zero.
    return _BITS.pack(bits ^ (_ALL if bits & _SIGN else _SIGN))


def placed(key: bytes | None, *, descending: bool) -> bytes:
    """Return one part of a key: what has none comes last, whichever way the others go."""
    if key is None:
        return _LAST
    return b"\x01" + (key.translate(_INVERTED) if descending else key)


class Sorter:
    """Takes messages with keys, and gives them back in order; equal keys stay in order of arrival.

    Up to `memory` bytes are held; more goes, sorted, to a temporary file that nobody else sees.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._held: list[Record] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []
        self._open: list[IO[bytes]] = []
        """The file at hand, and one that is still being taken from."""

    def add(self, key: bytes, message: Message) -> None:
        """Take a message.

        Raises:
            RunError: it holds something that cannot be written down.

        """
        try:
            data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
            raise RunError(f"only plain data can be held to be sorted: {error}") from error
        self._held.append((key, data))
        self._size += len(key) + len(data) + _OVERHEAD
        if self._size > self._memory:
            self._spill()

    def take(self) -> Iterator[tuple[bytes, Message]]:
        """Yield all messages with their keys in order, and begin anew."""
        held, file, runs = self._held, self._file, self._runs
        self._held, self._size, self._file, self._runs = [], 0, None, []
        held.sort(key=itemgetter(0))
        # The latest messages are in memory, so they come after equal ones of the file.
        parts = [_read_run(file, *run) for run in runs if file]
        merged = heapq.merge(*parts, _taken(held), key=itemgetter(0)) if parts else _taken(held)
        try:
            for key, data in merged:
                yield key, pickle.loads(data)  # noqa: S301 - nobody else can write to the file
        finally:
            if file:
                file.close()
                self._open.remove(file)

    def close(self) -> None:
        """Give up what was taken."""
        for file in self._open:
            file.close()

    def _spill(self) -> None:
        """Write what is held to the file as one sorted run."""
        if not self._file:
            self._file = tempfile.TemporaryFile(buffering=1 << 20)  # noqa: SIM115 - it lives until all is taken
            self._open.append(self._file)
        start = self._file.tell()
        self._held.sort(key=itemgetter(0))
        for chunk in _chunks(self._held):
            pickle.dump(chunk, self._file, pickle.HIGHEST_PROTOCOL)
        self._runs.append((start, self._file.tell()))
        self._file.flush()
        self._held, self._size = [], 0


def _taken(held: list[Record]) -> Iterator[Record]:
    """Yield records, and let go of each."""
    held.reverse()
    while held:
        yield held.pop()


def _chunks(records: list[Record]) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    size = 0
    for record in _taken(records):
        chunk.append(record)
        size += len(record[1])
        if size > _CHUNK:
            yield chunk
            chunk, size = [], 0
    yield chunk


class _Stretch(io.RawIOBase):
    """A part of a file that several read at once, each at its own place."""

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self._file = file
        self._at = start
        self._end = end

    def readable(self) -> bool:
        """Say so."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read on."""
        view = memoryview(buffer)[: self._end - self._at]
        count = os.preadv(self._file.fileno(), [view], self._at)
        self._at += count
        return count


def _read_run(file: IO[bytes], start: int, end: int) -> Iterator[Record]:
    with io.BufferedReader(_Stretch(file, start, end), _CHUNK) as stretch:
        while stretch.peek(1):
            yield from pickle.load(stretch)  # noqa: S301 - nobody else can write to the file
