"""What is said of an exception that reaches a door, and the exit code it means.

It goes to the log if a run has begun one, which masks secrets and may be JSON, else to stderr as text.
"""

from __future__ import annotations

import contextlib
import errno
import os
import traceback
from typing import Final

from .closed_streams import reader_went_away
from .errors import CANNOT_WRITE, FAILED, NodeFailed, TransmissionsError, describe, has_no_room, in_words, raised_in
from .logs import tell
from .standard_output import cannot_write_out

PIPE_CLOSED: Final = 141
_ERROR: Final = 40
"""The level of an error in `logging`."""
_SHOWN: Final = 300
"""Characters of a failed message that are shown."""


def exit_code_of(error: Exception, *, verbose: bool) -> int:
    """Say what went wrong, with its traceback if `verbose`, and return the exit code."""
    if reader_went_away(error):
        _leave_stdout()
        return PIPE_CLOSED
    code, sentence, cause = _verdict(error)
    if cause and verbose:
        sentence = f"{sentence}\n{''.join(traceback.format_exception(cause)).rstrip()}"
    with contextlib.suppress(OSError):  # stderr may be full, too; the exit code still tells
        tell(sentence, _ERROR)
    return code


def _verdict(error: Exception) -> tuple[int, str, BaseException | None]:
    """Return the exit code, what to say, and what has a traceback worth reading."""
    if isinstance(error, NodeFailed):
        return error.exit_code, "\n  ".join([str(error), *_details(error)]), error.cause
    if isinstance(error, TransmissionsError):
        return error.exit_code, str(error), None
    if isinstance(error, OSError):
        return _verdict_on_the_system(error)
    sentence = " ".join(describe(error).split())
    return FAILED, f"{sentence} (this is a fault of trans; run with -v for the traceback)", error


def _verdict_on_the_system(error: OSError) -> tuple[int, str, None]:
    if not error.filename and error.errno in {errno.ENOSPC, errno.EBADF}:  # Files have names: somebody printed.
        _leave_stdout()
        return CANNOT_WRITE, str(cannot_write_out(error)), None
    is_full = has_no_room(error)
    name = f"'{os.fsdecode(error.filename)}': " if isinstance(error.filename, str | bytes) else ""
    return CANNOT_WRITE if is_full else FAILED, f"{name}{error.strerror or error}", None


def _details(error: NodeFailed) -> list[str]:
    """Return the line of code that raised, where the error is none of ours, and the message it was about."""
    raised = raised_in(error.first)
    code = [raised] if raised else []
    text = in_words(error.message)
    return [*code, f"message: {text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}"] if error.message else code


def _leave_stdout() -> None:
    """Point stdout at nothing, so that Python does not complain about the reader that went away (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
