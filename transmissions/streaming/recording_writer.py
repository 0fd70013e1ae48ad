"""Writes a recording beside the run it records: in a thread of its own, so that compressing uses another processor."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from transmissions.errors import cannot_write

from .recording import Encoder
from .recording_frames import codec_of
from .recording_reader import Recording, Whole

if TYPE_CHECKING:
    from pathlib import Path

    from transmissions.errors import OutputError

    from .config import StreamSource

_LOG: Final = logging.getLogger("transmissions.streaming")
_AHEAD: Final = 4 << 20
"""Bytes that may wait to be written before a command is not read on."""
_FRAME: Final = 1 << 20
"""Bytes of a frame at most, before compression."""
_AGE: Final = 1.0
"""Seconds that a line waits for its frame to fill."""


class RecordingWriter:
    """A file that gets events as they come. What is there is readable: each line, or each frame if it is compressed.

    With `append` another run's events come behind those of a recording that is there, as far as it is whole; times go on.

    Raises:
        OutputError: the file cannot be written.
        CommandError: what is there is no recording, or cannot be continued.

    """

    def __init__(self, path: Path, header: bytes, title: str, *, append: bool = False) -> None:
        self.failure: OutputError | None = None
        self._path = path
        self._codec = codec_of(path)
        self._encoder = Encoder()
        self._waiting: deque[tuple[float, StreamSource, bytes]] = deque()
        self._held = 0
        self._ending: tuple[float, int | None] | None = None
        self._changed = threading.Condition()
        self._frame: list[bytes] = []
        self._frame_size = 0
        self._frame_began = (0.0, 0.0)
        try:
            self._begin(header, title, append=append and path.exists() and path.stat().st_size > 0)
        except OSError as error:
            raise cannot_write(path, error) from error
        self._thread = threading.Thread(target=self._work, name=f"recording {path.name}", daemon=True)
        self._thread.start()

    def add(self, at: float, source: StreamSource, data: bytes) -> None:
        """Take what was written `at` seconds after the start. Waits while the file is far behind."""
        with self._changed:
            while self._held > _AHEAD and self.failure is None:
                self._changed.wait()
            if self.failure is None:
                self._waiting.append((at, source, data))
                self._held += len(data)
                self._changed.notify_all()

    def finish(self, at: float, returncode: int | None) -> None:
        """Write the end, and all that waits; None leaves the recording without an end."""
        with self._changed:
            self._ending = (at, returncode)
            self._changed.notify_all()
        self._thread.join()

    def _begin(self, header: bytes, title: str, *, append: bool) -> None:
        whole = Whole(0, 0.0, 0)
        if append:
            with Recording(self._path) as recording:
                whole = recording.whole()
        self._offset, self._lines = whole.at, whole.lines
        self._file = self._path.open("r+b" if append else "wb", buffering=0)
        self._file.truncate(whole.end)
        self._file.seek(whole.end)
        self._put(self._encoder.marked(self._offset, title) if append else header, self._offset)
        self._flush()

    def _work(self) -> None:
        try:
            while (pieces := self._take()) is not None:
                for piece in pieces:
                    self._write(*piece)
                self._settle()
            self._end()
        except OSError as error:
            self._fail(error)
        finally:
            self._file.close()

    def _write(self, at: float, source: StreamSource, data: bytes) -> None:
        for line in self._encoder.written(self._offset + at, source, data):
            self._put(line, self._offset + at)

    def _take(self) -> list[tuple[float, StreamSource, bytes]] | None:
        """Wait for pieces; none where a frame must be written for its age, None at the end."""
        with self._changed:
            if not self._waiting and self._ending is None:
                self._changed.wait(self._frame_began[1] + _AGE - time.monotonic() if self._frame else None)
            if not self._waiting:
                return None if self._ending is not None else []
            pieces = list(self._waiting)
            self._waiting.clear()
            self._held = 0
            self._changed.notify_all()
            return pieces

    def _put(self, line: bytes, at: float) -> None:
        if self._frame_size + len(line) > _FRAME:
            self._flush()
        if not self._frame:
            self._frame_began = (at, time.monotonic())
        self._frame.append(line)
        self._frame_size += len(line)

    def _settle(self) -> None:
        if self._codec is None or (self._frame and time.monotonic() - self._frame_began[1] >= _AGE):
            self._flush()

    def _flush(self) -> None:
        if not self._frame:
            return
        data = b"".join(self._frame)
        left = memoryview(self._codec.packed(data, self._frame_began[0], self._lines + 1) if self._codec else data)
        while left:
            left = left[os.write(self._file.fileno(), left) :]
        self._lines += len(self._frame)
        self._frame, self._frame_size = [], 0

    def _end(self) -> None:
        assert self._ending is not None
        at, returncode = self._offset + self._ending[0], self._ending[1]
        if returncode is not None:
            for line in self._encoder.exited(at, returncode):
                self._put(line, at)
        self._flush()

    def _fail(self, error: OSError) -> None:
        _LOG.warning("the recording '%s' ends here: %s", self._path, (error.strerror or str(error)).lower())
        with self._changed:
            self.failure = cannot_write(self._path, error)
            self._waiting.clear()
            self._changed.notify_all()
