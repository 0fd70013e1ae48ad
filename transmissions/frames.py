"""What travels between the processes of a run: frames of plain data, over pipes that nobody else holds.

A value is written with `marshal`, which is the fastest way for plain data (97 MB in 0.14 s), and with `pickle` where that
refuses. Reading either is safe here because both ends are this program. Text may hold lone surrogates. What is like `bytes`
(a `bytearray`, an `array`) arrives as `bytes`.

A frame is the length of its head, the head, and its parts; the head is a tuple whose last item lists the lengths of the parts.
"""

from __future__ import annotations

import asyncio
import marshal
import pickle
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

_LENGTH: Final = Struct("!Q")
_MARSHAL: Final = b"m"
_PICKLE: Final = b"p"


class Frame(NamedTuple):
    """One thing that is said: what it is, in words, and parts that are encoded each by itself."""

    head: tuple[Any, ...]
    parts: list[bytes]


def encode(value: Any) -> bytes:
    """Return a value as bytes.

    Raises:
        Exception: whatever `pickle` says of a value that cannot be written.

    """
    try:
        return _MARSHAL + marshal.dumps(value)
    except ValueError:
        return _PICKLE + pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def decode(data: bytes) -> Any:
    """Return the value of bytes that `encode` made."""
    inner = memoryview(data)[1:]
    return marshal.loads(inner) if data[:1] == _MARSHAL else pickle.loads(inner)  # noqa: S301, S302 - see above


def pieces(head: tuple[Any, ...], parts: Sequence[bytes] = ()) -> list[bytes]:
    """Return a frame as bytes, in pieces."""
    words = encode((*head, [len(part) for part in parts]))
    return [_LENGTH.pack(len(words)), words, *parts]


class Receiver(asyncio.Protocol):
    """Takes frames from a pipe, and None at its end."""

    def __init__(self, hear: Callable[[Frame | None], object]) -> None:
        self._hear = hear
        self._data = bytearray()
        self._reading = self._read()
        self._needed = next(self._reading)

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._data += data
        while len(self._data) >= self._needed:
            piece = bytes(memoryview(self._data)[: self._needed])
            del self._data[: self._needed]
            self._needed = self._reading.send(piece)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio calls it
        """Tell that nothing more will come."""
        self._hear(None)

    def _read(self) -> Generator[int, bytes, None]:
        while True:
            (length,) = _LENGTH.unpack((yield _LENGTH.size))
            *head, lengths = decode((yield length))
            parts = []
            for part in lengths:
                parts.append((yield part))  # noqa: PERF401 - a comprehension cannot yield
            self._hear(Frame(tuple(head), parts))
