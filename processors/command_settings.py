"""What every processor that runs programs can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from transmissions import Protected, Range, Record, RunError, Secret, Settings, Unit, UsageError, as_text
from transmissions.streaming import (
    INHERIT,
    BufferConfig,
    ExecutionContext,
    OverflowStrategy,
    StreamingConfig,
    StreamingMode,
)

from .access import need

if TYPE_CHECKING:
    from pathlib import Path

    from transmissions import Context, Message
    from transmissions.streaming import ExecutionResult


class Variable(Record):
    """A variable of a program's environment."""

    name: str
    "Its name."
    value: str = ""
    "Its value."
    secret: Secret | None = None
    "Its value, where it is a secret."


class CommandSettings(Settings):
    """How a program is run; the base of the processors that run one."""

    command: Annotated[tuple[str, ...], Protected()] = ()
    "The program and its arguments, one text each, as a list `( … )`; if empty, what a user wrote behind `--`."
    shell: Annotated[bool, Protected()] = False
    "Whether the one text of `command` is run by `/bin/sh -c` instead."
    env: Annotated[tuple[Variable, ...], Protected()] = ()
    "Variables added to the environment."
    clear_env: Annotated[bool, Protected()] = False
    "Whether the program gets those variables only."
    cwd: Annotated[str, Protected()] = ""
    "Folder the program is started in; the run's working folder if empty."
    stdin: Annotated[Literal["none", "text", "file", "field", "inherited"], Protected()] = "none"
    "What the program reads: nothing, `input` as it stands, the file or the message's field it names, or this process's own."
    input: str = ""
    "The text, the file's name, or the dotted path of the field."
    timeout: Annotated[int, Range(ge=0), Unit("ms")] = 0
    "How long the program may take, from start to last byte; 0 lets it take as long as it takes."
    grace: Annotated[int, Range(ge=0), Unit("ms")] = 2000
    "How long it may take to end when asked to."
    drain: Annotated[int, Range(ge=0), Unit("ms")] = 200
    "How long to wait, after its end, for output of what it left in the background."
    line_buffer_size: Annotated[int, Range(ge=1), Unit("bytes")] = 8192
    "How much is read at first; it grows while the program fills it."
    max_lines: Annotated[int, Range(ge=1)] = 10000
    "How many lines may wait for the pipe."
    overflow: Literal["Block", "DropOldest", "DropNewest", "Fail"] = "Block"
    "What happens when they do: the program waits, lines are dropped and counted, or the run fails."
    block_timeout: Annotated[int, Range(ge=0), Unit("ms")] = 0
    "How long the program may be kept waiting before the run fails; 0 is for ever."
    max_line_bytes: Annotated[int, Range(ge=1), Unit("bytes")] = 1048576
    "How long a line may be; the rest is cut off, and the line says so."
    encoding: str = "utf-8"
    "How its output is encoded."
    encoding_errors: Literal["replace", "surrogateescape", "backslashreplace"] = "replace"
    "What becomes of bytes that are no text."
    capture: Literal["all", "tail", "none"] = "none"
    "What is kept of the outputs as a whole, for the message that tells of the end."
    capture_limit: Annotated[int, Range(ge=0), Unit("bytes")] = 1048576
    "How much of each output `tail` keeps."
    order: Literal["source", "merged", "exact"] = "source"
    "Both outputs apart; the errors into the output; or apart and in the exact order of writing, which not every program bears."
    pty: bool = False
    "Whether the program writes to a terminal, as many hold their output back otherwise."
    stderr: Literal["lines", "drop"] = "lines"
    "Whether its standard error counts."
    on_exit: Literal["any", "zero"] = "any"
    "Whether a program that does not end with code 0 is a failure of this step."

    if TYPE_CHECKING:

        @property
        def context(self) -> Context:
            """That of the processor."""
            ...

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.shell and len(self.command) != 1:
            raise UsageError("with :shell true, :command is one text for the shell")
        if self.stdin in {"text", "file", "field"} and not self.input:
            raise UsageError(f':stdin "{self.stdin}" needs :input')
        if self.order == "exact" and self.pty:
            raise UsageError("a terminal cannot keep the exact order: take :pty or :order, not both")

    def words(self, message: Message) -> list[str]:
        """Return the program and its arguments."""
        words = list(self.command or self.context.command)
        if not words:
            raise RunError("there is no command to run: set :command, or write one behind `--`")
        return ["/bin/sh", "-c", *words] if self.shell else words

    def execution(self, message: Message) -> ExecutionContext:
        """Return how to run it."""
        buffer = BufferConfig(
            line_buffer_size=self.line_buffer_size,
            max_lines=self.max_lines,
            max_line_bytes=self.max_line_bytes,
            overflow_strategy=OverflowStrategy(self.overflow),
            block_timeout=self.block_timeout / 1000 or None,
        )
        return ExecutionContext(
            env_vars={one.name: one.secret.reveal() if one.secret else one.value for one in self.env},
            clear_env=self.clear_env,
            working_directory=self._folder(),
            stdin=self._stdin(message),
            timeout=self.timeout / 1000 or None,
            grace=self.grace / 1000,
            drain=self.drain / 1000,
            capture=self.capture,
            capture_limit=self.capture_limit,
            order=self.order,
            pty=self.pty,
            suppress_stderr=self.stderr == "drop",
            encoding=self.encoding,
            errors=self.encoding_errors,
            streaming_config=StreamingConfig(mode=StreamingMode.STREAMING, buffer_config=buffer),
        )

    def told(self, result: ExecutionResult) -> dict[str, Any]:
        """Return what is told of a program's end."""
        said: dict[str, Any] = {
            "exitCode": result.exit_code,
            "signal": result.signal,
            "timedOut": result.timed_out,
            "seconds": round(result.duration, 3),
            "dropped": result.dropped,
        }
        if self.capture != "none":
            said |= {"stdout": result.stdout, "stderr": result.stderr, "truncated": result.truncated}
        return said

    def judge(self, words: list[str], result: ExecutionResult) -> None:
        """Fail if the program failed and that counts."""
        if self.on_exit == "zero" and not result.success:
            how = f"was ended by signal {result.signal}" if result.signal else f"ended with exit code {result.exit_code}"
            said = result.stderr.strip().splitlines()
            raise RunError(f"'{words[0]}' {how}{f': {said[-1]}' if said else ''}")

    def _folder(self) -> Path:
        folder = self.context.input_path(self.cwd) if self.cwd else self.context.folders.data
        return folder if folder.is_dir() or self.cwd else self.context.folders.app

    def _stdin(self, message: Message) -> str | bytes | Path | None:
        if self.stdin == "inherited":
            return INHERIT
        if self.stdin == "file":
            return self.context.input_path(self.input)
        if self.stdin == "field":
            value = need(message, self.input)
            return value if isinstance(value, bytes) else as_text(value)
        return self.input if self.stdin == "text" else None
