"""Work done in a forked child, so that what it imports and allocates does not stay with a long run."""

from __future__ import annotations

import os
import pickle
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def in_child(work: Callable[[], T]) -> T:
    """Return what `work()` returns, computed in a child process; the result must be plain data.

    Where there is no fork, or the child comes to no result, the work is done here: then its errors are raised as ever. Call
    this before any thread is started.
    """
    if not hasattr(os, "fork"):
        return work()
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _answer(work, writer)
    os.close(writer)
    with open(reader, "rb") as pipe:  # noqa: PTH123 - it is a file descriptor
        answer = pipe.read()
    os.waitpid(child, 0)
    result: T = pickle.loads(answer) if answer else work()  # noqa: S301 - our own child wrote it
    return result


def _answer(work: Callable[[], object], writer: int) -> None:
    """Send the result, and leave without the parent's clean-up, whatever happens."""
    try:
        answer = pickle.dumps(work())
        with open(writer, "wb") as pipe:
            pipe.write(answer)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)
