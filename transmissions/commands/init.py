"""`trans init`: a folder in which apps and processors of one's own are found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transmissions.errors import OK, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

HELP = "make a home: a folder for apps and processors of your own"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans init`."""
    parser.add_argument("folder", metavar="FOLDER", nargs="?", default=".", help="where (default: here)")


def call(options: Namespace) -> int:
    """Make what is missing of a home; what is there stays as it is."""
    from transmissions.scaffold import lay_out, make_folder

    home = Path(options.folder)
    if home.exists() and not home.is_dir():
        raise UsageError(f"'{home}' is a file; a home is a folder")
    for name in ("apps", "processors", "configs"):
        make_folder(home / name)
    if not (home / "README.md").exists():
        lay_out("home", home, {"name": home.resolve().name, "module": ""})
    print(f"{home} is a home; start with: trans new app greetings")
    return OK
