"""Programs in a pipe: CommandSource streams the lines of one, CommandStep runs one for each message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from transmissions import Processor, Source, as_text, set_field
from transmissions.streaming import CommandRunner, CommandTimeout, StreamSource, parse_json

from .access import need
from .command_settings import CommandSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from transmissions import Message
    from transmissions.streaming import ExecutionResult, Lines

_FIELD: Final = re.compile(r"\{([^{}]+)\}")


class CommandSource(CommandSettings, Source):
    """Run a program and send one message for each line it writes, as it writes it.

    Runs `command`, or what a user wrote behind `--`; no message can name a program. Each message is a copy of the incoming one
    with `line`, `source` (`stdout` or `stderr`), `number` (of the line in its output, from 1) and `time` (seconds since 1970).
    With `:mode "structured"` a line of JSON has its value in `value` as well. With `:mode "batch"` there is one message, when
    the program has ended. What became of it is in `command` of the group's own message, and of a last one with
    `:exitMessage true`: `exitCode`, `signal`, `timedOut`, `seconds`, `lines` of both outputs, `dropped`, and what `capture`
    keeps.

    The program is read no faster than the pipe works, unless `:overflow` drops lines. It ends with the run: on a time-out, a
    drain, a failure or the death of this process its whole group gets SIGTERM and, after `grace`, SIGKILL.

    ```turtle
    :build a :CommandSource ; :command ( "make" "-k" "all" ) ; :timeout 600000 .
    ```
    """

    mode: Literal["streaming", "structured", "batch"] = "streaming"
    "Lines as they come; the same, parsed; or everything at the end."
    exit_message: bool = False
    "Whether a message follows the last line that says how the program ended."

    async def produce(self, message: Message) -> AsyncIterator[Message | list[Message]]:
        """Yield the lines, several messages at once where they came together."""
        words, context = self.words(message), self.execution(message)
        counts: dict[str, int] = {source.value: 0 for source in StreamSource}
        try:
            async with CommandRunner().stream(words[0], words[1:], context) as stream:
                async for lines in stream:
                    counts[lines.source.value] += lines.count
                    if self.mode != "batch":
                        yield self._messages(message, lines)
                result = stream.result
        except CommandTimeout as error:
            self._conclude(message, error.result, counts)
            raise
        last = self._conclude(message, result, counts)
        if self.exit_message or self.mode == "batch":
            yield last
        self.judge(words, result)

    def _messages(self, message: Message, lines: Lines) -> list[Message]:
        source, time = lines.source.value, lines.time
        made = [{**message, "line": text, "source": source, "number": n, "time": time} for n, text in lines.numbered()]
        return [self._parsed(one) for one in made] if self.mode == "structured" else made

    def _parsed(self, message: Message) -> Message:
        try:
            message["value"] = parse_json(message["line"])
        except ValueError as error:
            if message["line"].strip():
                message["malformed"] = str(error)
        return message

    def _conclude(self, message: Message, result: ExecutionResult, counts: dict[str, int]) -> Message:
        said = {**self.told(result), "lines": counts}
        message["command"] = said
        self.context.emit("command", **said)
        return {**message, "command": said}


class CommandStep(CommandSettings, Processor):
    """Run a program for each message, and put what it wrote into the message.

    `command` is a list of texts, run as it is and never by a shell (but see `shell`). In all but the first, `{path}` stands for
    the message's field at that dotted path, whole and as one argument, whatever is in it. Writes the standard output to
    `targetField` and what became of the program to `command`: `exitCode`, `signal`, `timedOut`, `seconds`, `stdout`, `stderr`.

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
        words = self.words(message)
        words = [words[0], *(_FIELD.sub(lambda name: as_text(need(message, name[1])), word) for word in words[1:])]
        result = await CommandRunner().run_with_context(words[0], words[1:], self.execution(message))
        self.judge(words, result)
        set_field(message, self.target_field, result.stdout)
        told = self.told(result)
        message["command"] = {name: told[name] for name in told if name != "stdout"}
        return message
