"""`trans run`: an app, from its name to its last line."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transmissions.errors import OK, ConfigError, TransmissionsError, UsageError
from transmissions.late_tls import import_asyncio

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from transmissions.homes import App
    from transmissions.prepare import Prepared
    from transmissions.running import Run

HELP = "run an app"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans run`."""
    add = parser.add_argument
    add("app", metavar="APP[.SUBTASK]", help="the name of an app (see `trans list`) or a path to its folder")
    add(
        "words",
        metavar="ARGUMENT",
        nargs="*",
        default=[],
        help="what the app declares, see `trans describe APP`; else a target folder; a command stands behind `--`",
    )
    add("-m", "--message", metavar="JSON", help="the first message; @FILE reads it (@-: stdin); FILE becomes its `payload`")
    add("--set", metavar="NODE.SETTING=VALUE", action="append", default=[], help="override a setting; may be repeated")
    add("--target", metavar="DIR", type=target_of, help="work in a folder, with the settings of its tt.ttl")
    add("--profile", metavar="NAME", help="the buffer settings of configs/profiles/NAME.ttl")
    add("-o", "--output", metavar="DIR", type=folder, help="where relative outputs go")
    add("--force", action="store_true", help="write into a folder that holds other files")
    add("--dry-run", action="store_true", help="show what would be done, and do nothing")
    add("--watch", action="store_true", help="run again whenever the app, its templates or its inputs change")
    add("--compat", action="store_true", help="read configs as leniently as the original, with warnings")
    add("--workers", metavar="N", type=_processes, help="how many processes every :Workers is; 1 is this process alone")
    add("--timeout", metavar="SECONDS", type=seconds, help="stop a run that takes longer, with exit code 124")
    _add_output_arguments(parser)


def folder(word: str) -> str:
    """Return a word that can name a folder: the value of a variable that is not set would mean another one."""
    from argparse import ArgumentTypeError

    if not word:
        raise ArgumentTypeError("an empty word names no folder")
    return word


def seconds(word: str) -> float:
    """Return the seconds a word of the command line says."""
    from argparse import ArgumentTypeError

    with contextlib.suppress(ValueError):
        number = float(word)
        if number > 0:
            return number
    raise ArgumentTypeError(f"'{word}' is no number of seconds above 0")


def _processes(word: str) -> int:
    from argparse import ArgumentTypeError

    from transmissions.plan import MOST_PROCESSES

    if word.isascii() and word.isdigit() and 1 <= int(word) <= MOST_PROCESSES:
        return int(word)
    raise ArgumentTypeError(f"'{word}' is no number of processes from 1 to {MOST_PROCESSES}")


def _add_output_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--json", action="store_true", help="print the messages that leave the last node, one line of JSON each")
    add(
        "--tap",
        metavar="NODE[:N]",
        action="append",
        default=[],
        help="show the first N (default 10) messages that leave a node",
    )
    add("--metrics", metavar="WHERE", action="append", default=[], help="report metrics: FILE, -, or prometheus:FILE")
    add("--log-format", choices=("text", "json"), default="text", help="how log lines on stderr look")
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    volume.add_argument(
        "-v", "--verbose", action="store_true", help="say more: where the plan comes from, debugging logs, tracebacks"
    )


def call(options: Namespace) -> int:
    """Find the app, check it, and run it as the options say."""
    from transmissions.homes import find_app

    try:
        app = find_app(options.app)
    except UsageError as error:
        raise UsageError(f"{error}{_nearest_command(options)}") from error
    if options.watch:
        from transmissions.watch import keep_running

        return keep_running(app, options, lambda: _guarded(app, options), lambda: _made_from(app, options))
    return run_once(app, options)


def _made_from(app: App, options: Namespace) -> list[Path]:
    try:
        return [Path(name) for name in prepare_for(app, options)[0].inputs]
    except TransmissionsError:  # which the run has told
        return []


def _guarded(app: App, options: Namespace) -> int:
    from transmissions.cli import guarded

    return guarded(lambda: run_once(app, options), verbose=options.verbose)


def run_once(app: App, options: Namespace, opened: Callable[[Run], None] = lambda _: None) -> int:
    """Check the app and run it once; return the exit code. `opened` gets the run before it begins."""
    prepared, target, words = prepare_for(app, options)
    _set_up_log(prepared, options)
    _say_where_from(prepared, options)
    import_asyncio()
    from transmissions.session import Session

    session = Session(app, prepared.plan, target, words, options)
    opened(session.opened)
    if not options.dry_run:
        return session.run()
    from transmissions.dryrun import describe

    print(*describe(session.opened, refuses=session.is_marked and not options.force), sep="\n")
    return OK


def prepare_for(app: App, options: Namespace) -> tuple[Prepared, Path | None, list[str]]:
    """Return the plan, the target folder and the words that are left for the app's arguments.

    Only the plan says whether an app declares arguments. If it declares none, the one word is its target, and the plan is
    made again with the target's settings. An app may even be without errors only with a target.
    """
    words, target = list(options.words), options.target
    try:
        prepared = _prepare(app, target, options)
    except ConfigError:
        if target or len(words) != 1 or not Path(words[0]).is_dir():
            raise
        return _prepare(app, target_of(words[0]), options), target_of(words[0]), []
    if words and not target and not prepared.plan.arguments:
        target = target_of(words.pop(0))
        prepared = _prepare(app, target, options)
    return prepared, target, words


def target_of(word: str) -> Path:
    """Return the folder a run is to work in.

    Raises:
        UsageError: there is no such folder.

    """
    if not word or not Path(word).is_dir():
        raise UsageError(f"no folder '{word}' to work in")
    return Path(word).absolute()


def _prepare(app: App, target: Path | None, options: Namespace) -> Prepared:
    from transmissions.prepare import prepare

    return prepare(app, target=target, overrides=options.set, profile=options.profile, compat=options.compat, apart=True)


def _set_up_log(prepared: Prepared, options: Namespace) -> None:
    import logging

    from transmissions import logs

    level = logging.DEBUG if options.verbose else logging.ERROR if options.quiet else logging.INFO
    logs.set_up(sys.stderr, options.log_format, level, logs.secrets_of(prepared.plan))


def _say_where_from(prepared: Prepared, options: Namespace) -> None:
    if options.verbose:
        from transmissions.logs import tell

        tell("plan: cached" if prepared.cached else f"plan: validated ({prepared.why})")
    worth_saying = [problem for problem in prepared.problems if options.verbose or problem.severity != "note"]
    if worth_saying and not options.quiet:
        from transmissions.cli import print_problems

        print_problems(worth_saying)


def _nearest_command(options: Any) -> str:
    """Return a hint where a bare word may have been meant as a command."""
    from transmissions.cli import COMMANDS
    from transmissions.near import nearest

    near = nearest(options.app, COMMANDS) if options.implied else ""
    return f"; did you mean the command '{near}'?" if near else ""
