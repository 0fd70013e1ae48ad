"""`trans serve --check`: a server asked at each of its endpoints once, by a client of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from transmissions.endpoints import method_of, parameters_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

    from transmissions.api_runs import Served
    from transmissions.serving import Server

_PATIENCE: Final = 60.0
_ASKS: Final = "it asks for another message"
_PLAIN: Final = ("/healthz", "/health/streaming", "/apps", "/runs", "/metrics", "/openapi.json")


def check(server: Server, listener: socket.socket, url: str, token: str | None, apps: Sequence[Served]) -> int:
    """Serve, ask, and print what each endpoint answers; return the exit code.

    An app that needs a message to run on answers that it failed, or refuses; that it does, in events, is what is looked at.
    """
    finding = threading.Thread(target=server.until_asked_to_stop, args=(listener,), daemon=True)
    finding.start()
    asking = _Asking(url, token)
    for path in _PLAIN:
        asking.plain(path)
    for app in apps:
        asking.stream(f"/apps/{app.name}/stream", "application/x-ndjson")
        asking.stream(f"/apps/{app.name}/sse", "text/event-stream")
        asking.socket(f"/apps/{app.name}/ws")
        for endpoint in app.plan.endpoints:
            # What stands for anything is not guessed, and a socket without envelopes does not say when it is through.
            if not parameters_of(endpoint["path"]) and endpoint.get("protocol") != "websocket":
                asking.plain(endpoint["path"], method_of(endpoint), is_empty_well=True)
    server.should_exit = True
    finding.join(_PATIENCE)
    return 1 if asking.failed else 0


class _Asking:
    """Asks one endpoint after the other, and says what it finds."""

    def __init__(self, url: str, token: str | None) -> None:
        self.failed = 0
        self._address = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def plain(self, path: str, method: str = "GET", *, is_empty_well: bool = False) -> None:
        """Ask for an answer; one that breaks off is none."""
        with self._asked(method, path) as reply:
            try:
                is_well = bool(reply.read()) or is_empty_well
            except http.client.IncompleteRead:
                is_well = False
            self._say(f"{method} {path}", reply.status, is_well and reply.status in ({200, 400} if is_empty_well else {200}))

    def stream(self, path: str, media: str) -> None:
        """Ask for a stream; it is whole if it ends with a summary."""
        with self._asked("POST", path, {"Accept": media}) as reply:
            lines = reply.read().decode().strip().splitlines()
            last = lines[-1].removeprefix("data: ") if lines else "{}"
            said = {200: json.loads(last).get("status"), 400: _ASKS}
            status = said.get(reply.status)
            self._say(f"POST {path}", reply.status, status is not None, f", {status}")

    def socket(self, path: str) -> None:
        """Ask for a socket, run, and wait for the summary."""
        from websockets.sync.client import connect

        with connect(f"ws://{self._address}{path}", additional_headers=self._headers, open_timeout=_PATIENCE) as socket:
            socket.send('{"action": "run", "request_id": "check"}')
            status = None
            until = time.monotonic() + _PATIENCE
            while status is None and time.monotonic() < until:
                told = json.loads(socket.recv(timeout=_PATIENCE))
                said = {"summary": told["data"].get("status"), "error": _ASKS if "error_type" in told["data"] else None}
                status = said.get(told["message_type"])
            self._say(f"WS {path}", 101, status is not None, f", {status}")

    @contextlib.contextmanager
    def _asked(self, method: str, path: str, headers: dict[str, str] | None = None) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._address, timeout=_PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, headers=self._headers | (headers or {}))
            yield connection.getresponse()

    def _say(self, what: str, status: int, is_well: bool, more: str = "") -> None:
        self.failed += not is_well
        print(f"{'ok    ' if is_well else 'FAILED'} {status} {what}{more}")  # noqa: T201 - what the command is for
