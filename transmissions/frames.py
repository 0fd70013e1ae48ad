"""What travels between the processes of a run: frames of plain data, over pipes that nobody else holds.

A value is written with `marshal`, which is the fastest way for plain data (97 MB in 0.14 s), and with `pickle` where that
refuses. Reading either is safe here because both ends are this program. Text may hold lone surrogates. What is like `bytes`
(a `bytearray`, an `array`) may arrive as `bytes`.

A frame is two lengths, its head of the first and its parts, which have the second together. The head is a tuple whose last
item lists the lengths of the parts.
"""

from __future__ import annotations

import asyncio
import marshal
import os
import pickle
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Data = bytes | memoryview

_LENGTHS: Final = Struct("!QQ")
_PICKLED: Final = pickle.PROTO[0]
"""The first byte of what `pickle` writes; `marshal` begins with a letter, with or without this bit."""


class Frame(NamedTuple):
    """One thing that is said: what it is, in words, and parts that are encoded each by itself."""

    head: tuple[Any, ...]
    parts: list[memoryview]


def encode(value: Any) -> bytes:
    """Return a value as bytes.

    Raises:
        Exception: whatever `pickle` says of a value that cannot be written.

    """
    try:
        return marshal.dumps(value)
    except ValueError:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def decode(data: Data) -> Any:
    """Return the value of bytes that `encode` made."""
    return pickle.loads(data) if data[0] == _PICKLED else marshal.loads(data)  # noqa: S301, S302 - see above


def pieces(head: tuple[Any, ...], parts: Sequence[bytes] = ()) -> list[bytes]:
    """Return a frame as bytes, in pieces."""
    lengths = [len(part) for part in parts]
    words = encode((*head, lengths))
    return [_LENGTHS.pack(len(words), sum(lengths)), words, *parts]


def read_frame(descriptor: int) -> Frame | None:
    """Return the next frame of a pipe, waiting until all of it has come; None at the end of the pipe."""
    lengths = _read(descriptor, _LENGTHS.size)
    if lengths is None:
        return None
    words, parts = _LENGTHS.unpack(lengths)
    body = _read(descriptor, words + parts)
    return _frame(body, words) if body else None


class Receiver(asyncio.Protocol):
    """Takes frames from a pipe, and None at its end."""

    def __init__(self, hear: Callable[[Frame | None], object]) -> None:
        self._hear = hear
        self._data = bytearray()

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._data += data
        begin = _LENGTHS.size
        while len(self._data) >= begin:
            words, parts = _LENGTHS.unpack_from(self._data)
            end = begin + words + parts
            if len(self._data) < end:
                return
            body = self._data[begin:end]
            del self._data[:end]
            self._hear(_frame(body, words))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio calls it
        """Tell that nothing more will come."""
        self._hear(None)


def _read(descriptor: int, count: int) -> bytearray | None:
    data = bytearray(count)
    rest = memoryview(data)
    while rest:
        got = os.readv(descriptor, [rest])
        if not got:
            return None
        rest = rest[got:]
    return data


def _frame(body: bytearray, words: int) -> Frame:
    view = memoryview(body)
    *head, lengths = decode(view[:words])
    parts = []
    begin = words
    for length in lengths:
        parts.append(view[begin : begin + length])
        begin += length
    return Frame(tuple(head), parts)
