"""A window of decoded text that rolls over a byte stream, and knows which byte it stands at."""

from __future__ import annotations

import codecs
import re
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from transmissions import RunError

if TYPE_CHECKING:
    from io import BufferedIOBase

CHUNK: Final = 1 << 20
_BETWEEN: Final = re.compile(r"[ \t\r\n,]*")


class TextWindow:
    """UTF-8 text, read as it is used up. `text[pos:]` is what has been read and not been taken.

    Bytes that are no UTF-8 become lone surrogates (`surrogateescape`), one for each byte, so that byte offsets stay exact.
    """

    __slots__ = ("_at", "_bytes", "_decoder", "_ended", "_fault", "_stream", "_sum", "pos", "text")

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._ended = False
        self._fault: Exception | None = None
        self._at = self._bytes = 0
        self._sum = sha1(usedforsecurity=False)
        self.text = ""
        self.pos = 0
        self.fill()
        self.pos = int(self.text.startswith("\ufeff"))

    @property
    def pending(self) -> int:
        """How many characters have been read and not been taken."""
        return len(self.text) - self.pos

    def offset(self) -> int:
        """Return the byte that the window stands at."""
        data = self.text[self._at : self.pos].encode("utf-8", "surrogateescape")
        self._sum.update(data)
        self._bytes += len(data)
        self._at = self.pos
        return self._bytes

    def begin(self) -> int:
        """Begin a digest here, and return the byte that the window stands at."""
        start = self.offset()
        self._sum = sha1(usedforsecurity=False)
        return start

    def digest(self) -> str:
        """Return the SHA-1 of all bytes since `begin`, however they were taken: equal for equal text in any process."""
        self.offset()
        return self._sum.hexdigest()

    def fill(self) -> bool:
        """Read on, as much again as is pending so that a long element costs linear time; return whether there was more."""
        if self._fault:
            raise self._fault
        if self._ended:
            return False
        more = self._read()
        self.offset()
        text, self.text = self.text[self.pos :], ""
        text += more  # In its place where that has room: a long element is in memory once, and not three times.
        self.text = text
        self.pos = self._at = 0
        return not self._ended

    def let_go(self) -> None:
        """Forget what has been taken, if that is much."""
        if self.pos > 2 * CHUNK:
            self.offset()
            self.text = self.text[self.pos :]
            self.pos = self._at = 0

    def _read(self) -> str:
        data = self._stream.read(max(CHUNK, self.pending))
        self._ended = not data
        return self._decoder.decode(data, final=self._ended)

    def look_ahead(self) -> None:
        """Read on where little is pending, so that few elements are cut; a fault waits until what was read before it is taken.

        An element that is cut is parsed twice, and its error counts the lines before it: a tenth of reading as text.
        """
        if self.pending < CHUNK // 4:
            try:
                self.fill()
            except (OSError, RunError) as error:
                self._fault = error

    def lend(self) -> tuple[int, bytearray]:
        """Return the byte that the window stands at, and a copy of what is read from there on.

        Until `take_back` the window is empty, and the borrower reads by `read_into`.
        """
        at = self.offset()
        data = bytearray(self.text[self.pos :], "utf-8", "surrogateescape")
        data += self._decoder.getstate()[0]
        self._decoder.reset()
        self.text = ""
        self.pos = self._at = 0
        return at, data

    def read_into(self, room: memoryview) -> int:
        """Read on into the borrower's memory, and return how much: 0 at the end, or at a fault, which `fill` raises later."""
        if self._ended or self._fault:
            return 0
        try:
            got = self._stream.readinto(room)
        except (OSError, RunError) as error:
            self._fault = error
            return 0
        self._ended = not got
        return got

    def take_back(self, at: int, data: memoryview) -> None:
        """Go on at byte `at`, with what the borrower did not take."""
        self._bytes = at
        self.text = self._decoder.decode(data, final=self._ended)

    def more(self) -> bool:
        """Whether the stream may still have something that is not in the window."""
        return not self._ended

    def peek(self) -> str:
        """Step over space and commas, and return the character there: empty at the end of the stream."""
        while True:
            match = _BETWEEN.match(self.text, self.pos)
            self.pos = match.end() if match else self.pos
            if self.pos < len(self.text):
                return self.text[self.pos]
            if not self.fill():
                return ""

    def expect(self, mark: str) -> None:
        """Step over `mark`.

        Raises:
            ValueError: something else stands there.

        """
        if self.peek() != mark:
            raise ValueError(f"expected '{mark}' at byte {self.offset()}")
        self.pos += 1

    def skip_to(self, pos: int) -> str:
        """Step to `pos` and return the text up to there."""
        skipped = self.text[self.pos : pos]
        self.pos = pos
        return skipped

    def skip_all(self) -> str:
        """Step to the end of the window and return the text up to there."""
        return self.skip_to(len(self.text))
