"""Data on its way to standard output."""

from __future__ import annotations

import errno
import sys

from .errors import OutputError


def write_out(text: str) -> None:
    """Write data to standard output, at once.

    Raises:
        OutputError: it is full, or closed.
        BrokenPipeError: what read it went away, as `head` does.

    """
    try:
        if text:  # Writing nothing to a device that is full fails, too.
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_write_out(error) from error


def cannot_write_out(error: OSError) -> OutputError:
    """Return the error that says why standard output could not be written."""
    reason = "it is closed" if error.errno == errno.EBADF else (error.strerror or str(error)).lower()
    return OutputError(f"cannot write to standard output: {reason}")
