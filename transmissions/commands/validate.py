"""`trans validate`: every fault of an app, or of a single Turtle file, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transmissions.cli import print_problems
from transmissions.errors import OK, USAGE, ConfigError, UsageError
from transmissions.homes import App, apps, find_app

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from transmissions.problem import Problem

HELP = "check apps and Turtle files, and say everything that is wrong with them"

_APP_FILES = ("transmissions.ttl", "config.ttl", "shapes.ttl")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans validate`."""
    from transmissions.commands.run import target_of

    what = "an app's name or folder, or a Turtle file; without any, every app of ./apps, or else every bundled one"
    parser.add_argument("what", metavar="APP|FILE", nargs="*", help=what)
    parser.add_argument("--format", choices=("text", "json", "sarif", "github"), default="text")
    parser.add_argument("--target", metavar="DIR", type=target_of, help="a folder with tt.ttl")
    parser.add_argument("--set", metavar="NODE.SETTING=VALUE", action="append", default=[], dest="overrides")
    parser.add_argument("--profile", metavar="NAME", help="the settings of configs/profiles/NAME.ttl")
    parser.add_argument("--compat", action="store_true", help="only warn about what the original let pass")


def call(options: Namespace) -> int:
    """Check, print the problems, and a line for each thing checked."""
    problems: list[Problem] = []
    lines: list[str] = []
    for thing in _things(options.what):
        found, good = _check_app(thing, options) if isinstance(thing, App) else _check_file(thing)
        problems += found
        lines.append(f"{_name(thing)}: {_verdict(found, good)}")
    _print(problems, lines, options.format)
    return USAGE if any(problem.is_error for problem in problems) else OK


def _things(words: Sequence[str]) -> list[App | Path]:
    if not words:
        return list(all_apps())
    return [_thing(word) for word in words]


def all_apps() -> list[App]:
    """Return the apps meant where none is named: those of ./apps, or else the bundled ones."""
    known = apps()
    here = Path.cwd() / "apps"
    return [app for app in known if app.folder.parent == here] or [app for app in known if app.home.kind == "bundled"]


def _thing(word: str) -> App | Path:
    path = Path(word)
    if path.suffix != ".ttl" or path.is_dir():
        return find_app(word)
    if not path.exists():
        raise UsageError(f"{word} does not exist")
    is_part = path.name in _APP_FILES and (path.parent / _APP_FILES[0]).exists()
    return find_app(str(path.parent.absolute())) if is_part else path


def _check_app(app: App, options: Namespace) -> tuple[list[Problem], str]:
    from transmissions.validate import check

    plan, problems = check(
        app, target=options.target, overrides=options.overrides, profile=options.profile, compat=options.compat
    )
    if plan and app.subtask:
        from transmissions.engine import only

        plan = only(plan, app.subtask)
    nodes = sum(1 for _ in plan.nodes()) if plan else 0
    return problems, f"{nodes} node{'' if nodes == 1 else 's'}"


def _check_file(path: Path) -> tuple[list[Problem], str]:
    from transmissions import turtle

    try:
        turtle.check_syntax(turtle.read(path))
    except ConfigError as error:
        return list(error.problems), ""
    return [], "Turtle"


def _name(thing: App | Path) -> str:
    folder = thing.folder if isinstance(thing, App) else thing
    return str(folder.relative_to(Path.cwd())) if folder.is_relative_to(Path.cwd()) else str(folder)


def _verdict(problems: Sequence[Problem], good: str) -> str:
    counts = {severity: sum(p.severity == severity for p in problems) for severity in ("error", "warning", "note")}
    told = [f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts.items() if count]
    return ", ".join(told) if counts["error"] else ", ".join(["ok", good, *told])


def _print(problems: Sequence[Problem], lines: Sequence[str], form: str) -> None:
    """Print the problems: as text beside the result lines on stderr, in the other forms as the data they are."""
    if form == "text":
        if problems:
            print_problems(problems)
        print(*lines, sep="\n")
    else:
        from transmissions import formats

        text = {"json": formats.to_json, "sarif": formats.to_sarif, "github": formats.to_github}[form](problems)
        print(text, end="\n" if text else "")
