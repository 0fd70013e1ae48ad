"""The command line: which command is meant, and what the end of it means for the exit code.

Nothing here imports more than it needs: `--help` and a cached run are measured against a bare start of Python.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import errno
import gc
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .errors import CANNOT_WRITE, FAILED, INTERRUPTED, OK, USAGE, ConfigError, NodeFailed, TransmissionsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from .problem import Problem

COMMANDS: Final = ("run", "list", "describe", "validate", "graph", "new", "init", "shapes", "completion")
"""Each is a module of `commands` with HELP, add_arguments(parser) and call(options)."""
LATER: Final = (
    "tap",
    "top",
    "doctor",
    "explain",
    "replay",
    "retry",
    "export",
    "resume",
    "serve",
    "follow",
    "load",
    "repl",
    "watch",
    "test",
)
"""Words kept free, so that an app called by its bare name today still runs when they become commands."""

PIPE_CLOSED: Final = 141
_ERROR: Final = 40
"""The level of an error, as `logging` has it, which a bare `--help` does not import."""
_SHOWN: Final = 300
"""Characters of a failed message that are shown."""
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; without `argv` it is the process's own, which ends here."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        gc.disable()  # Importing makes no garbage worth looking for; a run turns it on again.
    if None in {sys.stdin, sys.stdout, sys.stderr}:
        importlib.import_module(".closed_streams", __package__).reopen()
    _forgive_odd_characters()
    code = guarded(lambda: _dispatch(words), verbose="-v" in words or "--verbose" in words)
    if argv is None:
        _leave(code)
    return code


def guarded(work: Callable[[], int], *, verbose: bool) -> int:
    """Do some work and return its exit code; whatever goes wrong is said on stderr and has an exit code of its own."""
    try:
        code = work()
        if sys.stdout:
            sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except ConfigError as error:
        print_problems(error.problems)
        return USAGE
    except (TransmissionsError, OSError) as error:
        from .closed_streams import reader_went_away

        if reader_went_away(error):
            _close_stdout()
            return PIPE_CLOSED
        return _report(error, verbose=verbose) if isinstance(error, TransmissionsError) else _report_os_error(error)
    except Exception as error:  # noqa: BLE001 - the last door: a fault of ours is one line, too
        return _report_fault(error, verbose=verbose)
    return code


def _leave(code: int) -> None:
    """End the process without taking the interpreter apart, which would cost a small run a tenth of its time."""
    threading = sys.modules.get("threading")
    if threading and threading.active_count() > 1:
        return  # somebody's thread is still at work; Python waits for it
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way to run them
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
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
    options = parser_of(command).parse_intermixed_args(words[1:] if named else words)
    options.command_line = rest
    options.implied = not named
    result: int = _load(command).call(options)
    return result


def _known(name: str) -> str:
    if name in COMMANDS:
        return name
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"`trans describe {name}` tells about apps and processors"
    raise UsageError(f"no command '{name}'; {hint}")


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
        self.exit(USAGE, f"{self.prog}: {message}; see `{self.prog} --help`\n")


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


def _close_stdout() -> None:
    """Point stdout at nothing, so that Python does not complain about the reader that went away (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def print_problems(problems: Sequence[Problem]) -> None:
    """Print problems on stderr, in colour where that is wanted."""
    from .render import render_all

    print(render_all(problems, color=colour_wanted(sys.stderr)), file=sys.stderr)


def colour_wanted(stream: Any) -> bool:
    """Whether a stream is a terminal whose owner has not asked for plain text."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream is not None and stream.isatty()


def _report(error: TransmissionsError, *, verbose: bool) -> int:
    failed = error if isinstance(error, NodeFailed) else None
    text = repr(failed.message) if failed and failed.message else ""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    _say_error(f"{error}\n  message: {shown}" if shown else str(error))
    if failed and verbose:
        _print_traceback(failed.cause)
    return error.exit_code


def _say_error(sentence: str) -> None:
    """Say what went wrong: in the log if a run has begun one, which masks secrets, else as text."""
    logs = sys.modules.get(f"{__package__}.logs")
    with contextlib.suppress(OSError):  # stderr may be full, too; the exit code still tells
        if logs:
            logs.tell(sentence, _ERROR)
        else:
            print(f"error: {sentence}", file=sys.stderr)


def _report_os_error(error: OSError) -> int:
    cannot_write = error.errno in _NO_ROOM
    if cannot_write:
        _close_stdout()
    name = f"'{os.fsdecode(error.filename)}': " if isinstance(error.filename, str | bytes) else ""
    _say_error(f"{name}{error.strerror or error}")
    return CANNOT_WRITE if cannot_write else FAILED


def _report_fault(error: Exception, *, verbose: bool) -> int:
    if verbose:
        _print_traceback(error)
    sentence = " ".join(f"{type(error).__name__}: {error}".split())
    _say_error(f"{sentence} (this is a fault of trans; run with -v for the traceback)")
    return FAILED


def _print_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error)
