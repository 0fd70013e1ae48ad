"""The command line: which command is meant, and what the end of it means for the exit code.

Nothing here imports more than it needs: `--help` and a cached run are measured against a bare start of Python.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .errors import INTERRUPTED, OK, USAGE, ConfigError, UsageError
from .standard_output import write_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from .problem import Problem

COMMANDS: Final = (
    "run",
    "repl",
    "watch",
    "serve",
    "follow",
    "load",
    "mcp",
    "test",
    "retry",
    "list",
    "describe",
    "validate",
    "graph",
    "new",
    "init",
    "shapes",
    "completion",
)
"""Each is a module of `commands` with HELP, add_arguments(parser) and call(options)."""
LATER: Final = (
    "tap",
    "top",
    "doctor",
    "explain",
    "replay",
    "export",
    "resume",
)
"""Words kept free, so that an app called by its bare name today still runs when they become commands."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; without `argv` it is the process's own, which ends here."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        _read_names_as_utf8()
        gc.disable()  # Importing makes no garbage worth looking for; a run turns it on again.
    if None in {sys.stdin, sys.stdout, sys.stderr}:
        importlib.import_module(".closed_streams", __package__).reopen()
    _forgive_odd_characters()
    code = guarded(lambda: _dispatch(words), verbose="-v" in words or "--verbose" in words)
    if argv is None:
        _leave(code)
    return code


def _read_names_as_utf8() -> None:
    """Begin anew in Python's UTF-8 mode where an older locale would misread words, and refuse names of files people have."""
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - the same program again


def guarded(work: Callable[[], int], *, verbose: bool) -> int:
    """Do some work and return its exit code; whatever goes wrong is said on stderr and has an exit code of its own."""
    try:
        code = _code_of(work)
        if sys.stdout:
            write_out("")
    except KeyboardInterrupt:
        return INTERRUPTED
    except ConfigError as error:
        with contextlib.suppress(OSError):  # Nobody may read it any more; the exit code still tells.
            print_problems(error.problems)
        return USAGE
    except Exception as error:  # noqa: BLE001 - the last door: a fault of ours is one line, too
        if isinstance(error.__context__, KeyboardInterrupt):
            return INTERRUPTED  # argparse, for one, cannot be interrupted everywhere.
        from .failures import exit_code_of

        return exit_code_of(error, verbose=verbose)
    return code


def _code_of(work: Callable[[], int]) -> int:
    try:
        return work()
    except SystemExit as end:  # as after `--help`
        return end.code if isinstance(end.code, int) else OK


def _leave(code: int) -> None:
    """End the process without taking the interpreter apart, which would cost a small run a tenth of its time."""
    threading = sys.modules.get("threading")
    if threading and threading.active_count() > 1:
        return  # somebody's thread is still at work; Python waits for it
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way to run them
    for stream in (sys.stdout, sys.stderr):  # What was printed before something went wrong is still in Python's hands.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _dispatch(words: list[str]) -> int:
    words, rest = _split_at_dashes(words)
    first = words[0] if words else ""
    if first in {"", "-h", "--help"} or words == ["help"]:
        return _print_help(USAGE if not first else OK)
    if first in {"-V", "--version", "version"}:
        return _print_version()
    if first == "help":
        words, first = [_known(words[1]), "--help"], words[1]
    if first in LATER:
        raise UsageError(
            f"'{first}' is kept for a command to come; an app of that name is `trans run {first}` or `trans ./{first}`"
        )
    named = first in COMMANDS
    command = first if named else "run"
    called = next(iter(words[1:] if named else words), "-")
    if command == "run" and not called.startswith("-") and not {"-h", "--help"}.isdisjoint(words):
        importlib.import_module(".commands.describe", __package__).print_usage(called)
        print()
    options = parser_of(command).parse_intermixed_args(words[1:] if named else words)
    options.command_line = rest
    options.implied = not named
    result: int = _load(command).call(options)
    return result


def _known(name: str) -> str:
    if name in COMMANDS:
        return name
    from .near import suggestion

    elsewhere = f"; `trans describe {name}` tells about apps and processors"
    raise UsageError(f"no command '{name}'{suggestion(name, COMMANDS) or elsewhere}")


def _split_at_dashes(words: list[str]) -> tuple[list[str], list[str] | None]:
    """Cut at the first `--`: what follows belongs to the app (argparse would drop the dashes and mix the parts)."""
    if "--" not in words:
        return words, None
    cut = words.index("--")
    return words[:cut], words[cut + 1 :]


def _load(name: str) -> ModuleType:
    return importlib.import_module(f".commands.{name}", __package__)


def parser_of(name: str) -> argparse.ArgumentParser:
    """Return the parser of one command."""
    command = _load(name)
    parser = _Parser(prog=f"trans {name}", description=command.HELP, allow_abbrev=False)
    command.add_arguments(parser)
    return parser


class _Parser(argparse.ArgumentParser):
    """argparse, with its errors in one line."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized"):
            message += self._meant(message.rpartition(": ")[2].partition(" ")[0])
        self.exit(USAGE, f"{self.prog}: {message}; see `{self.prog} --help`\n")

    def _meant(self, word: str) -> str:
        from .near import suggestion

        behind = "; words that belong to a command go behind `--`" if self.prog == "trans run" else ""
        options = [option for option in self._option_string_actions if option.startswith("--")]
        return (suggestion(word.partition("=")[0], options) if word.startswith("--") else "") or behind


def _print_help(code: int) -> int:
    out = sys.stdout if code == OK else sys.stderr
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:{width}}{_help_of(name)}" for name in COMMANDS]
    print("usage: trans [COMMAND] ...        trans APP ... is trans run APP ...\n", *lines, sep="\n", file=out)
    print("\n`trans COMMAND --help` says more; `trans --version` prints the version.", file=out)
    return code


def _help_of(name: str) -> str:
    """Return a command's HELP from its source: importing all commands would cost more than everything else here."""
    with open(os.path.join(os.path.dirname(__file__), "commands", f"{name}.py"), encoding="utf-8") as file:  # noqa: PTH118, PTH120, PTH123
        return next((line.split('"')[1] for line in file if line.startswith("HELP = ")), "")


def _print_version() -> int:
    from . import __version__

    print(f"transmissions {__version__}")
    return OK


def _forgive_odd_characters() -> None:
    # A lone surrogate in a message becomes \\udc80, which is also how JSON writes it, instead of a traceback.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_problems(problems: Sequence[Problem]) -> None:
    """Print problems on stderr, in colour where that is wanted."""
    from .render import render_all

    print(render_all(problems, color=colour_wanted(sys.stderr)), file=sys.stderr)


def colour_wanted(stream: Any) -> bool:
    """Whether a stream is a terminal whose owner has not asked for plain text."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream is not None and stream.isatty()
