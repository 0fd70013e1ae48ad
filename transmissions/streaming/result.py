"""What became of a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

_SIGNALLED: Final = 128
_TIMED_OUT: Final = 124


@dataclass(frozen=True, kw_only=True)
class ReaderReport:
    """What became of the lines for one processor: offered = handled + dropped + failed."""

    name: str
    offered: int
    handled: int
    dropped: int
    failed: int
    error: str = ""
    """Its first failure, or why it was detached."""


@dataclass(frozen=True, kw_only=True)
class ExecutionResult:
    """A command's outputs and how it ended. A command that failed is a result, not an exception."""

    stdout_bytes: bytes
    stderr_bytes: bytes
    returncode: int
    """As `subprocess` has it: the exit code, or the negative number of the signal that ended the command."""
    timed_out: bool = False
    duration: float = 0.0
    """Seconds."""
    totals: dict[str, int] = field(default_factory=dict)
    """Bytes written to each output, kept or not."""
    readers: tuple[ReaderReport, ...] = ()
    events: list[dict[str, Any]] = field(default_factory=list)
    """The latest events of this run; see EventBus."""
    metadata: dict[str, Any] = field(default_factory=dict)
    encoding: str = "utf-8"
    errors: str = "replace"

    @property
    def success(self) -> bool:
        """Whether the command ended by itself, with code 0."""
        return self.returncode == 0 and not self.timed_out

    @property
    def exit_code(self) -> int | None:
        """The code the command ended with, or None if a signal ended it."""
        return self.returncode if self.returncode >= 0 else None

    @property
    def signal(self) -> int | None:
        """The number of the signal that ended it."""
        return -self.returncode if self.returncode < 0 else None

    @property
    def code(self) -> int:
        """One number for a shell: 124 after a time-out, 128 + n after signal n, else the exit code."""
        if self.timed_out:
            return _TIMED_OUT
        return self.returncode if self.returncode >= 0 else _SIGNALLED - self.returncode

    @property
    def dropped(self) -> int:
        """Lines that some processor did not get."""
        return sum(reader.dropped for reader in self.readers)

    @property
    def truncated(self) -> bool:
        """Whether less was kept than was written."""
        return len(self.stdout_bytes) + len(self.stderr_bytes) < sum(self.totals.values())

    @cached_property
    def stdout(self) -> str:
        """What was kept of the standard output, as text: every byte of it, final line feed and all."""
        return self.stdout_bytes.decode(self.encoding, self.errors)

    @cached_property
    def stderr(self) -> str:
        """What was kept of the standard error, as text."""
        return self.stderr_bytes.decode(self.encoding, self.errors)
