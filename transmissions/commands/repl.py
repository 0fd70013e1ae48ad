"""`trans repl`: an app, run on every line one types or sends."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from transmissions.errors import OK

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

HELP = "run an app on every line: a JSON object is the message, any other line its content"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans repl`."""
    from transmissions.commands.run import folder, seconds, target_of

    add = parser.add_argument
    add("app", metavar="APP[.SUBTASK]", nargs="?", help="the app to begin with; /app takes another")
    add("words", metavar="ARGUMENT", nargs="*", default=[], help="what the app declares, as for `trans run`")
    add("--set", metavar="NODE.SETTING=VALUE", action="append", default=[], help="override a setting; may be repeated")
    add("--target", metavar="DIR", type=target_of, help="work in a folder, with the settings of its tt.ttl")
    add("--profile", metavar="NAME", help="the buffer settings of configs/profiles/NAME.ttl")
    add("-o", "--output", metavar="DIR", type=folder, help="where relative outputs go")
    add("--force", action="store_true", help="write into a folder that holds other files")
    add("--compat", action="store_true", help="read configs as leniently as the original, with warnings")
    add("--timeout", metavar="SECONDS", type=seconds, help="stop a run that takes longer")


def call(options: Namespace) -> int:
    """Read lines until they end; where nobody types them, a run that failed shows in the exit code."""
    from transmissions.repl import Repl, sent_lines, typed_lines
    from transmissions.session import collect_garbage

    collect_garbage()
    repl = Repl(options)
    if not sys.stdin.isatty():
        return repl.run(sent_lines())
    print(f"{options.app or 'no app yet'}; /help says more, Ctrl-D ends", file=sys.stderr)
    repl.run(typed_lines())
    return OK
