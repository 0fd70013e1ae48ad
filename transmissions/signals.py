"""Ctrl-C and SIGTERM: the first lets messages in flight finish, the second ends the process at once.

Only doors use this; a library must leave its host's signals alone. Python runs its handlers between bytecodes only, so the
watching is done by a thread at the other end of a wake-up pipe: it also hears a signal while C code (a regular expression, a
parser) holds the main thread, and can then still end the process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """What the signals of a run have asked for. `number` is the first signal's, or 0."""

    def __init__(self, drain: Callable[[], object]) -> None:
        self.number = 0
        self._drain = drain

    @property
    def exit_code(self) -> int:
        """What the process should exit with: 130, 143, or 0 if no signal came."""
        return 128 + self.number if self.number else 0

    def hear(self, number: int) -> None:
        """Take a signal: drain on the first, end the process on the second."""
        if self.number:
            _say(b"stopped at once; messages in flight are lost\n")
            os._exit(128 + number)
        self.number = number
        again = b"press Ctrl-C again" if number == signal.SIGINT else b"send it again"
        _say(b"stopping: finishing messages in flight; " + again + b" to stop at once\n")
        self._drain()


@contextlib.contextmanager
def watched(drain: Callable[[], object]) -> Iterator[Stop]:
    """Watch SIGINT and SIGTERM until the block is left; `drain` is called from another thread, once.

    A signal that was ignored when the process began (as under `nohup` or `&` in a script) stays ignored.
    """
    stop = Stop(drain)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = {number: signal.getsignal(number) for number in _STOPPING}
    heeded = [number for number in _STOPPING if before[number] is not signal.SIG_IGN]
    thread = threading.Thread(target=_listen, args=(reader, stop), name="signals", daemon=True)
    thread.start()
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in heeded:
        signal.signal(number, _leave_to_the_thread)
    try:
        yield stop
    finally:
        for number in heeded:
            signal.signal(number, before[number])
        signal.set_wakeup_fd(wakeup)
        os.close(writer)
        thread.join()


def _listen(reader: int, stop: Stop) -> None:
    while heard := os.read(reader, 16):
        for number in heard:
            if number in _STOPPING:
                stop.hear(number)
    os.close(reader)


def _leave_to_the_thread(_number: int, _frame: Any) -> None:
    """Keep Python's default from raising KeyboardInterrupt in the middle of anything."""


def _say(words: bytes) -> None:
    # Written straight to the descriptor: the main thread may hold the lock of sys.stderr.
    with contextlib.suppress(OSError):
        newline = b"\n" if sys.stderr is not None and sys.stderr.isatty() else b""
        os.write(2, newline + words)
