"""`trans new`: a small app or processor to start from, which runs and passes its own test as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transmissions.errors import OK, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

HELP = "make a small app or processor to start from"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans new`."""
    parser.add_argument("what", metavar="app|processor", choices=("app", "processor"), help="what to make")
    parser.add_argument("name", metavar="NAME", help="its name; a processor's class is named after it")


def call(options: Namespace) -> int:
    """Write the files into the working directory and say which they are."""
    from transmissions.scaffold import lay_out, names_for

    names = names_for(options.name)
    if options.what == "app":
        _refuse_taken(options.name)
    else:
        _refuse_meaningful(names)
    for path in lay_out(options.what, Path(), names):
        print(path)
    print(f"\n{_next_step(options.what, names)}")
    return OK


def _refuse_taken(name: str) -> None:
    from transmissions.homes import apps

    for app in apps():
        if app.name == name:
            raise UsageError(f"there is an app '{name}' already, in {app.folder}; by name, neither could be run")


def _refuse_meaningful(names: dict[str, str]) -> None:
    from transmissions.commands.describe import registry_here
    from transmissions.scaffold import is_word

    name = names["class"]
    if is_word(names):
        raise UsageError(f"'{name}' is a word of Python or of the vocabulary; a processor needs a name of its own")
    if name in registry_here().names() and not Path("processors", f"{names['module']}.py").exists():
        raise UsageError(f"there is a processor '{name}' already (`trans describe {name}`); apps could use neither")


def _next_step(what: str, names: dict[str, str]) -> str:
    if what == "app":
        return f"try: trans run {names['name']}; its golden test in apps/{names['name']}/test: trans test {names['name']}"
    used = f'[ a :{names["class"]} ; :field "content" ]'
    return f"use it in a pipe of ./apps: {used}; its test: pytest tests/test_processor_{names['module']}.py"
