"""Ends commands whose parent died: one small shell, started with the first command, told of every process group.

It reads what is alive from a pipe that only this process holds open. However this process ends, kill -9 included, the pipe
ends with it, and the shell ends the groups it was told of.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Final

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
        self._pipe = -1
        self._owner = 0
        self._line = threading.Lock()

    def watch(self, group: int) -> None:
        """End a process group should this process die."""
        with self._line:
            if self._owner != os.getpid() or not self._tell(f"+ {group}\n"):
                self._start()
                self._tell(f"+ {group}\n")

    def forget(self, group: int) -> None:
        """Leave a process group alone from now on."""
        with self._line:
            if self._owner == os.getpid():
                self._tell(f"- {group}\n")

    def _tell(self, line: str) -> bool:
        with contextlib.suppress(OSError):
            return os.write(self._pipe, line.encode()) > 0
        return False

    def _start(self) -> None:
        reading, writing = os.pipe()
        nothing = os.open(os.devnull, os.O_WRONLY)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, reading, 0), (os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)]
            # Not Popen: nobody waits for it, and it may outlive the interpreter.
            os.posix_spawn("/bin/sh", ["sh", "-c", _SCRIPT], {"PATH": os.defpath}, file_actions=actions, setsid=True)
        finally:
            os.close(reading)
            os.close(nothing)
        if self._pipe >= 0 and self._owner == os.getpid():
            os.close(self._pipe)
        self._pipe, self._owner = writing, os.getpid()


GUARD: Final = Guard()
"""One for this process: groups are the system's, not a run's."""
