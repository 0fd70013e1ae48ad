"""What a streamed run of a command can be told: how to read it, how much to keep, and what to do when readers are too slow."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from transmissions.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .processor import StreamProcessor

    Listener = Callable[[str, Mapping[str, object]], None]

INHERIT: Final = "<inherit>"
"""For `ExecutionContext.stdin`: the command reads what this process would read."""


class StreamSource(StrEnum):
    """Which of a command's two outputs something was written to."""

    STDOUT = "stdout"
    STDERR = "stderr"


class StreamingMode(StrEnum):
    """How the output of a command is taken."""

    BATCH = "batch"
    """As a whole, when the command has ended."""
    STREAMING = "streaming"
    """Line by line, while it runs."""
    STRUCTURED = "structured"
    """Line by line, and each line or document is parsed; see OutputFormat."""


class OutputFormat(StrEnum):
    """What structured output is made of."""

    PLAIN_TEXT = "plain"
    JSON_LINES = "jsonlines"
    YAML_STREAM = "yaml"


class OverflowStrategy(StrEnum):
    """What happens to a line for a processor whose buffer is full."""

    DROP_OLDEST = "DropOldest"
    """The line that has waited longest makes room."""
    DROP_NEWEST = "DropNewest"
    """The line itself is dropped."""
    BLOCK = "Block"
    """The command is not read on until there is room; after `block_timeout` the processor is detached."""
    FAIL = "Fail"
    """The command is ended, with BufferOverflow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BufferConfig:
    """The buffer in front of each processor.

    Raises:
        UsageError: a figure makes no sense.

    """

    line_buffer_size: int = 8192
    """Bytes asked of the system at first; a command that fills them is read in larger pieces, up to 256 KiB."""
    max_lines: int | None = 10_000
    """How many lines may wait for a processor; None lets any number wait."""
    max_line_bytes: int | None = 1 << 20
    """A longer line is cut for processors, and says so at its end; None never cuts. What is captured is never cut."""
    overflow_strategy: OverflowStrategy = OverflowStrategy.DROP_OLDEST
    block_timeout: float | None = 5.0
    """Seconds that BLOCK waits; None waits for as long as it takes."""

    def __post_init__(self) -> None:
        for name in ("line_buffer_size", "max_lines", "max_line_bytes"):
            figure = getattr(self, name)
            if figure is not None and figure < 1:
                raise UsageError(f"{name} must be at least 1, not {figure}")
        if self.block_timeout is not None and self.block_timeout < 0:
            raise UsageError(f"block_timeout must not be negative: {self.block_timeout}")


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamingConfig:
    """Whether and how a command is streamed, and to whom."""

    enabled: bool = False
    mode: StreamingMode = StreamingMode.BATCH
    format: OutputFormat = OutputFormat.PLAIN_TEXT
    """What STRUCTURED parses."""
    buffer_config: BufferConfig = field(default_factory=BufferConfig)
    processors: tuple[StreamProcessor | Callable[[str, StreamSource], object], ...] = ()

    @property
    def is_streaming(self) -> bool:
        """Whether processors see anything."""
        return self.enabled and self.mode is not StreamingMode.BATCH


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionContext:
    """Where and how a command runs.

    Raises:
        UsageError: a figure or a word makes no sense.

    """

    env_vars: Mapping[str, str] = field(default_factory=dict)
    clear_env: bool = False
    """Whether the command gets `env_vars` only; else they are added to this process's environment."""
    working_directory: Path | str | None = None
    stdin: str | bytes | Path | None = None
    """Text or bytes, the file that is read, INHERIT, or None for nothing (the command reads an end at once)."""
    timeout: float | None = None
    """Seconds for everything: starting, writing stdin, running, and reading what is left."""
    grace: float = 2.0
    """Seconds between SIGTERM and SIGKILL when a command must end."""
    drain: float = 0.2
    """Seconds without output after which an exited command's outputs are given up though something else holds them open."""
    capture: str = "all"
    """`all` output is kept, the `tail`, or `none`."""
    capture_limit: int = 1 << 20
    """Bytes of each output that `tail` keeps."""
    order: str = "source"
    """`source`: both outputs apart. `merged`: stderr into stdout. `exact`: apart, in the order of writing; see `outlets`."""
    pty: bool = False
    """Whether the command writes to terminals, as many do not buffer their output then."""
    suppress_stderr: bool = False
    encoding: str = "utf-8"
    errors: str = "replace"
    """What becomes of bytes that are no text: a name of Python's error handlers."""
    streaming_config: StreamingConfig | None = None

    def __post_init__(self) -> None:
        _one_of("capture", self.capture, ("all", "tail", "none"))
        _one_of("order", self.order, ("source", "merged", "exact"))
        if self.order == "exact" and self.pty:
            raise UsageError("the exact order cannot be had from terminals: take pty or order, not both")
        for name in ("timeout", "grace", "drain", "capture_limit"):
            figure = getattr(self, name)
            if figure is not None and figure < 0:
                raise UsageError(f"{name} must not be negative: {figure}")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{name} is one of {', '.join(known)}, not '{value}'")
