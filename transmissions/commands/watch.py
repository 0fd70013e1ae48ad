"""`trans watch`: apps run when files change."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from transmissions.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from transmissions.watch_sets import WatchSet

HELP = "run apps whenever files change"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans watch`."""
    from transmissions.commands.run import folder
    from transmissions.commands.serve import count

    add = parser.add_argument
    add("what", metavar="APP|FILE", help="an app, or a JSON file that says which apps run for which folders")
    add("folders", metavar="DIR", nargs="*", default=[], help="what is watched (default: the app's data/)")
    add("--debounce", metavar="MS", type=count, default=1000, help="how long nothing must change first (default: 1000)")
    add("--set", metavar="NODE.SETTING=VALUE", action="append", default=[], help="override a setting; may be repeated")
    add("--profile", metavar="NAME", help="the buffer settings of configs/profiles/NAME.ttl")
    add("-o", "--output", metavar="DIR", type=folder, help="where relative outputs go")
    add("--force", action="store_true", help="write into a folder that holds other files")
    add("--compat", action="store_true", help="read configs as leniently as the original, with warnings")
    add("--json", action="store_true", help="print the messages that leave the last node, one line of JSON each")
    add("--log-format", choices=("text", "json"), default="text", help="how log lines on stderr look")
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="say nothing of a run but errors")
    volume.add_argument("-v", "--verbose", action="store_true", help="say more: debugging logs, tracebacks")


def call(options: Namespace) -> int:
    """Find out what to watch, check the apps, and watch until a signal comes."""
    from transmissions import logs
    from transmissions.extras import require

    require("watch", "trans watch")
    from transmissions.watching import Watching

    sets = _sets(options)
    logs.set_up(sys.stderr, options.log_format)
    watching = Watching(sets, options)
    watching.check()
    return watching.run()


def _sets(options: Namespace) -> list[WatchSet]:
    from transmissions.homes import find_app
    from transmissions.watch_sets import of_app, read_config

    path = Path(options.what)
    if path.suffix == ".json" and not path.is_dir():
        if options.folders:
            raise UsageError(f"{path} says which folders to watch; '{options.folders[0]}' is one too many")
        return read_config(path)
    app = find_app(options.what)
    data = app.folder / "data"
    return [of_app(options.what, [Path(one) for one in options.folders], data if data.is_dir() else app.folder)]
