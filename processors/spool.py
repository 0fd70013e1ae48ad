"""Temporary files for the one conversation that is too large for memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from io import BufferedRandom

    from .blobs import Blob

_BLOCK: Final = 1 << 20
_DECODER: Final = json.JSONDecoder(strict=False)


class SpooledList:
    """A list that lives in a temporary file, one JSON text to a line. It can be gone through any number of times."""

    __slots__ = ("_count", "_file")

    def __init__(self) -> None:
        self._file = _temporary_file()
        self._count = 0

    def append(self, item: Any) -> None:
        """Add a JSON value at the end."""
        text = json.dumps(item)
        self.append_json(text, 0, len(text))

    def append_json(self, text: str, start: int, end: int) -> None:
        """Add what stands between two places of a text: a JSON text without a line end in it."""
        for at in range(start, end, _BLOCK):
            self._file.write(text[at : min(at + _BLOCK, end)].encode("utf-8", "surrogatepass"))
        self._file.write(b"\n")
        self._count += 1

    def __del__(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        place = 0
        open_line = bytearray()
        while True:
            # Each block finds its own place, so that two may go through the list at once.
            self._file.seek(place)
            block = self._file.read(_BLOCK)
            if not block:
                return
            place += len(block)
            first, *others = block.split(b"\n")
            open_line += first
            if others:
                yield _taken(open_line)
                open_line += others.pop()
                yield from map(_value_of, others)


def _taken(line: bytearray) -> Any:
    """Return the value of a line and empty it: it may be very long, and is in memory once."""
    text = line.decode("utf-8", "surrogatepass")
    line.clear()
    return _DECODER.decode(text)


def _value_of(line: bytes) -> Any:
    return _DECODER.decode(line.decode("utf-8", "surrogatepass"))


class Mapped:
    """A spooled list, or one seen through a function already, seen through a function: nothing is held."""

    __slots__ = ("_function", "_items")

    def __init__(self, function: Callable[[Any], Any], items: SpooledList | Mapped) -> None:
        self._function = function
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return map(self._function, self._items)


class Slice:
    """A stretch of a spool; its length is in bytes."""

    __slots__ = ("_length", "_spool", "_start")

    def __init__(self, spool: Spool, start: int, length: int) -> None:
        self._spool = spool
        self._start = start
        self._length = length

    def __len__(self) -> int:
        return self._length

    def read(self) -> bytes:
        """Return the bytes, whole."""
        return self._spool.read(self._start, self._length)

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes, a block at a time."""
        for start in range(self._start, self._start + self._length, _BLOCK):
            yield self._spool.read(start, min(_BLOCK, self._start + self._length - start))


def _temporary_file() -> BufferedRandom:
    import tempfile  # with a dozen modules: a process that meets no large conversation does without

    return tempfile.TemporaryFile()


class Spool:
    """Bytes set aside in a temporary file."""

    __slots__ = ("_end", "_file")

    def __init__(self) -> None:
        self._file = _temporary_file()
        self._end = 0

    def __del__(self) -> None:
        self._file.close()

    def put(self, data: bytes) -> Slice:
        """Set `data` aside and return where it lies."""
        self._file.seek(self._end)
        self._file.write(data)
        place = Slice(self, self._end, len(data))
        self._end += len(data)
        return place

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`."""
        self._file.seek(start)
        return self._file.read(length)


Content: TypeAlias = "bytes | list[bytes | Slice | Blob]"
"""What is to be a file: its bytes, or pieces of it in order."""


def pieces(content: Content) -> Iterable[bytes]:
    """Yield the bytes of a file, piece by piece."""
    if isinstance(content, bytes):
        yield content
        return
    for piece in content:
        if isinstance(piece, bytes):
            yield piece
        else:
            yield from piece.blocks()
