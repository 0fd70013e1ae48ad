"""`trans follow`: a run at a server, printed while it runs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from transmissions.errors import FAILED, INCOMPLETE, INTERRUPTED, OK, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from transmissions.client import Event, Stream, StreamClient, Summary

HELP = "print a run of a server while it runs"
_RUN: Final = re.compile(r"/runs/([^/]+)(?:/stream)?/?")
_APP: Final = re.compile(r"/apps/([^/]+)(?:/(?P<last>stream|sse|ws))?/?")
_ENDPOINT: Final = re.compile(r"(/.+)/(?:stream|sse|ws)/?")
_PROTOCOLS: Final = ("ndjson", "sse", "websocket")
_ALIASES: Final = {"stream": "ndjson", "nd-json": "ndjson", "jsonl": "ndjson", "event-stream": "sse", "ws": "websocket"}
_CODES: Final = {"complete": OK, "partial": INCOMPLETE}
_BEYOND: Final = {"heartbeat", "system_status", "backpressure_warning", "progress"}
"""Events that stand on the line of a terminal, and not above it."""


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
    show = _Lines(options) if options.json or options.results or not sys.stdout.isatty() else _Terminal()
    try:
        summary = asyncio.run(_follow(options, show))
    except KeyboardInterrupt:
        print(f"left the run; `trans follow {show.where(options.url)}` goes on", file=sys.stderr)
        return INTERRUPTED
    return code_of(summary)


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


async def _follow(options: Namespace, show: _Lines | _Terminal) -> Summary | None:
    from transmissions.client import StreamClient

    root, path = split(options.url)
    protocol = options.protocol or protocol_in(path)
    async with (
        StreamClient(root, token=token_of(options), protocol=protocol) as client,
        _opened(client, path, options) as stream,
    ):
        async for event in stream:
            show.root, show.run, show.last = root, stream.request_id, stream.last
            show.event(event)
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


class _Lines:
    """Prints events as NDJSON."""

    root = run = ""
    last = 0

    def __init__(self, options: Namespace) -> None:
        self._results = options.results

    def event(self, event: Event) -> None:
        """Print one."""
        from transmissions.client import Record, Result

        if isinstance(event, Record) or not self._results:
            self._print(event.data)
        elif isinstance(event, Result):
            self._print(event.result)

    def end(self) -> None:
        """Nothing is left to print."""

    def where(self, url: str) -> str:
        """Return the words by which to go on."""
        return f"{self.root}/runs/{self.run} --since {self.last}" if self.run else url

    def _print(self, data: Any) -> None:
        sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
        sys.stdout.flush()


class _Terminal(_Lines):
    """Prints results and errors for people, with a line below them that says how far the run is."""

    def __init__(self) -> None:
        self._count = 0

    def event(self, event: Event) -> None:
        """Print one."""
        from transmissions.client import Result

        self._count += isinstance(event, Result)
        if event.name not in _BEYOND:
            self._write(_printable(_said(event)))
        total = event.data.get("total") if event.name == "progress" else None
        sys.stdout.write(f"\r\x1b[K{self._count}{f' of {total}' if total else ''} results")
        sys.stdout.flush()

    def end(self) -> None:
        """Take the line away."""
        self._write("")

    def _write(self, text: str) -> None:
        sys.stdout.write("\r\x1b[K" + (f"{text}\n" if text else ""))
        sys.stdout.flush()


def _said(event: Event) -> str:
    from transmissions import client

    if isinstance(event, client.Summary):
        return f"{event.status}: {event.successful} results, {event.failed} errors"
    if isinstance(event, client.Failure):
        return f"error: {event.url}: {event.message}" if event.url else f"error: {event.message}"
    if isinstance(event, client.Output):
        return event.text.rstrip("\n")
    if isinstance(event, client.Metadata):
        return f"run {event.request_id}"
    if isinstance(event, client.Reset):
        return f"events {event.since + 1} to {event.first - 1} are lost: the server has them no longer"
    data = event.result if isinstance(event, client.Result) else event.data
    return _said_of_page(event) or json.dumps(data, ensure_ascii=False, indent=None)


def _said_of_page(event: Event) -> str:
    """Return in one line what a crawl or a search tells, and nothing of anything else."""
    from transmissions import client

    if isinstance(event, client.SearchResults):
        return f"found {len(event.hits)} pages"
    if isinstance(event, client.SearchResult):
        return f"{event.hit.rank}. {event.hit.url}  {event.hit.title}"
    page = event.page if isinstance(event, client.Result) else None
    return f"{page.status} {page.url}  {page.document.title or ''}".rstrip() if page and page.document else ""


def _printable(text: str) -> str:
    """Return a text that can do nothing to a terminal but stand there."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)
