"""A program chosen by a message, as far as the app allows it: BashCommand."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Annotated, Final

from transmissions import Processor, Protected, Range, RunError, Unit, UsageError, compile_pattern, set_field, suggestion
from transmissions.streaming import CommandRunner, CommandTimeout

from .access import need_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

_QUOTED: Final = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""", re.DOTALL)
_FOR_A_SHELL: Final = re.compile(r"[|&;<>$`\n]")
_MOST: Final = 16 << 20


class BashCommand(Processor):
    """Run a program with its arguments, never a shell, and put what it wrote into the message.

    Runs `command`. Only where the setting is empty, and `allowedCommands` is not, does the message's field `command` count, a
    text that is split into words as a shell would. Nothing in it is expanded, and a pipe, a redirection or whatever else is
    for a shell is refused where it is not in quotes. Its first word must be one of `allowedCommands`, letter for
    letter: no path leads around that. Nothing in a message can widen it.

    What is allowed is a program with *any* arguments. Many programs can run others, write files or open connections when
    told so: `find -exec`, `git -c`, `tar --to-command`, `awk`, `env`, `xargs`, any shell or interpreter. Allow what
    does no harm however it is called, refuse the rest by `blockedPatterns`, or better take a CommandStep, where messages
    fill arguments only.

    Writes the standard output to `content` and `commandResult`, and to `commandError` the standard error if the program failed;
    a program that fails or takes too long is no failure of this step, and in `commandCode` stands its exit code (124 after
    the time-out, 128 and the number of the signal that ended it). Of more than 16 MiB the end is kept. A command that is
    refused is a failure.

    ```turtle
    :show a :BashCommand ; :allowedCommands "date", "uptime", "df" ; :blockedPatterns "--set|(^| )-s" ; :timeout 5000 .
    ```
    """

    command: Annotated[str, Protected()] = ""
    "What is run, whatever the message says; split into words as a shell would."
    allowed_commands: Annotated[tuple[str, ...], Protected()] = ()
    "The programs a message may name."
    blocked_patterns: Annotated[tuple[str, ...], Protected()] = ()
    "Regular expressions; a command in which one is found is refused."
    timeout: Annotated[int, Range(ge=1), Protected(), Unit("ms")] = 30000
    "How long it may take before it is ended with all it started."

    def __post_init__(self) -> None:
        """Refuse patterns that are none, and commands that could never run."""
        self._blocked = [compile_pattern(one) for one in self.blocked_patterns]
        strange = next((one for one in self.allowed_commands if not one.strip() or one.split() != [one]), None)
        if strange is not None:
            raise UsageError(f"'{strange}' in :allowedCommands is no name of a program: it is one word, without arguments")
        if self.command:
            self._words(self.command)

    async def process(self, message: Message) -> Message:
        """Run it once."""
        words = self._words(self.command) if self.command else self._chosen(message)
        folders = self.context.folders
        folder = folders.data if folders.data.is_dir() else folders.app
        try:
            result = await CommandRunner().run(
                words[0], words[1:], timeout=self.timeout / 1000, working_directory=folder, capture="tail", capture_limit=_MOST
            )
        except CommandTimeout as error:
            result = error.result
        set_field(message, "content", result.stdout)
        set_field(message, "commandResult", result.stdout)
        set_field(message, "commandCode", result.code)
        set_field(message, "commandError", "" if result.success else result.stderr or _why(result.code))
        return message

    def foresee(self, message: Message) -> Iterator[str]:
        """Say what would be run."""
        if self.command:
            yield f"runs {shlex.join(self._words(self.command))}"
        else:
            yield f"runs what messages say of: {', '.join(self.allowed_commands) or 'nothing'}"

    def _chosen(self, message: Message) -> list[str]:
        if not self.allowed_commands:
            raise RunError("a message may name no program: :allowedCommands is not set")
        text = need_text(message, "command")
        words = self._words(text)
        if words[0] not in self.allowed_commands:
            allowed = ", ".join(self.allowed_commands)
            near = suggestion(words[0], self.allowed_commands)
            raise RunError(f"'{words[0]}' is not allowed{near or f'; :allowedCommands has {allowed}'}")
        return words

    def _words(self, text: str) -> list[str]:
        words = _split(text)
        for given in dict.fromkeys((text, " ".join(words))):
            found = next((pattern for pattern in self._blocked if pattern.search(given)), None)
            if found:
                raise RunError(f"the command is refused: '{found.pattern}' of :blockedPatterns is found in it")
        return words


def _split(text: str) -> list[str]:
    """Return the words of a command line, and refuse what only a shell could do with it."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise RunError(f"the command cannot be split into words: {str(error).lower()}") from error
    if not words or not words[0]:
        raise RunError("the command is empty")
    sign = _FOR_A_SHELL.search(_QUOTED.sub("", text.strip()))
    if sign:
        raise RunError(f"the command has {sign[0]!r} for a shell, and none is used; as an argument it stands in quotes")
    return words


def _why(code: int) -> str:
    return f"ended with code {code}"
