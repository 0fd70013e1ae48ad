"""Ctrl-C, SIGTERM and SIGHUP (a terminal closes): the first lets messages in flight finish, the second ends all at once.

Only doors use this; a library must leave its host's signals alone. Python runs a handler between bytecodes of the main
thread, and inside the few C functions that ask for signals (regular expressions do). For the rest, a thread listens at the
other end of a wake-up pipe: it hears a signal while the main thread is in C code that has released the interpreter (hashing,
compression, a blocking call), and can then still end the process. It alone counts and acts: two signals may reach the handler
as one. The handler lets it run, for the main thread may be in C code that does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from .errors import TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_HANDLED: Final = 128
"""Added to the number of a signal by the handler, to tell it from what Python writes."""
_PATIENCE: Final = 10.0
"""Seconds a run has to end once its time is over. What blocks a thread, as a pipe does that stays silent, hears of no end."""


class Stop:
    """What the signals of a run have asked for."""

    def __init__(
        self, drain: Callable[[], object], kill: Callable[[], object], *, as_json: bool = False, speaks: bool = True
    ) -> None:
        self._as_json = as_json
        self._speaks = speaks
        self.number = 0
        self._drain = drain
        self._kill = kill
        self._count = 0
        self._caught_up = threading.Semaphore(0)

    @property
    def exit_code(self) -> int:
        """What the process should exit with: 129, 130, 143, or 0 if no signal came."""
        return 128 + self.number if self.number else 0

    def handle(self, number: int, writer: int) -> None:
        """Have the listener take all signals there were until now; Python calls this in the main thread."""
        with contextlib.suppress(BlockingIOError):
            os.write(writer, bytes([_HANDLED + number]))
            # In vain if the listener needs what the main thread holds: then it acts as soon as it has it.
            self._caught_up.acquire(timeout=1)

    def listen(self, reader: int) -> None:
        """Take signals from the wake-up pipe until it is closed, as Python and the handler tell of them."""
        heard, handled = 0, 0
        while told := os.read(reader, 16):
            for number in told:
                heard += number in _STOPPING
                handled += number > _HANDLED
                self._hear(number % _HANDLED, max(heard, handled))
                if number > _HANDLED:
                    self._caught_up.release()
        os.close(reader)

    @contextlib.contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """End the process if the block is not left some time after these seconds, in which the run is to end by itself."""
        if seconds is None:
            yield
            return
        timer = threading.Timer(min(seconds + _PATIENCE, threading.TIMEOUT_MAX), self._time_is_over, (seconds,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # If its time came just now, the process ends here.

    def _time_is_over(self, seconds: float) -> None:
        self._say(f"the run took longer than {seconds:g} s and does not end; stopped at once, messages in flight are lost")
        self._kill()
        os._exit(TIMED_OUT)

    def _hear(self, number: int, count: int) -> None:
        """Take the `count`-th signal: drain on the first, end the process on the second."""
        if count <= self._count:
            return
        self._count = count
        if count > 1:
            self._say("stopped at once; messages in flight are lost")
            self._kill()
            os._exit(128 + number)
        self.number = number
        again = "press Ctrl-C again" if number == signal.SIGINT else "send it again"
        self._say(f"stopping: finishing messages in flight; {again} to stop at once")
        self._drain()

    def _say(self, sentence: str) -> None:
        if not self._speaks:
            return
        # Written straight to the descriptor: the main thread may hold the lock of sys.stderr.
        with contextlib.suppress(OSError):
            newline = "\n" if sys.stderr is not None and sys.stderr.isatty() else ""
            line = json.dumps({"level": "info", "message": sentence}) if self._as_json else newline + sentence
            os.write(2, f"{line}\n".encode())


@contextlib.contextmanager
def watched(
    drain: Callable[[], object], kill: Callable[[], object] = lambda: None, *, as_json: bool = False, speaks: bool = True
) -> Iterator[Stop]:
    """Watch SIGINT, SIGTERM and SIGHUP until the block is left.

    `drain` is called once, at the first of them, and `kill` just before the second ends the process: it is to end those that
    work for it. Both are called from another thread.

    What is said about it on stderr is a line of text, or of JSON like the rest of a log; nothing, if it does not speak.

    A signal that was ignored when the process began (as under `nohup` or `&` in a script) stays ignored.
    """
    stop = Stop(drain, kill, as_json=as_json, speaks=speaks)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = {number: signal.getsignal(number) for number in _STOPPING}
    heeded = [number for number in _STOPPING if before[number] is not signal.SIG_IGN]
    thread = threading.Thread(target=stop.listen, args=(reader,), name="signals", daemon=True)
    thread.start()
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in heeded:
        signal.signal(number, lambda number, _: stop.handle(number, writer))
    try:
        yield stop
    finally:
        for number in heeded:
            signal.signal(number, before[number])
        signal.set_wakeup_fd(wakeup)
        os.close(writer)
        thread.join()
