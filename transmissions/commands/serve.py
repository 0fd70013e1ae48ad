"""`trans serve`: apps behind HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from transmissions.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from socket import socket

    from transmissions.api_runs import Limits, Served
    from transmissions.homes import App
    from transmissions.plan import Plan
    from transmissions.problem import Problem
    from transmissions.serving import Server

HELP = "run apps on request, behind HTTP"
_TOKEN = "TRANS_TOKEN"  # noqa: S105 - its name


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans serve`."""
    from transmissions.commands.run import target_of

    add = parser.add_argument
    add("apps", metavar="APP", nargs="*", default=[], help="what to serve; every app of ./apps, or else every bundled one")
    add("--api", action="store_true", help="serve POST /api/APP instead: the answer is the whole result, when it is there")
    add("--config", metavar="FILE", help="what is served, where and to whom, in Turtle; what is said here wins")
    add("--host", help="the address to listen at (default: 127.0.0.1, this machine alone)")
    add("--port", type=int, help="the port (default: 8080, with --api 4500); 0 takes a free one")
    add("--concurrent", metavar="N", type=count, help="how many requests may be at work at once (default: 64)")
    add("--timeout", metavar="SECONDS", type=_seconds, help="how long a request may take (default: 60)")
    add("-o", "--output", metavar="DIR", help="what holds the outputs (default: NAME-output of each app, here)")
    add("--check", action="store_true", help="ask every endpoint of the server once, say what it answers, and end")
    add("--in-place", action="store_true", help="write where `trans run` does, one request of an app at a time")
    _add_safety(parser)
    add("--target", metavar="DIR", type=target_of, help="a folder with tt.ttl, if it is one app that is served")
    add("--set", metavar="NODE.SETTING=VALUE", action="append", default=[], help="override a setting, if it is one app")
    add("--profile", metavar="NAME", help="the buffer settings of configs/profiles/NAME.ttl")
    add("--log-format", choices=("text", "json"), default="text", help="how log lines on stderr look")
    add("-v", "--verbose", action="store_true", help="say more: every request")


def _add_safety(parser: ArgumentParser) -> None:
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token-file", metavar="FILE", help=f"holds the token of clients; without it ${_TOKEN}, or a new one")
    token.add_argument("--no-token", action="store_true", help="let anybody on this machine in; on loopback only")
    parser.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[], help="a name clients may call this server by"
    )
    parser.add_argument(
        "--allow-origin", metavar="URL", action="append", default=[], help="where pages may come from that call this server"
    )


def _seconds(word: str) -> float:
    from transmissions.commands.run import seconds

    return seconds(word)


def count(word: str) -> int:
    """Return the number a word of the command line says."""
    from argparse import ArgumentTypeError

    if word.isascii() and word.isdigit() and int(word) >= 1:
        return int(word)
    raise ArgumentTypeError(f"'{word}' is no number from 1 on")


def call(options: Namespace) -> int:
    """Check the apps, and serve them until a signal comes."""
    from transmissions.extras import require

    require("server", "trans serve")
    from transmissions.server_settings import configure
    from transmissions.serving import listen

    configure(options)
    token = _token(options)
    served = served_apps(options)
    with contextlib.closing(listen(options.host, options.port)) as listener, contextlib.ExitStack() as marks:
        for one in served:
            mark(one, options, marks)
        token = _new_token() if token == "" else token
        return _serve(served, options, token, listener)


def _serve(served: list[Served], options: Namespace, token: str | None, listener: socket) -> int:
    from transmissions import logs, session
    from transmissions.api_runs import Limits, clean
    from transmissions.serving import url_of

    level = logging.DEBUG if options.verbose else logging.INFO
    logs.set_up(sys.stderr, options.log_format, level, [one for app in served for one in logs.secrets_of(app.plan)])
    logs.clean_with(clean)
    session.collect_garbage()
    limits = Limits(options.concurrent, options.timeout)
    server = _answering(served, limits, options, token) if options.api else _streaming(served, limits, options, token)
    if options.check:
        from transmissions.delivery.check import check

        return check(server, listener, url_of(listener), token, served, streams=not options.api)
    logs.tell(f"serving {', '.join(one.name for one in served)} at {url_of(listener)}; Ctrl-C ends it")
    return server.until_stopped(listener)


def _answering(served: list[Served], limits: Limits, options: Namespace, token: str | None) -> Server:
    from transmissions.api import API
    from transmissions.api_guard import Guard
    from transmissions.api_headers import with_headers
    from transmissions.api_rate import limited
    from transmissions.serving import Server

    api = API(served, limits)
    guard = Guard(api.application(), token=token, names=[options.host, *options.allow_host])
    app = with_headers(limited(guard, options.rate_limit), options.header)
    return Server(app, concurrent=limits.concurrent, timeout=limits.timeout, kill=api.kill)


def _streaming(served: list[Served], limits: Limits, options: Namespace, token: str | None) -> Server:
    from starlette.middleware.cors import CORSMiddleware

    from transmissions.api_guard import Guard
    from transmissions.api_headers import with_headers
    from transmissions.api_rate import limited
    from transmissions.delivery import cors
    from transmissions.delivery.buffer import BufferLimits
    from transmissions.delivery.connection import Pace
    from transmissions.delivery.hub import Caps
    from transmissions.delivery.replies import refused
    from transmissions.delivery.server import StreamServer
    from transmissions.serving import Server, SocketLimits

    most = limits.concurrent
    caps = Caps(most, options.per_client or most, options.sockets or most, options.memory)
    buffer = BufferLimits(
        initial=options.buffer_size, maximum=options.buffer_most, minimum=min(BufferLimits.minimum, options.buffer_size)
    )
    streams = StreamServer(served, pace=Pace(), caps=caps, timeout=limits.timeout, token=token, buffer=buffer)
    names, origins = [options.host, *options.allow_host], options.allow_origin
    guard = Guard(streams.application(), token=token, names=names, origins=origins, admits=streams.admits, refuse=refused)
    app = with_headers(limited(guard, options.rate_limit, refused), options.header)
    app = CORSMiddleware(app, allow_origins=origins, **cors.RULES) if origins else app
    sockets = SocketLimits(options.message_size, options.ping / 1000)
    return Server(app, concurrent=most, timeout=limits.timeout, kill=streams.kill, sockets=sockets, drain=streams.drain)


def _token(options: Namespace) -> str | None:
    """Return the token clients must know; it is empty if none is given, and None if none is needed."""
    from transmissions.serving import is_loopback

    # What the apps run must not find it in the environment.
    given = os.environ.pop(_TOKEN, "").strip()
    if options.no_token:
        if not is_loopback(options.host):
            raise UsageError(f"--no-token is for loopback addresses; '{options.host}' can be reached from elsewhere")
        return None
    return _read(options.token_file) if options.token_file else given


def _new_token() -> str:
    """Return one, and say it: only where there is something to serve."""
    token = secrets.token_urlsafe(32)
    print(f"token: {token}", file=sys.stderr)
    return token


def _read(name: str) -> str:
    try:
        token = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read '{name}': {getattr(error, 'strerror', None) or error}") from error
    if not token:
        raise UsageError(f"there is no token in '{name}'")
    return token


def served_apps(options: Namespace) -> list[Served]:
    """Return the apps to serve; all problems of all of them are found before any is served."""
    apps = _apps(options.apps)
    if len(apps) > 1 and (options.target or options.set):
        raise UsageError("--target and --set are for one app; name the one to serve")
    problems: list[Problem] = []
    served: list[Served] = []
    for name, app in apps.items():
        try:
            served.append(_prepared(name, app, options))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return served


def _apps(words: list[str]) -> dict[str, App]:
    from transmissions.commands.validate import all_apps
    from transmissions.homes import find_app

    if not words:
        return {app.name: app for app in all_apps()}
    found: dict[str, App] = {}
    for word in words:
        app = find_app(word)
        name = f"{app.name}.{app.subtask}" if app.subtask else app.name
        if name in found:
            raise UsageError(f"two apps would be served as '{name}': {found[name].folder} and {app.folder}")
        found[name] = app
    return found


def _prepared(name: str, app: App, options: Namespace) -> Served:
    from transmissions.api_runs import Served
    from transmissions.cli import print_problems
    from transmissions.engine import default_output, only
    from transmissions.homes import install_homes, load_class
    from transmissions.prepare import prepare

    prepared = prepare(app, target=options.target, overrides=options.set, profile=options.profile, apart=True)
    if warnings := [problem for problem in prepared.problems if problem.severity == "warning"]:
        print_problems(warnings)
    plan: Plan = only(prepared.plan, app.subtask) if app.subtask else prepared.plan
    install_homes(plan.homes)
    for node in plan.nodes():
        load_class(node.implementation)  # What cannot be imported is no matter for the first request.
    output = Path(options.output, name).absolute() if options.output else Path.cwd() / f"{name}-output"
    if options.in_place:
        output = output if options.output else default_output(app, options.target)[0]
    return Served(name, app, plan, options.target, output, asyncio.Lock() if options.in_place else None)


def mark(served: Served, options: Namespace, marks: contextlib.ExitStack) -> None:
    """Hold an output folder as a run does, unless it is the data folder of an app or a target."""
    from transmissions import __version__, outputs
    from transmissions.engine import default_output

    if options.in_place and not options.output and not default_output(served.app, served.target)[1]:
        return
    outputs.claim(served.output, force=False)
    marks.enter_context(outputs.marked(served.output, served.plan.app, __version__))
