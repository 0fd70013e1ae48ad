"""What a streamed run of a command can be told: how to read it, how much to keep, and what to do when readers are too slow."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transmissions.errors import UsageError

from .processor import as_processor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .processor import StreamProcessor

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
    """The command is not read on until there is room; after `block_timeout` the processor is detached. A busy
    command may by then be 768 KiB further, a third of it in its pipe."""
    FAIL = "Fail"
    """The command is ended, with BufferOverflow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BufferConfig:
    """The buffer in front of each processor.

    Raises:
        UsageError: a figure makes no sense.

    """

    line_buffer_size: int = 8192
    """Bytes asked of the system at first; a command that fills them is read in larger pieces, up to 128 KiB."""
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
        _not_negative(self, "block_timeout")
        _is_one_of(self, "overflow_strategy", OverflowStrategy)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamingConfig:
    """Whether and how a command is streamed, and to whom.

    Raises:
        UsageError: something given is no mode, no format or no processor, or it is enabled for processors without a mode.

    """

    enabled: bool = False
    mode: StreamingMode | None = None
    """BATCH if nothing is said; it must be said where processors wait for lines."""
    format: OutputFormat = OutputFormat.PLAIN_TEXT
    """What STRUCTURED parses."""
    buffer_config: BufferConfig = field(default_factory=BufferConfig)
    processors: Sequence[StreamProcessor | Callable[[str, StreamSource], object]] = ()

    def __post_init__(self) -> None:
        if self.mode is None:
            if self.enabled and self.processors:
                raise UsageError("processors are given nothing without a mode: say STREAMING, STRUCTURED, or else BATCH")
            object.__setattr__(self, "mode", StreamingMode.BATCH)
        _is_one_of(self, "mode", StreamingMode)
        _is_one_of(self, "format", OutputFormat)
        for one in self.processors:
            as_processor(one)

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
        _not_negative(self, "timeout", "grace", "drain", "capture_limit")
        _can_decode(self.encoding, self.errors, lines=bool(self.streaming_config and self.streaming_config.is_streaming))
        self.input_bytes()

    def input_bytes(self) -> bytes:
        """Return what is written to the command.

        Raises:
            UsageError: the text cannot be encoded.

        """
        if self.stdin is None or isinstance(self.stdin, bytes | Path):
            return self.stdin if isinstance(self.stdin, bytes) else b""
        if not isinstance(self.stdin, str):
            raise UsageError(f"stdin is text, bytes, a Path or None, not {type(self.stdin).__name__}")
        try:
            return self.stdin.encode(self.encoding, self.errors if self.errors == "surrogateescape" else "strict")
        except UnicodeError as error:
            raise UsageError(f"stdin cannot be encoded: {error}") from error


def _one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"{name} is one of {', '.join(known)}, not '{value}'")


def _is_one_of(config: Any, name: str, kind: type[StrEnum]) -> None:
    """Take the plain text of a choice for the choice."""
    value = getattr(config, name)
    _one_of(name, value, [one.value for one in kind])
    object.__setattr__(config, name, kind(value))


def _not_negative(config: Any, *names: str) -> None:
    for name in names:
        figure = getattr(config, name)
        if figure is not None and not figure >= 0:  # what is not a number is refused, too
            raise UsageError(f"{name} must not be negative: {figure}")


def _can_decode(encoding: str, errors: str, *, lines: bool) -> None:
    try:
        codecs.lookup_error(errors)
        ends_lines = "\r\n".encode(encoding) == b"\r\n"
    except LookupError as error:
        raise UsageError(f"text cannot be decoded so: {error}") from error
    if lines and not ends_lines:
        raise UsageError(f"{encoding} ends lines with more than a byte; take the output as a whole")
    if lines and errors == "strict":
        raise UsageError("errors 'strict' would end the lines at a bad byte; take 'replace' or 'surrogateescape'")
