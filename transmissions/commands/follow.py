"""`trans follow`: a run at a server, printed while it runs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from transmissions.errors import FAILED, INCOMPLETE, OK, TransmissionsError, UsageError
from transmissions.signals import watched

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Awaitable

    from transmissions.client import Refused, Stream, StreamClient, Summary
    from transmissions.client.printing import Lines

HELP = "print a run of a server while it runs"
_RUN: Final = re.compile(r"/runs/([^/]+)(?:/stream)?/?")
_APP: Final = re.compile(r"/apps/([^/]+)(?:/(?P<last>stream|sse|ws))?/?")
_ENDPOINT: Final = re.compile(r"(/.+)/(?:stream|sse|ws)/?")
_PROTOCOLS: Final = ("ndjson", "sse", "websocket")
_ALIASES: Final = {"stream": "ndjson", "nd-json": "ndjson", "jsonl": "ndjson", "event-stream": "sse", "ws": "websocket"}
_CODES: Final = {"complete": OK, "partial": INCOMPLETE}
_NO_TOKEN: Final = 401
_USAGE: Final = {400, _NO_TOKEN}
T = TypeVar("T")


class Left(Exception):
    """A signal came; `code` is what to exit with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `trans follow`."""
    add = parser.add_argument
    add("url", metavar="URL", help="a run (…/runs/ID), or what is to be run: an app (…/apps/NAME), an endpoint (…/stream)")
    add("-m", "--message", metavar="JSON", default="{}", help="the first message, if one is begun")
    add("--since", metavar="N", type=_number, default=0, help="go on behind event N of a run")
    add("--json", action="store_true", help="print events as NDJSON on a terminal, too")
    add("--results", action="store_true", help="print results alone, without what is around them")
    add_connection(parser)


def add_connection(parser: ArgumentParser) -> None:
    """Declare what says how to speak to a server."""
    add = parser.add_argument
    add("--protocol", type=protocol_named, choices=_PROTOCOLS, help="how to speak to it (default: as the URL says, or NDJSON)")
    add("--token-file", metavar="FILE", help="holds the token; without it $TRANS_TOKEN")


def _number(word: str) -> int:
    from argparse import ArgumentTypeError

    if word.isascii() and word.isdigit():
        return int(word)
    raise ArgumentTypeError(f"'{word}' is no number of an event")


def call(options: Namespace) -> int:
    """Print the events, and return what became of the run."""
    from transmissions.extras import require

    require("client", "trans follow")
    from transmissions.client import Disconnected, Refused
    from transmissions.client.printing import Lines, Terminal

    is_for_people = sys.stdout.isatty() and not (options.json or options.results)
    show = Terminal() if is_for_people else Lines(results=options.results)
    try:
        summary = until_left(_follow(options, show))
    except Left as left:
        print(f"left the run; `trans follow {show.where(options.url)}` goes on", file=sys.stderr)
        return left.code
    except Refused as refused:
        raise _of_usage(refused) from refused
    except Disconnected as error:
        if not show.run:
            raise
        raise Disconnected(f"{error}; `trans follow {show.where(options.url)}` goes on") from error
    return code_of(summary)


def until_left(work: Awaitable[T]) -> T:
    """Do some work; the first signal cancels it, and the second does not wait for that.

    Raises:
        Left: one came.

    """
    return asyncio.run(_heeding(work))


async def _heeding(work: Awaitable[T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    with watched(lambda: loop.call_soon_threadsafe(task.cancel), speaks=False) as stop:
        try:
            return await task
        except asyncio.CancelledError:
            if not stop.exit_code:
                raise
            raise Left(stop.exit_code) from None


def _of_usage(refused: Refused) -> TransmissionsError:
    """Return what a refusal means here: a request that cannot be taken is one of usage, for nothing was run."""
    if refused.status not in _USAGE:
        return refused
    hint = "; give the token by --token-file or $TRANS_TOKEN" if refused.status == _NO_TOKEN else ""
    return UsageError(f"{refused}{hint}")


def code_of(summary: Summary | None) -> int:
    """Return the exit code of a run; one that sends bare records has no summary."""
    if summary is None:
        return OK
    code = _CODES.get(summary.status, FAILED)
    return INCOMPLETE if code == OK and summary.failed else code


def token_of(options: Namespace) -> str | None:
    """Return the token a server asks for."""
    if not options.token_file:
        return os.environ.get("TRANS_TOKEN", "").strip() or None
    try:
        return Path(options.token_file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read '{options.token_file}': {getattr(error, 'strerror', None) or error}") from error


def message_of(options: Namespace) -> dict[str, Any]:
    """Return the first message.

    Raises:
        UsageError: it is no JSON object.

    """
    try:
        message = json.loads(options.message)
    except ValueError as error:
        raise UsageError(f"--message is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise UsageError("--message is a JSON object")
    return message


async def _follow(options: Namespace, show: Lines) -> Summary | None:
    from transmissions.client import StreamClient

    root, path = split(options.url)
    protocol = options.protocol or protocol_in(path)
    async with (
        StreamClient(root, token=token_of(options), protocol=protocol) as client,
        _opened(client, path, options) as stream,
    ):
        try:
            async for event in stream:
                show.root, show.run, show.last = root, stream.request_id, stream.last
                show.event(event)
        finally:
            show.end()
        return stream.summary


def _opened(client: StreamClient, path: str, options: Namespace) -> Stream:
    if found := _RUN.fullmatch(path):
        return client.follow(unquote(found[1]), options.since)
    if found := _APP.fullmatch(path):
        return client.stream(unquote(found[1]), message_of(options))
    if found := _ENDPOINT.fullmatch(path):
        return client.stream_at(found[1], message_of(options))
    raise UsageError(f"'{options.url}' is neither a run (…/runs/ID) nor an app (…/apps/NAME), nor an endpoint (…/stream)")


def split(url: str) -> tuple[str, str]:
    """Return where a server is, and the path at it.

    Raises:
        UsageError: it is no URL of a server.

    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    if scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"'{url}' is no URL of a server")
    cut = max(parts.path.rfind("/runs/"), parts.path.rfind("/apps/"))
    prefix, path = (parts.path[:cut], parts.path[cut:]) if cut >= 0 else ("", parts.path)
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{prefix}", path


def protocol_in(path: str) -> str:
    """Return the protocol that the end of a path stands for."""
    named = protocol_named(path.rstrip("/").rpartition("/")[2])
    return named if named in _PROTOCOLS else "ndjson"


def protocol_named(word: str) -> str:
    """Return a protocol by the name it has here, for one of those it has elsewhere."""
    return _ALIASES.get(word.lower(), word.lower())
