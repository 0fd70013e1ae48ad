"""Standard streams that are closed: before the process began (`2>&-`), or by whoever read from it (`| head`)."""

from __future__ import annotations

import errno
import os
import select
import sys
from typing import Final

from .errors import UsageError

_STREAMS: Final = (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
"""Name, mode, and how the descriptor is opened: what is read from or written to the first two fails, as it would have."""


def reopen() -> None:
    """Give every closed standard stream its descriptor back.

    Otherwise the next file that is opened gets its number, and what is said on stderr ends up in that file, or, as Python has
    it, on stdout.
    """
    for number, (name, mode, flags) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            os.open(os.devnull, flags)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - it stays open


def cannot_read_input(error: OSError) -> UsageError:
    """Return the error that says why nothing can be read from standard input."""
    reason = "it is closed" if error.errno == errno.EBADF else (error.strerror or str(error)).lower()
    return UsageError(f"cannot read standard input: {reason}")


def reader_went_away(error: BaseException) -> bool:
    """Whether an error, or the failure of a processor, means that nobody reads standard output any more."""
    if not isinstance(getattr(error, "cause", error), BrokenPipeError):
        return False
    poll = select.poll()
    poll.register(1, 0)
    return any(happened & (select.POLLERR | select.POLLHUP) for _, happened in poll.poll(0))
