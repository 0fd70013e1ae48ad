"""Load on a server: many clients that begin runs and read them to the end, one run after the other.

A client counts events and bytes, and looks into few of them, so that it is not what is measured. Latency is the time from an
event's `timestamp` to its arrival, of the last event of each piece that comes; it needs the clocks of both sides to agree, so
it means most on one machine, and is not measured where events have none. This module needs aiohttp.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aiohttp

from transmissions.errors import describe

from .answers import CLOSING, check, check_stream, redirects_refused
from .errors import StreamError
from .options import Options
from .wire import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST: Final = {"ndjson": "stream", "sse": "sse", "websocket": "ws"}
"""What the path of an app ends in."""
_ACCEPTS: Final = {"ndjson": "application/x-ndjson", "sse": "text/event-stream"}
_TIMESTAMP: Final = re.compile(rb'"timestamp": ?"([^"]{20,32})"')
_SAMPLES: Final = 200_000
_END: Final = '"summary"'
_LOOKED_AT: Final = 1 << 16
"""Bytes at the beginning and the end of a stream in which its first event and its last are looked for."""
_BEGINNING: Final = re.compile(rb'"event": ?"metadata"')
_WELL: Final = {"complete", "partial"}


class Load(NamedTuple):
    """What load, and where."""

    url: str
    protocol: str
    message: Mapping[str, Any]
    token: str | None
    clients: int
    rate: float | None
    """Clients that begin in a second."""
    duration: float
    """Seconds, at most."""
    runs: int | None
    """Of each client; None is as many as there is time for."""


class Figures:
    """What all clients saw."""

    def __init__(self) -> None:
        self.events = self.bytes = self.runs = self.unfinished = 0
        self.seconds = 0.0
        self.first: list[float] = []
        self.latency: list[float] = []
        self.reasons: Counter[str] = Counter()
        self._seen = 0

    def piece(self, data: bytes, events: int) -> None:
        """Count what came at once."""
        self.events += events
        self.bytes += len(data)
        if events:
            self._seen += 1
            self._sample(data)

    def _sample(self, data: bytes) -> None:
        # Each piece has the same chance to be among so many, or the end of a long load would count for nothing.
        place = len(self.latency) if len(self.latency) < _SAMPLES else random.randrange(self._seen)  # noqa: S311
        if place < _SAMPLES and (delay := _age(data)) is not None:
            self.latency[place : place + 1] = [delay]


async def generate(load: Load, figures: Figures) -> None:
    """Put a load on a server; the figures have what was measured until it is cancelled, too."""
    began = time.monotonic()
    headers = Options(token=load.token).headers()
    limits = aiohttp.ClientTimeout(total=None, sock_connect=30)
    connector = aiohttp.TCPConnector(limit=0)
    tracing = [redirects_refused()]  # The load is for this server, and may be for no other.
    try:
        async with aiohttp.ClientSession(
            connector=connector, timeout=limits, headers=headers, trace_configs=tracing
        ) as session:
            work = [_Client(session, load, figures, number).work() for number in range(load.clients)]
            await asyncio.gather(*work)
    finally:
        figures.seconds = time.monotonic() - began


class _Client:
    """One of many."""

    def __init__(self, session: aiohttp.ClientSession, load: Load, figures: Figures, number: int) -> None:
        self._session = session
        self._load = load
        self._figures = figures
        self._number = number

    async def work(self) -> None:
        """Make one run after the other until the time is over."""
        load = self._load
        until = asyncio.get_running_loop().time() + load.duration
        if load.rate:
            await asyncio.sleep(min(self._number / load.rate, load.duration))
        done = 0
        while load.runs is None or done < load.runs:
            done += 1
            if not await self._run_until(until):
                return

    async def _run_until(self, until: float) -> bool:
        """Make one run; say whether there is time for another."""
        over = asyncio.timeout_at(until)
        try:
            async with over:
                await (self._socket() if self._load.protocol == "websocket" else self._http())
        except (aiohttp.ClientError, StreamError, OSError) as error:
            # TimeoutError is an OSError; ours is the end of the time, any other a failure.
            if over.expired():
                self._figures.unfinished += 1
                return False
            self._figures.reasons[describe(error)[:200]] += 1
            await asyncio.sleep(0.1)
            return True
        except asyncio.CancelledError:
            self._figures.unfinished += 1
            raise
        self._figures.runs += 1
        return True

    async def _http(self) -> None:
        load, began = self._load, time.monotonic()
        mark, rest = (b"\ndata:", b"\n") if load.protocol == "sse" else (b"\n", b"")
        headers = {"Accept": _ACCEPTS[load.protocol]}
        head = tail = b""
        async with self._session.post(load.url, json=load.message, headers=headers) as response:
            await check(response, Options())
            check_stream(response)
            async for chunk in response.content.iter_any():
                head = head or chunk[:_LOOKED_AT]
                tail = (tail + chunk)[-_LOOKED_AT:]
                self._began(began)
                began = 0.0
                # A mark may be cut in two: what its first part could be is looked at again with the next piece.
                self._figures.piece(chunk, (rest + chunk).count(mark))
                rest = (rest + chunk)[1 - len(mark) :] if len(mark) > 1 else b""
        if _BEGINNING.search(head):  # Without envelopes there is no summary.
            _check_end(_last(tail))

    async def _socket(self) -> None:
        load, began = self._load, time.monotonic()
        url = load.url.replace("http", "ws", 1)
        async with self._session.ws_connect(url, timeout=CLOSING, max_msg_size=LARGEST) as socket:
            await socket.send_str(json.dumps({"action": "run", "request_id": "1", "data": load.message}))
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                text: str = message.data
                if text.startswith('{"message_type": "welcome"'):
                    continue
                self._began(began)
                began = 0.0
                self._figures.piece(text.encode(), 1)
                if (summary := _summary_in(text)) is not None:
                    return _check_end(summary)
        raise aiohttp.ClientError("the socket was closed before the summary")

    def _began(self, began: float) -> None:
        if began:
            self._figures.first.append(time.monotonic() - began)


def _summary_in(text: str) -> dict[str, Any] | None:
    """Return the summary in a message of a WebSocket, or None if it is another event."""
    if _END not in text[:100]:
        return None
    message: dict[str, Any] = json.loads(text)
    if "summary" not in {message.get("message_type"), message.get("event")}:
        return None
    data = message.get("data")
    return {"event": "summary", **(data if isinstance(data, dict) else message)}


def _last(tail: bytes) -> Any:
    """Return the last event of a stream."""
    line = tail.rstrip().rpartition(b"\n")[2].removeprefix(b"data:")
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _check_end(event: Any) -> None:
    """Raise an error if the last event is no summary, or says that the run did not end well."""
    if not isinstance(event, dict) or event.get("event") != "summary":
        raise aiohttp.ClientError("the stream ended before its summary")
    if (status := event.get("status", "complete")) not in _WELL:
        raise aiohttp.ClientError(f"the run ended as '{status}'")


def _age(data: bytes) -> float | None:
    """Return how long ago the last event was made, in seconds."""
    found = data.rfind(b'"timestamp"')
    if found < 0 or not (match := _TIMESTAMP.match(data, found)):
        return None
    try:
        made = datetime.fromisoformat(match[1].decode())
    except ValueError:
        return None
    return max(0.0, time.time() - made.timestamp()) if made.tzinfo else None
