"""Ends commands whose parent died: one small shell, started with the first command, that has the list of all process groups.

It reads from a pipe that only this process holds open, and so nothing until this process ends, kill -9 included. Then it
reads the list, a file in memory, and ends the groups in it.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
from typing import Final

_LOG: Final = logging.getLogger("transmissions.streaming")
_SHELL: Final = "/bin/sh"
_SCRIPT: Final = """
trap '' INT TERM HUP
read -r end
alive=
while read -r group; do [ "$group" -gt 0 ] && alive="$alive $group"; done <&3
[ -n "$alive" ] || exit 0
for one in $alive; do kill -s TERM -- "-$one"; done
sleep 0.5
for one in $alive; do kill -s KILL -- "-$one"; done
"""
_ENTRY: Final = b"%11d\n"
_WIDTH: Final = 12


class Guard:
    """The shell, the pipe to it, and the list."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._let_go)

    def watch(self, group: int) -> None:
        """End a process group should this process die."""
        with self._lock:
            if self._is_missing or not self._is_there():
                return
            place = self._free.pop() if self._free else len(self._places)
            self._places[group] = place
            os.pwrite(self._list, _ENTRY % group, place * _WIDTH)

    def forget(self, group: int) -> None:
        """Leave a process group alone from now on."""
        with self._lock:
            place = self._places.pop(group, None)
            if place is not None:
                self._free.append(place)
                os.pwrite(self._list, _ENTRY % 0, place * _WIDTH)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._list = self._pipe = self._shell = -1
        self._places: dict[int, int] = {}
        self._free: list[int] = []
        self._is_missing = False

    def _let_go(self) -> None:
        # A forked child that lives on would keep the pipe open beyond the death of its parent.
        for descriptor in (self._list, self._pipe):
            if descriptor >= 0:
                os.close(descriptor)
        self._begin()

    def _is_there(self) -> bool:
        """Whether the shell is at work; one is started if none was, or it died."""
        if self._shell > 0 and not _is_dead(self._shell):
            return True
        try:
            self._start()
        except OSError as error:
            self._is_missing = True
            _LOG.warning("no shell can be started to end commands should this process be killed: %s", error)
        return not self._is_missing

    def _start(self) -> None:
        if self._list < 0:
            self._list = _memory()
        with contextlib.ExitStack() as closing:
            reading, writing = os.pipe()
            closing.callback(os.close, reading)
            undo = closing.enter_context(contextlib.ExitStack())
            undo.callback(os.close, writing)
            nothing = os.open(os.devnull, os.O_WRONLY)
            closing.callback(os.close, nothing)
            above = fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, 10)  # not among those it is copied to
            closing.callback(os.close, above)
            copies = [(nothing, 1), (nothing, 2), (above, 0), (self._list, 3)]
            actions = [(os.POSIX_SPAWN_DUP2, *copy) for copy in copies]
            # Not Popen: nobody waits for it, and it may outlive the interpreter.
            self._shell = os.posix_spawn(_SHELL, ["sh", "-c", _SCRIPT], {"PATH": os.defpath}, file_actions=actions, setsid=True)
            undo.pop_all()
        if self._pipe >= 0:
            os.close(self._pipe)
        self._pipe = writing


def _memory() -> int:
    """Open a file that has no name."""
    try:
        opened = os.memfd_create("transmissions")
    except AttributeError:  # another system
        import tempfile

        with tempfile.TemporaryFile() as file:
            return fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, 10)
    try:
        return fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 10)
    finally:
        os.close(opened)


def _is_dead(shell: int) -> bool:
    try:
        return os.waitpid(shell, os.WNOHANG) != (0, 0)
    except ChildProcessError:  # somebody else buried it
        return True


GUARD: Final = Guard()
"""One for this process: groups are the system's, not a run's."""
