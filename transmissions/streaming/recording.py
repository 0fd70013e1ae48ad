"""Recordings: what a command wrote, when, and how it ended, as asciicast version 2, a JSON value a line.

The first line is the header. Then come events `[seconds, code, text]`: `o` is standard output, `e` standard error, and `x` the
end, with the exit code or the negative number of the signal. Bytes that are no UTF-8 are in base64, `O` and `E`. Every byte
comes back as it was: a terminal needs a carriage return before each line feed, so one is put in front of every line feed of a
text, and taken away again (the header says so: `"newline": "crlf"`).

A player shows what is `o` and passes over all codes it does not know (asciinema 2.4 was tried): of a command run with the order
`merged` it shows both outputs.
"""

from __future__ import annotations

import binascii
import json
import math
import shlex
import time
from typing import TYPE_CHECKING, Any, Final

from .config import StreamSource
from .play import Exited, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .config import ExecutionContext

PIECE: Final = 1 << 17
"""Bytes of one event at most: a reader holds one at a time, and a frame several."""
_CODES: Final = {StreamSource.STDOUT: ("o", "O"), StreamSource.STDERR: ("e", "E")}
_SOURCES: Final = {code: source for source, codes in _CODES.items() for code in codes}
_ESCAPES: Final = {
    b"\\": b"\\\\",
    b'"': b'\\"',
    b"\t": b"\\t",
    b"\r": b"\\r",
    b"\x1b": b"\\u001b",
    b"\n": b"\\r\\n",
}
"""In this order: what is put in must not be escaped again."""
_RARE: Final = bytes(one for one in range(32) if one not in b"\t\r\x1b\n")
_SCATTERED: Final = 16
"""With more invalid places than that a piece is binary, and not taken apart."""
_LONGEST_TAIL: Final = 3
"""Bytes of a character that another piece completes."""


def header_of(command: Sequence[str], context: ExecutionContext) -> bytes:
    """Return the first line of a recording. Of the environment it says names, never values."""
    ours = {
        "argv": list(command),
        "cwd": str(context.working_directory) if context.working_directory else None,
        "env": sorted(context.env_vars),
        "newline": "crlf",
    }
    said = {
        "version": 2,
        "width": 80,
        "height": 24,
        "timestamp": int(time.time()),
        "command": shlex.join(command),
        "transmissions": ours,
    }
    return json.dumps(said).encode() + b"\n"


class Encoder:
    """Makes events of pieces. A character that two pieces share is told with the second."""

    def __init__(self) -> None:
        self._tails = dict.fromkeys(StreamSource, b"")

    def written(self, at: float, source: StreamSource, data: bytes) -> Iterator[bytes]:
        """Yield the lines for a piece."""
        data = self._tails[source] + data
        self._tails[source] = b""
        for begin in range(0, len(data), PIECE):
            yield from self._lines(at, source, data[begin : begin + PIECE])

    def exited(self, at: float, returncode: int) -> Iterator[bytes]:
        """Yield the last lines."""
        for source, tail in self._tails.items():
            if tail:
                yield _binary(at, source, tail)
        yield b'[%.6f, "x", "%d"]\n' % (at, returncode)

    def marked(self, at: float, title: str) -> bytes:
        """Return the line that says that another command begins; players know it as a marker."""
        return b'[%.6f, "m", %b]\n' % (at, json.dumps(title).encode())

    def _lines(self, at: float, source: StreamSource, data: bytes) -> Iterator[bytes]:
        data = self._tails[source] + data
        self._tails[source] = b""
        for _ in range(_SCATTERED):
            try:
                data.decode()
            except UnicodeDecodeError as error:
                begin, end = error.start, error.end
                if begin:
                    yield _text(at, source, data[:begin])
                if error.reason == "unexpected end of data" and len(data) - begin <= _LONGEST_TAIL:
                    self._tails[source] = data[begin:]
                    return
                yield _binary(at, source, data[begin:end])
                data = data[end:]
            else:
                if data:
                    yield _text(at, source, data)
                return
        if data:
            yield _binary(at, source, data)


def _text(at: float, source: StreamSource, data: bytes) -> bytes:
    if len(data.translate(None, _RARE)) == len(data):
        for plain, escaped in _ESCAPES.items():
            data = data.replace(plain, escaped)
        quoted = b'"' + data + b'"'
    else:
        quoted = json.dumps(data.decode().replace("\n", "\r\n"), ensure_ascii=False).encode()
    return b'[%.6f, "%c", %b]\n' % (at, ord(_CODES[source][0]), quoted)


def _binary(at: float, source: StreamSource, data: bytes) -> bytes:
    return b'[%.6f, "%c", "%b"]\n' % (at, ord(_CODES[source][1]), binascii.b2a_base64(data, newline=False))


class Decoder:
    """Makes pieces of events again, of those of asciinema too: version 2, and version 3 with its relative times.

    Raises:
        ValueError: the first line is no header; so do its methods where a line is no event.

    """

    def __init__(self, header: bytes) -> None:
        said = _parsed(header)
        version = said.get("version") if isinstance(said, dict) else None
        if version not in {2, 3}:
            raise ValueError("it has no header of an asciicast of version 2 or 3")
        self.header: dict[str, Any] = said
        ours = said.get("transmissions")
        self.is_ours = isinstance(ours, dict)
        """Whether an end must come."""
        self.at = 0.0
        """The time of the latest event."""
        self._has_crlf = isinstance(ours, dict) and ours.get("newline") == "crlf"
        self._is_relative = version == 3  # noqa: PLR2004 - that is its name

    def event(self, line: bytes) -> Written | Exited | None:
        """Return what a line tells; None if that is nothing a command wrote."""
        if line.startswith(b"#"):
            return None
        time_, code, text = _fields(_parsed(line))
        self.at = self.at + time_ if self._is_relative else time_
        if code == "x":
            return Exited(self.at, int(text))
        source = _SOURCES.get(code)
        if source is None:
            return None
        return Written(self.at, source, binascii.a2b_base64(text, strict_mode=True) if code in "OE" else self._bytes(text))

    def _bytes(self, text: str) -> bytes:
        data = text.encode("utf-8", "surrogateescape")
        return data.replace(b"\r\n", b"\n") if self._has_crlf else data


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _fields(said: Any) -> tuple[float, str, str]:
    match said:
        case [int() | float() as at, str() as code, str() as text] if math.isfinite(at) and at >= 0:
            return float(at), code, text
    raise ValueError("it is no event [seconds, code, text]")
