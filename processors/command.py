"""Programs in a pipe: CommandSource streams the lines of one, CommandStep runs one for each message."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from transmissions import Processor, Protected, Source, UsageError, as_text, set_field
from transmissions.streaming import CommandOverflow, CommandTimeout, Recorder, StreamSource, parse_json

from .access import need
from .command_documents import Documents
from .command_settings import CommandSettings
from .recording import broken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from transmissions import Message, RunError
    from transmissions.streaming import ExecutionResult, Lines, Replay

    Shape = Callable[[Lines], list[Message]]

_FIELD: Final = re.compile(r"\{(\{?)([^\W\d][\w.\[\]-]*)\}(\}?)")


class CommandSource(CommandSettings, Source):
    """Run a program and send one message for each line it writes, as it writes it.

    Runs `command`, or what a user wrote behind `--`; no message can name a program. Each message is a copy of the incoming one
    with `line`, `source` (`stdout` or `stderr`), `number` (of the line in its output, from 1) and `time` (seconds since 1970).
    With `:mode "structured"` there is `value` too: what a line of JSON says, or with `:format "yaml"` a document of the
    standard output, whose message has its whole text in `line`; what is none says why in `malformed`. With `:mode "batch"`
    there is one message, when the program has ended.

    What became of it is in `command` of the group's own message, in a last one with `:exitMessage true`, and told as an event
    `command`: `exitCode`, `signal`, `timedOut`, `seconds`, `lines` of both outputs, `dropped`, and what `capture` keeps. Its
    exit code is data: only with `:onExit "zero"` does the run fail with it, and as after `timeout` (then with exit code 124)
    only when all it had written has arrived. The source itself is not run again by `:retry` once a line was sent.

    The program is read no faster than the pipe works, unless `:overflow` drops lines. It ends with the run: on a time-out, a
    drain, a failure or the death of this process its whole group gets SIGTERM and, after `grace`, SIGKILL. Only what
    began a session of its own, as daemons do, is not in the group.

    ```turtle
    :build a :CommandSource ; :command ( "make" "-k" "all" ) ; :timeout 600000 .
    ```
    """

    mode: Literal["streaming", "structured", "batch"] = "streaming"
    "Lines as they come; the same, parsed; or everything at the end."
    format: Literal["jsonlines", "yaml", "plain"] = "jsonlines"
    "What structured output is: a JSON value on each line, YAML documents with `---` between them, or lines of text."
    capture: Literal["all", "tail", "none"] | None = None
    "What is kept of the outputs as a whole, for the message that tells of the end; by itself all in batch mode, else none."
    exit_message: bool = False
    "Whether a message follows the last line that says how the program ended."
    record: Annotated[str, Protected()] = ""
    """A file that what the program writes is recorded in while it runs: asciicast, with every byte and the exit code. `.gz` and
    `.zst` are compressed. A run replaces it; where this source runs its program again, that is put behind."""

    _is_recorded = False

    def __post_init__(self) -> None:
        """Make sure that what is asked for can be read."""
        super().__post_init__()
        if self.mode == "structured" and self.format == "yaml":
            Documents.need_library()
        if self.record and self.replay:
            raise UsageError("a recording is made or played: take :record or :replay, not both")

    async def produce(self, message: Message) -> AsyncIterator[Message | list[Message]]:
        """Yield the lines, several messages at once where they came together."""
        words, context, launch = self.words(), self.execution(message), self._launch()
        runner = self.runner(launch)
        told = _Told(message)
        shape = self._shape(message)
        fault: RunError | None = None
        try:
            async with runner.stream(words[0], words[1:], context) as stream:
                async for lines in stream:
                    told.take(lines)
                    yield shape(lines)
                result = stream.result
        except CommandTimeout as error:
            fault, result = error, error.result
        except CommandOverflow as error:
            self._conclude(told, error.result)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            self._conclude(told, None)
            raise
        if isinstance(shape, Documents):
            yield shape.finish()
        last = self._conclude(told, result)
        if self.exit_message or self.mode == "batch":
            yield last
        fault = fault or broken(launch) or self.fault_of(words, result, told.last_error(result))
        if fault:
            fault.is_late = True
            raise fault

    def kept(self) -> Literal["all", "tail", "none"]:
        """Return what is captured."""
        return self.capture or ("all" if self.mode == "batch" else "none")

    def _launch(self) -> Replay | Recorder | None:
        if not self.record:
            return self.playing()
        append, self._is_recorded = self._is_recorded, True
        return Recorder(self.context.output_path(self.record, anew=not append), append=append)

    def _shape(self, message: Message) -> Shape:
        if self.mode == "batch":
            return lambda _: []
        is_parsed = self.mode == "structured" and self.format != "plain"
        if is_parsed and self.format == "yaml":
            return Documents(message, self.max_line_bytes)
        return lambda lines: [_parsed(one) for one in as_messages(message, lines)] if is_parsed else as_messages(message, lines)

    def _conclude(self, told: _Told, result: ExecutionResult | None) -> Message:
        said: dict[str, Any] = {**(self.told(result) if result else {"exitCode": None}), "stopped": result is None}
        said["lines"] = told.counts
        told.message["command"] = said
        self.context.emit("command", **said)
        return {**told.message, "command": said}


class _Told:
    """What is counted while lines come, and where it is told."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.counts: dict[str, int] = {source.value: 0 for source in StreamSource}
        self._last: Lines | None = None

    def take(self, lines: Lines) -> None:
        self.counts[lines.source.value] += lines.count
        if lines.source is StreamSource.STDERR:
            self._last = lines

    def last_error(self, result: ExecutionResult) -> str:
        """Return the last line of the standard error that was seen."""
        lines = self._last.texts if self._last else result.stderr.strip().splitlines()
        return lines[-1].strip() if lines else ""


def as_messages(message: Message, lines: Lines) -> list[Message]:
    """Return a message for each line."""
    source, time = lines.source.value, lines.time
    return [{**message, "line": text, "source": source, "number": n, "time": time} for n, text in lines.numbered()]


def _parsed(message: Message) -> Message:
    try:
        message["value"] = parse_json(message["line"])
    except ValueError as error:
        if message["line"].strip():
            message["malformed"] = str(error)
    return message


class CommandStep(CommandSettings, Processor):
    """Run a program for each message, and put what it wrote into the message.

    `command` is a list of texts, run as it is and never by a shell (but see `shell`). In all but the first, `{path}` stands for
    the message's field at that dotted path, whole and as one argument, whatever is in it; `{{path}}` is that text itself. In
    a script for a shell nothing is filled in, only in its arguments. What a field holds may look like an option to the
    program: where that matters, put `--` in front of it. Writes the standard output to `targetField` and what became of the
    program to `command`: `exitCode`, `signal`, `timedOut`, `seconds`, `stderr`.

    ```turtle
    :page a :CommandStep ; :command ( "pandoc" "--from" "gfm" "--to" "html" ) ;
        :stdin "field" ; :input "content" ; :targetField "html" .
    ```
    """

    target_field: str = "content"
    "Dotted path the standard output is written to, as text."
    capture: Literal["all", "tail", "none"] = "all"
    "How much of its outputs is kept."

    async def process(self, message: Message) -> Message:
        """Run it once."""
        words, launch = self._filled(message), self.playing()
        result = await self.runner(launch).run_with_context(words[0], words[1:], self.execution(message))
        said = result.stderr.strip().splitlines()
        fault = broken(launch) or self.fault_of(words, result, said[-1] if said else "")
        if fault:
            raise fault
        set_field(message, self.target_field, result.stdout)
        told = self.told(result)
        message["command"] = {name: told[name] for name in told if name != "stdout"}
        return message

    def kept(self) -> Literal["all", "tail", "none"]:
        """Return what is captured."""
        return self.capture

    def _filled(self, message: Message) -> list[str]:
        words = self.words()
        fixed = 3 if self.shell else 1
        return [*words[:fixed], *(_FIELD.sub(lambda found: _value(found, message), word) for word in words[fixed:])]


def _value(found: re.Match[str], message: Message) -> str:
    before, path, behind = found.groups()
    if before and behind:
        return f"{{{path}}}"
    return before + as_text(need(message, path)) + behind
