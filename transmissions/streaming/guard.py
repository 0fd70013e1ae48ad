"""Ends commands whose parent died: one small shell, started with the first command, told of every process group.

It reads what is alive from a pipe that only this process holds open. However this process ends, kill -9 included, the pipe
ends with it, and the shell ends the groups it was told of.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from typing import Final

_LOG: Final = logging.getLogger("transmissions.streaming")

_SHELL: Final = "/bin/sh"
_SCRIPT: Final = """
trap '' INT TERM HUP
alive=
while read -r sign group; do
    others=
    for one in $alive; do [ "$one" = "$group" ] || others="$others $one"; done
    alive=$others
    [ "$sign" = + ] && alive="$alive $group"
done
[ -n "$alive" ] || exit 0
for one in $alive; do kill -s TERM -- "-$one"; done
sleep 0.5
for one in $alive; do kill -s KILL -- "-$one"; done
"""


class Guard:
    """The shell, and the pipe to it."""

    def __init__(self) -> None:
        self._forked()
        os.register_at_fork(after_in_child=self._let_go)

    def watch(self, group: int) -> None:
        """End a process group should this process die."""
        with self._line:
            self._groups.add(group)
            if not self._tell(f"+ {group}\n"):
                self._start()

    def forget(self, group: int) -> None:
        """Leave a process group alone from now on."""
        with self._line:
            self._groups.discard(group)
            self._tell(f"- {group}\n")

    def _forked(self) -> None:
        self._line = threading.Lock()
        self._pipe = self._shell = -1
        self._groups: set[int] = set()
        self._is_missing = False

    def _let_go(self) -> None:
        # A child that lives on would keep the pipe open beyond the death of its parent.
        if self._pipe >= 0:
            os.close(self._pipe)
        self._forked()

    def _tell(self, line: str) -> bool:
        try:
            return self._pipe >= 0 and os.write(self._pipe, line.encode()) > 0
        except BlockingIOError:  # it was stopped, not ended: closing the pipe would have it end what is alive
            return True
        except OSError:
            return False

    def _start(self) -> None:
        """Start a shell, in place of one that died, and tell it of all groups."""
        self._bury()
        try:
            self._pipe, self._shell = _spawn()
        except OSError as error:
            if not self._is_missing:
                self._is_missing = True
                _LOG.warning(
                    "should this process be killed, its commands go on: no shell can be started to end them: %s", error
                )
            return
        for group in self._groups:
            self._tell(f"+ {group}\n")

    def _bury(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
            with contextlib.suppress(OSError):
                os.waitpid(self._shell, os.WNOHANG)


def _spawn() -> tuple[int, int]:
    """Start the shell; return the pipe to it, and its number."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    nothing = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, reading, 0), (os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)]
    try:
        # Not Popen: nobody waits for it, and it may outlive the interpreter.
        shell = os.posix_spawn(_SHELL, ["sh", "-c", _SCRIPT], {"PATH": os.defpath}, file_actions=actions, setsid=True)
    except OSError:
        os.close(writing)
        raise
    finally:
        os.close(reading)
        os.close(nothing)
    return writing, shell


GUARD: Final = Guard()
"""One for this process: groups are the system's, not a run's."""
