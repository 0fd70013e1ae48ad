"""`trans retry`: what a run set aside is tried again, each message at the step where it failed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transmissions.errors import INCOMPLETE, OK, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from transmissions.homes import App
    from transmissions.letters import Letter, LetterFile
    from transmissions.plan import Plan
    from transmissions.retrial import Entrance, Retrial

HELP = "try dead letters again"
_SHOWN: Final = 100


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans retry`."""
    from transmissions.commands.run import folder, target_of

    add = parser.add_argument
    add("file", metavar="FILE", help="a file of dead letters; those that are done are taken out of it")
    add("--app", metavar="APP", help="the app they are from, where no run has left its record beside the file")
    add("--set", metavar="NODE.SETTING=VALUE", action="append", default=[], help="override a setting; may be repeated")
    add("--target", metavar="DIR", type=target_of, help="the folder to work in, if not that of the run")
    add("-o", "--output", metavar="DIR", type=folder, help="where relative outputs go, if not beside the file")
    add("--dry-run", action="store_true", help="list what would be tried again, and do nothing")
    add("--log-format", choices=("text", "json"), default="text", help="how log lines on stderr look")
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    volume.add_argument("-v", "--verbose", action="store_true", help="say more: debugging logs, tracebacks")


def call(options: Namespace) -> int:
    """Find out where the letters are from, and try them again there."""
    from transmissions.letters import LetterFile

    path = Path(options.file).absolute()
    options.output = Path(options.output).absolute() if options.output else path.parent
    file = LetterFile(path)
    record = _record_for(path, options)
    with _in_its_folder(record):
        plan, folders = _prepare(record, options)
        return _retry(file, plan, folders, record, options)


def _record_for(path: Path, options: Namespace) -> dict[str, Any]:
    """Return what is known of the run the letters are from."""
    from transmissions.homes import find_app
    from transmissions.record import read_record

    if options.app:
        app = find_app(options.app)
        return {"folder": str(app.folder.absolute()), "subtask": app.subtask}
    record = read_record(options.output) or read_record(path.parent)
    if record is None:
        raise UsageError(f"nothing beside '{path}' says which run it is from; name the app with --app")
    missing = [name for name in record.get("withheld", ()) if not any(given.startswith(f"{name}=") for given in options.set)]
    if missing:
        raise UsageError(f"the run was given {', '.join(missing)}, which is not kept anywhere; give it again with --set")
    return record


@contextlib.contextmanager
def _in_its_folder(record: dict[str, Any]) -> Iterator[None]:
    """Work where the run worked, if that is still there: names in its settings may be relative."""
    there = record.get("cwd")
    with contextlib.chdir(there) if there and Path(there).is_dir() else contextlib.nullcontext():
        yield


def _prepare(record: dict[str, Any], options: Namespace) -> tuple[Plan, Any]:
    from transmissions import logs
    from transmissions.context import Folders
    from transmissions.engine import only
    from transmissions.prepare import prepare

    app = _app_of(record)
    target = options.target or (Path(record["target"]) if record.get("target") else None)
    overrides = [*record.get("set", ()), *options.set]
    compat = bool(record.get("compat"))
    prepared = prepare(app, target=target, overrides=overrides, profile=record.get("profile"), compat=compat, apart=True)
    plan = only(prepared.plan, app.subtask) if app.subtask else prepared.plan
    level = 10 if options.verbose else 40 if options.quiet else 20
    logs.set_up(sys.stderr, options.log_format, level, logs.secrets_of(plan))
    roots = tuple(Path(root) for root in record.get("roots", ()))
    folder = Path(plan.folder)
    return plan, Folders(folder, target or folder / "data", options.output, target, roots, again=True)


def _app_of(record: dict[str, Any]) -> App:
    from transmissions.homes import find_app

    app = find_app(record["folder"])
    return app._replace(subtask=record.get("subtask"))


def _retry(file: LetterFile, plan: Plan, folders: Any, record: dict[str, Any], options: Namespace) -> int:
    from transmissions.engine import load
    from transmissions.retrial import Retrial, sort_out

    make = load(plan)
    entrances, left = sort_out(plan, file.letters)
    _say_what_is_special(file, entrances, left)
    if options.dry_run:
        print(*_foreseen(file, entrances), sep="\n")
        return INCOMPLETE if left else OK
    retrial = Retrial(plan, entrances, file, folders, make)
    code = _run(retrial, file, record, options) if entrances else OK
    if not options.quiet:
        _say_what_became(retrial, left)
    remains = left or any(retrial.outcomes.values()) or retrial.state.skipped
    return code or (INCOMPLETE if remains else OK)


def _run(retrial: Retrial, file: LetterFile, record: dict[str, Any], options: Namespace) -> int:
    """Run to the end; whatever that is, the file then holds what is not done."""
    from transmissions import __version__, logs, outputs, signals
    from transmissions.session import collect_garbage

    logs.clean_with(retrial.state.clean)
    collect_garbage()
    is_ours = (options.output / outputs.MARKER).is_file() or not options.output.exists()
    app = retrial.plan.app
    marker = outputs.marked(options.output, app, __version__, record) if is_ours else contextlib.nullcontext()
    with (
        signals.watched(retrial.drain, retrial.state.kill, as_json=options.log_format == "json") as stop,
        marker as lock,
    ):
        retrial.state.descriptors = () if lock is None else (lock,)
        try:
            asyncio.run(_to_the_end(retrial))
        finally:
            file.replace(retrial.outcomes)
    return stop.exit_code


async def _to_the_end(retrial: Retrial) -> None:
    async with retrial:
        await retrial.wait()


def _say_what_is_special(file: LetterFile, entrances: list[Entrance], left: list[tuple[Letter, str]]) -> None:
    from transmissions.logs import tell

    name = os.path.relpath(file.path)
    for letter, fault in left:
        tell(f"{name}:{letter.number}: {letter.node + ': ' if letter.node else ''}{fault}", 30)
    for entrance in entrances:
        for node in entrance.gathering():
            tell(f"{entrance.node.path}: what '{node}' makes of a whole group is not made again", 30)


def _foreseen(file: LetterFile, entrances: list[Entrance]) -> Iterator[str]:
    for entrance in entrances:
        for letter in entrance.letters:
            yield f"{os.path.relpath(file.path)}:{letter.number}: {entrance.node.path}  {letter.error[:_SHOWN]}"


def _say_what_became(retrial: Retrial, left: list[tuple[Letter, str]]) -> None:
    from transmissions.logs import tell

    again = sum(bool(lines) for lines in retrial.outcomes.values())
    tried = len(retrial.outcomes)
    parts = [f"{tried - again} done"]
    parts += [f"{again} set aside again"] if again else []
    stay = [f"{len(left)} cannot be tried"] if left else []
    untried = retrial.waiting - tried
    stay += [f"{untried} not tried"] if untried else []
    tell(f"retried {tried}: {', '.join(parts + stay)}", event="end", app=retrial.plan.app, done=tried - again, dead=again)
