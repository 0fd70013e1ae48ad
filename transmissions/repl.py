"""The REPL: a line is a message, and each message is a run of its own.

A line that is a JSON object is the message; any other is the message `{"content": line}`. Lines that begin with `/` are
commands; `//` stands for a text that begins with `/`. What the app prints and its final messages go to standard output, all
else to standard error. A run that fails says so, and the next line is read. Ctrl-C cancels the run at work.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shlex
import sys
import time
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import __version__, engine, logs, outputs
from .cli import guarded
from .closed_streams import cannot_read_input
from .commands.run import prepare_for
from .errors import INTERRUPTED, OK, UsageError
from .failures import PIPE_CLOSED
from .homes import App, find_app
from .near import suggestion
from .session import as_line
from .standard_output import write_out
from .summary import last_lines, words_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .message import Message
    from .plan import Plan
    from .running import Run

HELP: Final = """\
{"name": "Ada"}     a JSON object is the message of a run
any other line      is the message {"content": line}; // at its beginning stands for /
/app NAME           run another app
/args WORDS         the arguments of the app; without words there are none
/set NODE.X=VALUE   override a setting; without one, forget those overridden
/plan               show what the app is made of
/more, /less        say more of a run, or less (0: what it prints, 1: its messages, 2: counts and log)
/help, /quit        this; the end (Ctrl-D, too)"""
_PROMPT: Final = "> "
_REMEMBERED: Final = 1000


class Repl:
    """An app, how it is to be run, and how much is said of it."""

    def __init__(self, options: Namespace) -> None:
        self._options = options
        self._volume = 1
        self._at_hand: tuple[App, Plan, Path | None, list[str]] | None = None
        self._commands: dict[str, Callable[[str], object]] = {
            "help": lambda _: logs.tell(HELP),
            "app": self._take_app,
            "args": lambda rest: self._change(words=_words(rest)),
            "set": self._set,
            "plan": lambda _: self._show_plan(),
            "more": lambda _: self._say_more(1),
            "less": lambda _: self._say_more(-1),
        }
        if options.app:
            self._change()

    def run(self, lines: Iterator[str]) -> int:
        """Take lines until they end or one says to quit; return the first exit code that is not 0."""
        first = OK
        for line in lines:
            text = line.strip()
            if text in {"/quit", "/q"}:
                break
            code = guarded(partial(self._take, text), verbose=self._volume > 1) if text else OK
            if code == INTERRUPTED:
                logs.tell("stopped")
            first = first or code
            if code == PIPE_CLOSED:
                break
        return first

    def _take(self, line: str) -> int:
        if line.startswith("/") and not line.startswith("//"):
            name, _, rest = line[1:].partition(" ")
            if name not in self._commands:
                known = suggestion(name, self._commands) or "; /help lists them"
                raise UsageError(f"no command '/{name}'{known}; a text that begins with / is written with //")
            self._commands[name](rest.strip())
            return OK
        return self._run(_message(line))

    def _run(self, message: Message) -> int:
        if self._at_hand is None:
            raise UsageError("there is no app yet; `/app NAME` takes one")
        app, plan, target, words = self._at_hand
        output, is_marked = engine.default_output(app, target)
        if self._options.output:
            output, is_marked = Path(self._options.output).absolute(), True
        if is_marked:
            outputs.claim(output, force=self._options.force)
        timeout = self._options.timeout
        opened = engine.open(plan, message=message, arguments=words, target=target, output=output, timeout=timeout)
        logs.clean_with(opened.state.clean)
        with outputs.marked(output, plan.app, __version__) if is_marked else contextlib.nullcontext():
            self._work(opened)
        return opened.result.exit_code

    def _work(self, opened: Run) -> None:
        summaries: list[str] = []
        opened.on("summary", lambda _, fields: summaries.extend(words_in(fields)))
        opened.on("skip", lambda _, fields: logs.tell(f"{fields['node']}: skipped: {fields['reason']}", logging.WARNING))
        began, ending = time.monotonic(), "failed; "
        try:
            asyncio.run(self._to_the_end(opened))
            ending = ""
        finally:
            if self._volume > 1:
                logs.tell("\n".join(last_lines(opened, summaries, ending, time.monotonic() - began)))

    async def _to_the_end(self, opened: Run) -> None:
        async with opened:
            async for message in opened:
                if self._volume:
                    write_out(as_line(message))

    def _take_app(self, name: str) -> None:
        if not name:
            raise UsageError("/app takes the name of an app; `trans list` shows them")
        self._change(app=name, words=[], set=[])

    def _set(self, word: str) -> None:
        self._change(set=[*self._options.set, word] if word else [])

    def _change(self, **fields: Any) -> None:
        """Take other options, if there can be runs with them."""
        options = Namespace(**{**vars(self._options), **fields})
        if not options.app:
            raise UsageError("there is no app yet; `/app NAME` takes one")
        app = find_app(options.app)
        prepared, target, words = prepare_for(app, options)
        plan = engine.only(prepared.plan, app.subtask) if app.subtask else prepared.plan
        self._options, self._at_hand = options, (app, plan, target, words)
        self._set_up_log()

    def _set_up_log(self) -> None:
        level = (logging.ERROR, logging.WARNING, logging.DEBUG)[self._volume]
        logs.set_up(sys.stderr, level=level, secrets=logs.secrets_of(self._at_hand[1]) if self._at_hand else ())

    def _say_more(self, step: int) -> None:
        self._volume = min(2, max(0, self._volume + step))
        self._set_up_log()
        logs.tell(f"volume {self._volume} of 0, 1, 2")

    def _show_plan(self) -> None:
        from .commands.describe import app_lines

        if self._at_hand is None:
            raise UsageError("there is no app yet; `/app NAME` takes one")
        app, plan, _, _ = self._at_hand
        logs.tell("\n".join(app_lines(app, plan, self._options.app)))


def _message(line: str) -> Message:
    text = line[1:] if line.startswith("//") else line
    if text.startswith("{"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            logs.tell(f"not JSON ({error}), so it is text", logging.WARNING)
        else:
            return dict(value)
    return {"content": text}


def _words(rest: str) -> list[str]:
    try:
        return shlex.split(rest)
    except ValueError as error:
        raise UsageError(f"/args {rest}: {str(error).lower()}") from error


def sent_lines() -> Iterator[str]:
    """Yield the lines of standard input, which nobody types.

    Raises:
        UsageError: it cannot be read.

    """
    try:
        yield from sys.stdin
    except OSError as error:
        raise cannot_read_input(error) from error


def typed_lines() -> Iterator[str]:
    """Yield the lines somebody types, with a history; Ctrl-C takes back a line, Ctrl-D ends."""
    with _history():
        while True:
            try:
                yield input(_PROMPT)
            except KeyboardInterrupt:
                logs.tell("")
            except EOFError:
                logs.tell("")
                return


@contextlib.contextmanager
def _history() -> Iterator[None]:
    """Let readline remember the lines of earlier sessions, for their owner only."""
    try:
        import readline
    except ImportError:
        yield
        return
    file = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state", "transmissions", "history")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        readline.read_history_file(file)
    readline.set_history_length(_REMEMBERED)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            readline.write_history_file(file)
