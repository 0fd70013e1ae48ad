"""What a process and all below it use, looked up cheaply: whoever looks takes the cores from what is measured."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(pid):
    """Return the numbers of a process and all below it that are there."""
    found = [pid]
    for one in found:  # It grows on the way.
        for thread in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(number) for number in thread.read_text().split()]
    return found


def resident(pids):
    """Return the bytes of memory that processes hold, those shared counted for each."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return total
