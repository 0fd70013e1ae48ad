"""The near end of the process in `write_apart`: starts it, feeds it, and says what went wrong there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from transmissions import OutputError, cannot_write

from . import write_apart
from .spool import Content, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIPE: Final = 1 << 20
"""Bytes that may be on their way to the process."""


class WritingProcess:
    """A process that writes the files it is sent, in order, while this one goes on."""

    def __init__(self) -> None:
        # A session of its own: an interrupt is for the run, which then lets what it sent be written.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", write_apart.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        self._pipe = self._process.stdin.fileno()
        _widen(self._pipe)

    def send(self, path: str, content: Content) -> None:
        """Have a file written. Waits while the process is more than a pipe's content behind."""
        encoded = os.fsencode(path)
        size = len(content) if isinstance(content, bytes) else sum(map(len, content))
        try:
            for piece in self._framed(encoded, size, content):
                write_apart.write_all(self._pipe, piece)
        except BrokenPipeError:
            self.close()

    @staticmethod
    def _framed(path: bytes, size: int, content: Content) -> Iterator[bytes]:
        head = write_apart.HEADER.pack(len(path), size) + path
        if isinstance(content, bytes) and size < _PIPE:
            yield head + content
            return
        yield head
        yield from pieces(content)

    def close(self) -> None:
        """Wait until all is written.

        Raises:
            OutputError: a file could not be written.

        """
        told, _ = self._process.communicate()
        if told:
            fault = json.loads(told)
            raise cannot_write(fault["path"], OSError(fault["errno"], os.strerror(fault["errno"])))
        if self._process.returncode:
            raise OutputError(f"the process that writes files ended with code {self._process.returncode}")

    def abandon(self) -> None:
        """Let the process write what it was sent, without asking how it went."""
        if self._process.returncode is None:
            self._process.communicate()


def _widen(pipe: int) -> None:
    """Let more be on its way at once, where the system knows how."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    except (ImportError, AttributeError, OSError):
        return
