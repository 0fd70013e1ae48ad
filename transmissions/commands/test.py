"""`trans test`: run the golden tests beside apps."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from transmissions.cli import print_problems
from transmissions.errors import FAILED, OK, USAGE, ConfigError, RunError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from transmissions.golden import Golden, Outcome
    from transmissions.homes import App

HELP = "run the golden tests beside apps: test/NAME.in.json becomes test/NAME.out.json"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans test`."""
    parser.add_argument("apps", metavar="APP", nargs="*", help="apps; without any, those of ./apps, or else the bundled ones")
    parser.add_argument("--record", action="store_true", help="write what comes out as what is expected from now on")
    parser.add_argument("-v", "--verbose", action="store_true", help="say more where something fails")


def call(options: Namespace) -> int:
    """Run the tests and say of each whether it holds; the differences are on standard output."""
    from transmissions import logs
    from transmissions.commands.validate import all_apps
    from transmissions.golden import tests_of
    from transmissions.homes import find_app
    from transmissions.session import collect_garbage

    apps = [find_app(word) for word in options.apps] or all_apps()
    tests = [(app, test) for app in apps for test in tests_of(app)]
    for app in apps:
        if options.apps and not tests_of(app):
            raise UsageError(f"no tests in '{app.folder / 'test'}': a test is a message in test/NAME.in.json")
    if not tests:
        raise UsageError(f"none of {', '.join(app.name for app in apps)} has a test/NAME.in.json")
    collect_garbage()
    logs.set_up(sys.stderr, level=40)
    codes = [_code_of(app, test, options) for app, test in tests]
    failed, faulty = codes.count(FAILED), codes.count(USAGE)
    counts = [f"{number} {what}" for number, what in ((failed, "failed"), (faulty, "not run")) if number]
    print(", ".join([f"{len(tests)} test{'' if len(tests) == 1 else 's'}", *counts]) if counts else f"{len(tests)} ok")
    return max(codes)


def _code_of(app: App, test: Golden, options: Namespace) -> int:
    """Run a test, and return the exit code it would have alone: the others are run whatever is wrong with it."""
    from transmissions.failures import exit_code_of
    from transmissions.golden import outcome_of

    name = f"{app.name}/{test.name}"
    try:
        outcome = outcome_of(app, test)
    except ConfigError as error:
        print(f"{name}: not run", flush=True)
        print_problems(error.problems)
        return USAGE
    except (UsageError, RunError) as error:
        print(f"{name}: {'failed' if isinstance(error, RunError) else 'not run'}", flush=True)
        exit_code_of(error, verbose=options.verbose)
        return FAILED if isinstance(error, RunError) else USAGE
    if options.record:
        print(f"{name}: {_record(test, outcome)}")
        return OK
    lines = _differences(test, outcome)
    print(f"{name}: {'differs' if lines else 'ok'}", *lines, sep="\n")
    return FAILED if lines else OK


def _differences(test: Golden, outcome: Outcome) -> list[str]:
    from transmissions.golden import files_in
    from transmissions.golden_values import differences, file_differences

    path, folder = test.file(".out.json"), test.file(".out")
    if not path.exists():
        return [f"there is no {path.name} to compare with; `trans test --record` writes it"]
    lines = differences(_expected(test), outcome.messages, path.name)
    return lines + (file_differences(files_in(folder), outcome.files, folder.name) if folder.is_dir() else [])


def _expected(test: Golden) -> Any:
    from transmissions.json_text import read_json

    path = test.file(".out.json")
    return read_json(path) if path.exists() else None


def _record(test: Golden, outcome: Outcome) -> str:
    """Write the expected messages and files of a test, and say whether that changed them."""
    from transmissions.golden import files_in
    from transmissions.golden_values import recorded, recorded_file
    from transmissions.whole import write_whole

    path, folder = test.file(".out.json"), test.file(".out")
    changed = not path.exists() or bool(_differences(test, outcome)) or bool(outcome.files and not folder.exists())
    messages = recorded(_expected(test), outcome.messages)
    write_whole(path, (json.dumps(messages, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "backslashreplace"))
    old = files_in(folder) if folder.is_dir() else {}
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in outcome.files.items():
        write_whole(folder / name, recorded_file(old.get(name), data))
    return "recorded" if changed else "as it was"
