"""Find the elements of a JSON list in its bytes, without parsing on the way to their ends: the next begins as the first did.

What stands between the first two keys of an element marks where one begins. A stretch from one such place to the next that is
one JSON value is an element, whatever made us guess; what is none is left to the reader of text.
"""

from __future__ import annotations

import re
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .text_window import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .text_window import TextWindow

    Decode = Callable[[memoryview], Any]

# Both keys and the value between them without escapes, which could be written otherwise in the next element.
_FIRST: Final = re.compile(r'(\{\s*"[^"\\]*"\s*:\s*")[^"\\]*("\s*,\s*"[^"\\]*"\s*:)')
_LONGEST: Final = 1024
"""Bytes that the first value of an element may have."""
_TRIES: Final = 4
"""Places that are tried as the end of one element: objects in it may begin as it does."""
_BETWEEN: Final = b", \r\n\t"


class Element(NamedTuple):
    """One whole element, the byte it starts at, the bytes it takes, and the SHA-1 of those."""

    value: Any
    offset: int
    size: int
    digest: str


def slices(window: TextWindow, decode: Decode, large: int) -> Iterator[Element]:
    """Yield the elements from where the window stands, in a list, up to the first that cannot be told so.

    That is the last one at the latest, one that is broken, or one of more than `large` bytes, or a megabyte. The window stands
    there then.
    """
    marks = _marks(window)
    if marks:
        run = _Slices(window, marks, large)
        try:
            yield from run.elements(decode)
        finally:
            run.give_back()


def _marks(window: TextWindow) -> list[bytes]:
    """Return what stands in front of the first value of the element there, and behind it; nothing if it begins otherwise."""
    first = _FIRST.match(window.text, window.pos)
    return [text.encode("utf-8", "surrogateescape") for text in first.groups()] if first else []


class _Slices:
    """What has been read of a list and not been taken, and how its elements begin."""

    def __init__(self, window: TextWindow, marks: list[bytes], large: int) -> None:
        self._window = window
        self._start, self._middle = marks
        self._most = min(large, CHUNK)
        """Bytes one element may have: a few larger ones are no slower as text, and their memory would be needed twice."""
        self._at, self._data = window.lend()
        self._pos = 0
        self._end = len(self._data)
        """What has been read is in front of this. Its memory is used over and over: new memory costs more than reading."""

    def elements(self, decode: Decode) -> Iterator[Element]:
        """Yield the elements."""
        after = tries = 0
        while tries < _TRIES and (length := self._find_next(after)):
            element = self._take(decode, length)
            if element:
                yield element
                self._pos += length
                after = tries = 0
            else:
                after, tries = length, tries + 1

    def _take(self, decode: Decode, length: int) -> Element | None:
        """Return what stands up to where the next element begins, if that is one value."""
        end = self._data.rfind(b"}", self._pos, self._pos + length) + 1
        if self._data[end : self._pos + length].strip(_BETWEEN):
            return None
        piece = memoryview(self._data)[self._pos : end]
        try:
            value = decode(piece)
        except (ValueError, RecursionError):
            return None
        return Element(value, self._at + self._pos, len(piece), sha1(piece, usedforsecurity=False).hexdigest())

    def _find_next(self, after: int) -> int:
        """Return how far away the next element begins, and further than `after`; 0 where it is too far, or there is none."""
        while True:
            seen = self._data.find(self._middle, self._pos + after, self._end)
            if seen < 0:
                after = max(self._end - self._pos - len(self._middle), after)
                if not self._read_on():
                    return 0
                continue
            begin = self._data.rfind(self._start, max(seen - _LONGEST, self._pos + 1), seen)
            if begin > self._pos + after and self._data.find(b'"', begin + len(self._start), seen) < 0:
                return begin - self._pos
            after = seen - self._pos + len(self._middle)

    def _read_on(self) -> bool:
        """Forget what was taken, and read; return whether there was more, and it is not too much for one element."""
        self._data[: self._end - self._pos] = self._data[self._pos : self._end]
        self._at += self._pos
        self._end -= self._pos
        self._pos = 0
        if self._end > self._most:
            return False
        if self._end > len(self._data) - CHUNK // 2:
            self._data += bytes(CHUNK)
        got = self._window.read_into(memoryview(self._data)[self._end :])
        self._end += got
        return got > 0

    def give_back(self) -> None:
        """Let the window go on with what was not taken."""
        self._window.take_back(self._at + self._pos, memoryview(self._data)[self._pos : self._end])
