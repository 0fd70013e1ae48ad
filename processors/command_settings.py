"""What every processor that runs programs can be told."""

from __future__ import annotations

import codecs
import shlex
from typing import TYPE_CHECKING, Annotated, Any, Literal

from transmissions import Pattern, Protected, Range, Record, RunError, Secret, Unit, UsageError, as_text
from transmissions.streaming import (
    INHERIT,
    BufferConfig,
    ExecutionContext,
    OverflowStrategy,
    StreamingConfig,
    StreamingMode,
)

from .access import need
from .recording import ReplaySettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transmissions import Message
    from transmissions.streaming import ExecutionResult


class Variable(Record):
    """A variable of a program's environment."""

    name: Annotated[str, Pattern("[^=\\x00]+")]
    "Its name."
    value: str = ""
    "Its value."
    secret: Secret | None = None
    "Its value, where it is a secret."


class CommandSettings(ReplaySettings):
    """How a program is run; the base of the processors that run one."""

    command: Annotated[tuple[str, ...], Protected()] = ()
    "The program and its arguments, one text each, as a list `( … )`; if empty, what a user wrote behind `--`."
    shell: Annotated[bool, Protected()] = False
    "Whether the first text of `command` is a script for `/bin/sh -c`, and the others are its `$1`, `$2` and so on."
    env: Annotated[tuple[Variable, ...], Protected()] = ()
    "Variables added to the environment."
    clear_env: Annotated[bool, Protected()] = False
    "Whether the program gets those variables only."
    cwd: Annotated[str, Protected()] = ""
    """Folder the program is started in, as seen from the run's working folder, which it is if empty. What stands behind `--` is
    started where the user is, if there is no target."""
    stdin: Annotated[Literal["none", "text", "file", "field", "inherited"], Protected()] = "none"
    "What the program reads: nothing, `input` as it stands, the file or the message's field it names, or this process's own."
    input: Annotated[str, Protected()] = ""
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

        def kept(self) -> Literal["all", "tail", "none"]:
            """Return what is captured of the outputs as a whole."""
            ...

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.shell and not self.command:
            raise UsageError("with :shell true the script is the first text of :command")
        if self.stdin in {"text", "file", "field"} and not self.input:
            raise UsageError(f':stdin "{self.stdin}" needs :input')
        if self.order == "exact" and self.pty:
            raise UsageError("a terminal cannot keep the exact order: take :pty or :order, not both")
        _refuse_encoding(self.encoding)

    def words(self) -> list[str]:
        """Return the program and its arguments."""
        words = list(self.command or self.context.command or ([self.replay] if self.replay else []))
        if not words:
            raise RunError("there is no command to run: set :command, or write one behind `--`")
        return ["/bin/sh", "-c", words[0], "sh", *words[1:]] if self.shell else words

    def foresee(self, message: Message) -> Iterator[str]:
        """Say what would be run."""
        if self.replay:
            yield f"plays the recording '{self.replay}'"
            return
        yield f"runs {shlex.join(self.words())}" if self.command or self.context.command else "has no command to run"

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
            capture=self.kept(),
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
        if self.kept() != "none":
            said |= {"stdout": result.stdout, "stderr": result.stderr, "truncated": result.truncated}
        return said

    def fault_of(self, words: list[str], result: ExecutionResult, last: str = "") -> RunError | None:
        """Return the failure it is that a program failed, if that counts; `last` is what it said last."""
        if self.on_exit == "any" or result.success:
            return None
        for one in self.env:
            last = last.replace(one.secret.reveal() or "\n", "…") if one.secret else last
        how = f"was ended by signal {result.signal}" if result.signal else f"ended with exit code {result.exit_code}"
        return RunError(f"'{words[0]}' {how}{f': {last}' if last else ''}")

    def _folder(self) -> Path | None:
        # Not confined as files are: no message can set it, and the program it is for may go anywhere.
        folders = self.context.folders
        if not self.cwd and not self.command and not folders.target:
            return None
        base = folders.data if folders.data.is_dir() else folders.app
        return base / self.cwd

    def _stdin(self, message: Message) -> str | bytes | Path | None:
        if self.stdin == "inherited":
            return INHERIT
        if self.stdin == "file":
            return self.context.input_path(self.input)
        if self.stdin == "field":
            value = need(message, self.input)
            return value if isinstance(value, bytes) else as_text(value)
        return self.input if self.stdin == "text" else None


def _refuse_encoding(name: str) -> None:
    """Refuse an encoding there is not, and those in which a line feed is more than one byte."""
    try:
        is_fit = codecs.lookup(name)._is_text_encoding and "a\n".encode(name) == b"a\n"  # noqa: SLF001 - `base64` is a codec, too
    except (LookupError, UnicodeError):
        raise UsageError(f"there is no encoding '{name}'") from None
    if not is_fit:
        raise UsageError(f"lines cannot be cut from '{name}'; the encoding must leave ASCII as it is")
