"""Process groups: what a command has started, as far as it did not leave."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def signal_group(group: int, number: int) -> bool:
    """Send a signal to all of a group; return whether there was anybody."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def is_alive(group: int) -> bool:
    """Whether anything of a group is at work: in a container nobody may bury its dead, and the dead can be signalled."""
    return signal_group(group, 0) and any(state != "Z" for state in _states(group))


def _states(group: int) -> Iterator[str]:
    """Yield the state of each process of a group, as Linux shows it; `?` where nothing is shown."""
    files = list(Path("/proc").glob("[0-9]*/stat"))
    if not files:
        yield "?"
    for file in files:
        with contextlib.suppress(OSError):
            state, _, its_group = file.read_text("latin-1").rpartition(")")[2].split()[:3]
            if int(its_group) == group:
                yield state
