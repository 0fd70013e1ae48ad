"""Every error the framework raises, and the exit code each one means.

TransmissionsError
├── ConfigError        a config or a processor declaration is at fault; carries every Problem found   (2)
│   └── SpecError      a processor class declares itself wrongly                                      (2)
├── UsageError         the call itself is at fault: an unknown app, a missing argument                (2)
└── RunError           something went wrong while messages were moving                               (1)
    ├── NodeFailed     a processor raised and its node's policy was to stop                          (1)
    ├── BufferOverflow a buffer with overflow "Fail" was full, or "Block" waited past its timeout     (1)
    ├── OutputError    an output could not be written: disk full, no permission                      (74)
    └── RunTimeout     the run took longer than it was allowed to                                    (124)
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .problem import Problem, Where

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INCOMPLETE: Final = 3
"""The run finished, but some messages are in the dead-letter file or some input was skipped."""
CANNOT_WRITE: Final = 74
TIMED_OUT: Final = 124
HUNG_UP: Final = 129
INTERRUPTED: Final = 130
TERMINATED: Final = 143
STOPPED: Final = frozenset((HUNG_UP, INTERRUPTED, TERMINATED))
"""What a signal ended, and nothing is to begin again."""

_LONGEST: Final = 4000
"""Characters of an error: some repeat what they could not read, which may be megabytes."""
_MOST_CALLS: Final = 4
"""Nodes an error names, one called by the other; transmissions that call each other without end would name dozens."""
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
"""What the system says when it cannot write, whoever asked. Any other fault may as well be one of reading."""


class TransmissionsError(Exception):
    """Base of every error this framework raises on purpose."""

    exit_code = FAILED


class ConfigError(TransmissionsError):
    """A config is at fault. `problems` holds every fault found, each with its place."""

    exit_code = USAGE

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0] if self.problems else "no details"
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"{first}{more}")


class SpecError(ConfigError):
    """A processor class declares itself wrongly: a setting of a type Turtle has no word for, no docstring."""


class UsageError(TransmissionsError):
    """The call is at fault, not a file: an unknown app, a missing argument."""

    exit_code = USAGE


class RunError(TransmissionsError):
    """Something went wrong while messages were moving."""

    retry_after: float = 0.0
    """Seconds a server asks to be left alone before another attempt."""

    is_late = False
    """Whether a run that stops for it is drained first, so that what came before it still arrives; it fails then."""


class NodeFailed(RunError):
    """A processor raised, and its node's policy was to stop the run."""

    def __init__(self, node: str, where: Where | None, message: Any, cause: BaseException) -> None:
        self.node = node
        self.where = where
        self.message = message
        self.cause = cause
        self.exit_code = CANNOT_WRITE if has_no_room(cause) else getattr(cause, "exit_code", FAILED)
        inner = cause if isinstance(cause, NodeFailed) else None
        self.way: tuple[str, ...] = (f"{where}: {node}" if where else node, *(inner.way if inner else ()))
        """The nodes with their places, one called by the other."""
        self.first: BaseException = inner.first if inner else cause
        """What was raised first, where one transmission called another."""
        way = self.way if len(self.way) <= _MOST_CALLS else (*self.way[:2], "…", self.way[-1])
        super().__init__(": ".join((*way, describe(self.first))))


class BufferOverflow(RunError):
    """A buffer was full and its overflow strategy said to fail."""


class OutputError(RunError):
    """An output could not be written; the run can be repeated once there is room."""

    exit_code = CANNOT_WRITE


class RunTimeout(RunError):
    """The run took longer than it was allowed to."""

    exit_code = TIMED_OUT


def cannot_write(path: object, error: OSError) -> OutputError:
    """Return the error that says why `path` could not be written."""
    return OutputError(f"cannot write '{path}': {(error.strerror or str(error)).lower()}")


def has_no_room(error: BaseException) -> bool:
    """Whether the system says by itself that an output cannot be written: a full disk, a read-only file system."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def describe(error: BaseException) -> str:
    """Say in one line what an exception means; our own errors speak for themselves. A line has its end."""
    text = in_words(error, str) if isinstance(error, TransmissionsError) else _named(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def in_words(value: object, words: Callable[[Any], str] = repr) -> str:
    """Return a value in words; whoever made it may have made its `repr` as well, and nesting can be too deep for any."""
    try:
        return words(value)
    except Exception:  # noqa: BLE001 - see above
        return f"<{type(value).__name__} that cannot be shown>"


def raised_in(error: BaseException) -> str:
    """Name the line of code that raised what is none of our errors, best one that is neither the engine's nor a library's."""
    if isinstance(error, TransmissionsError) or (isinstance(error, OSError) and error.args):
        return ""
    origin = origin_of(error)
    return "raised in {}:{}, {}".format(*origin) if origin else ""


def origin_of(error: BaseException) -> tuple[str, int | None, str] | None:
    """Return file, line and function of the code that raised; one that came from another process brings them along."""
    import traceback  # only a failure needs it

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_engine(frame.filename)]
    own = [frame for frame in frames if not _is_library(frame.filename)] or frames
    known: tuple[str, int | None, str] | None = getattr(error, "origin", None)
    return known or ((own[-1].filename, own[-1].lineno, own[-1].name) if own else None)


def _is_engine(file: str) -> bool:
    folder = os.path.dirname(__file__) + os.sep  # noqa: PTH120
    return file.startswith(folder) and not file.startswith(f"{folder}processors{os.sep}")


def _is_library(file: str) -> bool:
    folder = os.path.dirname(os.__file__)  # noqa: PTH120
    return file.startswith((folder, "<frozen")) or "site-packages" in file


def _named(error: BaseException) -> str:
    text = in_words(error, str).strip()
    name = type(error).__name__
    if isinstance(error, BaseExceptionGroup):  # Its own words say how many there are, and nothing of them.
        text = "; ".join(map(describe, error.exceptions))
    if isinstance(error, RecursionError):
        text = f"{text}: data, or calls, are nested too deep"
    return f"{name}: {text}" if text else name
