"""Reads recordings: whole or broken, finished or still being written, ours or asciinema's."""

from __future__ import annotations

import gzip
import itertools
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, Self

from transmissions.errors import describe

from .child import CommandError
from .play import Exited
from .recording import Decoder
from .recording_frames import Damaged, codec_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .play import Written
    from .recording_frames import Codec, Frame

_LONGEST: Final = 16 << 20
"""Bytes a line of a recording may have."""


class Line:
    """One line of a recording, and where it is."""

    __slots__ = ("data", "number", "offset")

    def __init__(self, data: bytes, number: int, offset: int) -> None:
        self.data = data
        self.number = number
        self.offset = offset
        """Of the line in its file, or of the frame it is in."""


class Whole(NamedTuple):
    """As far as what a recording is whole."""

    end: int
    """Bytes of the file."""
    at: float
    """Seconds of the last event."""
    lines: int


class Recording:
    """A recording as far as it is whole.

    Raises:
        CommandError: it cannot be read, or is none.

    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.fault = ""
        """Where and why it breaks off, once `events` has come there; nothing if it does not."""
        self._codec = codec_of(self.path)
        self._last = Line(b"", 0, 0)
        try:
            self._file: IO[bytes] = self.path.open("rb")
        except OSError as error:
            raise CommandError(f"cannot read the recording '{path}': {(error.strerror or str(error)).lower()}") from error
        try:
            self._decoder = Decoder(next(self._lines(), self._last).data)
        except ValueError as error:
            self._file.close()
            raise CommandError(f"'{path}' is no recording: {self.fault or error}") from error

    @property
    def header(self) -> dict[str, Any]:
        """What it says of itself and of its command."""
        return self._decoder.header

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def events(self, since: float = 0.0) -> Iterator[Written | Exited]:
        """Yield what was written from `since` seconds on, and at last the end.

        Frames before that are passed over, not read. There is no end where the recording breaks off. One of asciinema's need
        not tell its end; its command ended well.
        """
        self.fault, self._last = "", Line(b"", 0, 0)
        ending: Exited | None = None
        for line in self._lines(since):
            if line.number == 1:
                continue
            try:
                event = self._decoder.event(line.data)
            except ValueError as error:
                self._break_off(line, str(error))
                return
            if isinstance(event, Exited):
                ending = event  # Where another run was appended it is not the last.
            elif event is not None and event.at >= since:
                ending = None
                yield event
        if self.fault:
            return
        if ending is None and self._decoder.is_ours:
            self._break_off(self._last, "nothing tells the command's end")
        else:
            yield ending or Exited(self._decoder.at, 0)

    def frames(self) -> list[Frame]:
        """Return the index of a compressed recording: its whole frames."""
        return self._index(self._codec)[0] if self._codec else []

    def whole(self) -> Whole:
        """Return as far as what the recording is whole, so that another can be put behind it.

        Raises:
            CommandError: it was compressed otherwise than by frames.

        """
        if self._codec is None:
            return self._whole_lines()
        frames = self.frames()
        if not frames:
            raise CommandError(f"'{self.path}' was compressed as a whole: nothing can be put behind it")
        lines = self._codec.unpacked(self._file, frames[-1]).splitlines()
        if frames[-1].line + len(lines) > 2:  # noqa: PLR2004 - the first line is the header
            self._decoder.event(lines[-1])
        return Whole(frames[-1].offset + frames[-1].size, self._decoder.at, frames[-1].line + len(lines) - 1)

    def _whole_lines(self) -> Whole:
        found = Whole(0, 0.0, 0)
        for line in self._lines():
            try:
                if line.number > 1:
                    self._decoder.event(line.data)
            except ValueError:
                break
            found = Whole(line.offset + len(line.data), self._decoder.at, line.number)
        return found

    def _lines(self, since: float = 0.0) -> Iterator[Line]:
        codec = self._codec
        self._file.seek(0)
        if codec and self._file.read(len(codec.head)) == codec.head:
            yield from self._framed(codec, since)
        else:
            self._file.seek(0)
            yield from self._plain(gzip.GzipFile(fileobj=self._file) if self.path.suffix == ".gz" else self._file)

    def _framed(self, codec: Codec, since: float) -> Iterator[Line]:
        frames, damage = self._index(codec)
        for frame, following in itertools.zip_longest(frames, frames[1:]):
            if following is not None and following.time < since:
                continue
            try:
                lines = codec.unpacked(self._file, frame).splitlines(keepends=True)
            except Damaged as error:
                damage = error
                break
            for number, data in enumerate(lines, frame.line):
                self._last = Line(data, number, frame.offset)
                yield self._last
        if damage:
            self._break_off(Line(b"", self._last.number + 1, damage.offset), str(damage))

    def _index(self, codec: Codec) -> tuple[list[Frame], Damaged | None]:
        found: list[Frame] = []
        try:
            for frame in codec.frames(self._file):
                found.append(frame)  # noqa: PERF402 - those in front of the damage are kept
        except Damaged as error:
            return found, error
        return found, None

    def _plain(self, file: IO[bytes] | gzip.GzipFile) -> Iterator[Line]:
        offset = 0
        for number in itertools.count(1):
            try:
                data = file.readline(_LONGEST)
            except (OSError, EOFError, zlib.error) as error:
                self._break_off(Line(b"", number, offset), describe(error).lower())
                return
            if data and not data.endswith(b"\n"):
                self._break_off(Line(data, number, offset), "the line is not whole")
            if not data.endswith(b"\n"):
                return
            self._last = Line(data, number, offset)
            yield self._last
            offset += len(data)

    def _break_off(self, line: Line, why: str) -> None:
        unit = "frame at byte" if self._codec else "byte"
        self.fault = f"'{self.path}' breaks off at line {line.number} ({unit} {line.offset}): {why}"
