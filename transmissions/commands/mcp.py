"""`trans mcp`: apps as tools for language models."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from transmissions.commands.serve import count, mark, served_apps

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from transmissions.api_runs import Served

HELP = "offer apps as tools to language models, by the Model Context Protocol on stdin and stdout"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans mcp`."""
    from transmissions.commands.run import seconds, target_of

    add = parser.add_argument
    add("apps", metavar="APP", nargs="*", default=[], help="what is offered; every app of ./apps, or else every bundled one")
    add("--concurrent", metavar="N", type=count, default=8, help="how many calls may be at work at once (default: 8)")
    add("--timeout", metavar="SECONDS", type=seconds, default=300.0, help="how long a call may take (default: 300)")
    add("-o", "--output", metavar="DIR", help="what holds the outputs (default: NAME-output of each app, here)")
    add("--target", metavar="DIR", type=target_of, help="a folder with tt.ttl, if it is one app that is offered")
    add("--set", metavar="NODE.SETTING=VALUE", action="append", default=[], help="override a setting, if it is one app")
    add("--profile", metavar="NAME", help="the buffer settings of configs/profiles/NAME.ttl")
    add("--log-format", choices=("text", "json"), default="text", help="how log lines on stderr look")
    add("-v", "--verbose", action="store_true", help="say more")
    parser.set_defaults(in_place=False)


def call(options: Namespace) -> int:
    """Check the apps, and offer them until the client goes."""
    from transmissions.extras import require

    require("mcp", "trans mcp")
    served = served_apps(options)
    with contextlib.ExitStack() as marks:
        for one in served:
            mark(one, options, marks)
        return asyncio.run(_serve(options, served))


async def _serve(options: Namespace, served: list[Served]) -> int:
    from transmissions import logs, session
    from transmissions.api_runs import Limits, clean
    from transmissions.mcp_server import AppTools

    level = logging.DEBUG if options.verbose else logging.INFO
    logs.set_up(sys.stderr, options.log_format, level, [one for app in served for one in logs.secrets_of(app.plan)])
    logs.clean_with(clean)
    session.collect_garbage()
    return await AppTools(served, Limits(options.concurrent, options.timeout)).serve()
