"""What an endpoint answers while it is checked: the events of its run, and the reasons why it is not well."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

PATIENCE: Final = 20.0
"""Seconds for the first that comes."""
LOOK: Final = 3.0
"""Seconds for the rest: what goes on longer was looked at for long enough."""
ASKS: Final = ", it asks for another message"
_WELL: Final = {"complete", "partial"}


class Fault(Exception):
    """What is wrong with an answer."""


class Events:
    """What a run has told."""

    def __init__(self) -> None:
        self.count = 0
        self.is_over = False
        self._status: Any = None
        self._fault = ""

    def hear(self, event: Any) -> None:
        """Take an event."""
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            raise Fault("there is no event in what it sends")
        self.count += 1
        if event["event"] == "summary":
            self.is_over, self._status = True, event.get("status")
        if event["event"] == "error":
            self._fault = _message(event) or self._fault

    def told(self, *, goes_on: bool) -> str:
        """Return how the run ended, if that was well."""
        if self._status in _WELL:
            return f", {self._status}"
        if self.is_over:
            raise Fault(f"the run ended as '{self._status}'{self._fault and f': {self._fault}'}")
        if goes_on and self.count:
            return f", goes on after {self.count} events; cancelled"
        raise Fault("the stream ended before its summary")


class Answer:
    """An answer over HTTP."""

    def __init__(self, reply: http.client.HTTPResponse, connection: socket.socket) -> None:
        self.reply = reply
        self.goes_on = False
        """Whether it was left before its end."""
        self._connection = connection

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes, until there is no more or it was looked at for long enough."""
        if piece := self.reply.read1():
            yield piece
        self._connection.settimeout(LOOK)
        until = time.monotonic() + LOOK
        with contextlib.suppress(TimeoutError):
            while piece and time.monotonic() < until:
                if piece := self.reply.read1():
                    yield piece
        self.goes_on = bool(piece)
        if self.reply.length and not self.goes_on:
            raise http.client.IncompleteRead(b"")

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that come whole."""
        rest = b""
        for piece in self.pieces():
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        if rest and not self.goes_on:
            yield rest


def heard(socket: ClientConnection) -> str:
    """Return how a run on a socket ended, if that was well."""
    events, until = Events(), time.monotonic() + LOOK
    while not events.is_over and (time.monotonic() < until or not events.count):
        try:
            message = json.loads(socket.recv(timeout=LOOK if events.count else PATIENCE))
        except TimeoutError:
            if not events.count:
                raise
            break
        data = message.get("data") if isinstance(message, dict) else None
        if not isinstance(data, dict):
            raise Fault("there is no event in what it sends")
        if "event" in data:
            events.hear(data)
        elif message.get("message_type") == "error":
            return _refused(data)
        elif message.get("message_type") == "detached":
            raise Fault(f"the server sends no more: {data.get('reason')}")
    if not events.is_over:
        socket.send('{"action": "cancel", "request_id": "check"}')
    return events.told(goes_on=True)


def _refused(data: dict[str, Any]) -> str:
    told = data.get("error")
    if isinstance(told, dict) and told.get("error_code") == "REQUEST_INVALID":
        return ASKS
    raise Fault(_message(data) or "the run was refused")


def refusal(body: bytes) -> str:
    """Return the reason that an answer gives."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    return (_message(said) if isinstance(said, dict) else "") or "the server refused"


def _message(said: dict[str, Any]) -> str:
    """Return what an error says."""
    error = said.get("error")
    return str((error.get("message") if isinstance(error, dict) else error) or said.get("message") or "")
