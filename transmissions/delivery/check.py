"""`trans serve --check`: a server asked at each of its endpoints once, by a client of its own.

A stream that goes on and on has been looked at after some seconds; its run is cancelled then. An app that says which message it
wants, and refuses an empty one, answers well; a run that fails on it does not.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from transmissions.endpoints import method_of, parameters_of
from transmissions.errors import describe

from .checked import ASKS, PATIENCE, Answer, Events, Fault, heard, refusal

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence

    from transmissions.api_runs import Served
    from transmissions.serving import Server

_OK: Final = 200
_REFUSED: Final = 400
_READ: Final = 1 << 16
"""Bytes of an answer in which it may say why it refuses."""
_PLAIN: Final = ("/healthz", "/apps")
_STREAMING: Final = (*_PLAIN, "/health/streaming", "/runs", "/metrics", "/openapi.json")
_ACCEPTS: Final = {"ndjson": "application/x-ndjson", "sse": "text/event-stream"}


def check(
    server: Server, listener: socket.socket, url: str, token: str | None, apps: Sequence[Served], *, streams: bool = True
) -> int:
    """Serve, ask, and print what each endpoint answers; return the exit code. Without streams there are whole answers only."""
    serving = threading.Thread(target=server.until_asked_to_stop, args=(listener,), daemon=True)
    serving.start()
    asking = _Asking(url, token)
    for path in _STREAMING if streams else _PLAIN:
        asking.plain("GET", path)
    for app in apps:
        if streams:
            asking.app(app)
        else:
            asking.plain("POST", f"/api/{app.name}", is_endpoint=True)
    server.should_exit = True
    serving.join(PATIENCE)
    return 1 if asking.failed else 0


class _Line:
    """What is said of one endpoint."""

    status: int | None = None
    said = fault = ""


class _Asking:
    """Asks one endpoint after the other, and says what it finds."""

    def __init__(self, url: str, token: str | None) -> None:
        self.failed = 0
        self._address = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def app(self, app: Served) -> None:
        """Ask for an app on each protocol, and for what it declares."""
        self.stream("POST", f"/apps/{app.name}/stream", "ndjson")
        self.stream("POST", f"/apps/{app.name}/sse", "sse")
        self.socket(f"/apps/{app.name}/ws")
        for endpoint in app.plan.endpoints:
            self.endpoint(endpoint)

    def endpoint(self, endpoint: Mapping[str, Any]) -> None:
        """Ask for what an app declares."""
        path, protocol = endpoint["path"], endpoint.get("protocol", "ndjson")
        # What stands for anything is not guessed, and a socket without envelopes does not say when it is through.
        if parameters_of(path) or protocol == "websocket":
            return
        if protocol in _ACCEPTS and endpoint.get("envelope") is not False:
            self.stream(method_of(endpoint), path, protocol)
        else:
            self.plain(method_of(endpoint), path, is_endpoint=True)

    def plain(self, method: str, path: str, *, is_endpoint: bool = False) -> None:
        """Ask for an answer; that of an endpoint may be empty, or refuse an empty message."""
        with self._line(f"{method} {path}") as line, self._asked(line, method, path) as answer:
            body = b""
            for piece in answer.pieces():
                body += piece if len(body) < _READ else b""
            if line.status != _OK and not (is_endpoint and line.status == _REFUSED):
                raise Fault(refusal(body))
            if not body and not is_endpoint:
                raise Fault("the answer is empty")
            line.said = ", goes on; cancelled" if answer.goes_on else ASKS if line.status == _REFUSED else ""

    def stream(self, method: str, path: str, protocol: str) -> None:
        """Ask for a stream; it is whole if it ends with a summary."""
        asked = self._line(f"{method} {path}")
        with asked as line, self._asked(line, method, path, {"Accept": _ACCEPTS[protocol]}) as answer:
            if line.status == _REFUSED:
                line.said = ASKS
                return
            if line.status != _OK:
                raise Fault(refusal(answer.reply.read()))
            events, mark = Events(), b"data:" if protocol == "sse" else b""
            for text in answer.lines():
                if text.strip() and text.startswith(mark):
                    events.hear(json.loads(text.removeprefix(mark)))
            line.said = events.told(goes_on=answer.goes_on)

    def socket(self, path: str) -> None:
        """Ask for a socket, run, and wait for the summary."""
        from websockets.sync.client import connect

        url = f"ws://{self._address}{path}"
        opened = partial(connect, open_timeout=PATIENCE, close_timeout=1, max_size=None, proxy=None)
        with self._line(f"WS {path}") as line, opened(url, additional_headers=self._headers) as socket:
            line.status = 101
            socket.send('{"action": "run", "request_id": "check"}')
            line.said = heard(socket)

    @contextlib.contextmanager
    def _line(self, what: str) -> Iterator[_Line]:
        from websockets.exceptions import WebSocketException

        line = _Line()
        try:
            yield line
        except TimeoutError:
            line.fault = f"nothing came for {PATIENCE:g} s"
        except http.client.IncompleteRead:
            line.fault = "the answer broke off"
        except (Fault, WebSocketException) as error:
            line.fault = str(error)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            line.fault = describe(error)
        self.failed += bool(line.fault)
        more = f", {line.fault}" if line.fault else line.said
        print(f"{'FAILED' if line.fault else 'ok    '} {line.status or '   '} {what}{more}")  # noqa: T201 - it is for this

    @contextlib.contextmanager
    def _asked(self, line: _Line, method: str, path: str, headers: Mapping[str, str] = {}) -> Iterator[Answer]:
        connection = http.client.HTTPConnection(self._address, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, headers={**self._headers, **headers})
            open_socket = connection.sock  # It forgets it with an answer that ends the connection.
            with connection.getresponse() as reply:
                line.status = reply.status
                answer = Answer(reply, open_socket)
                yield answer
        if answer.goes_on and (run := reply.headers.get("X-Request-ID")):
            self._cancel(run)

    def _cancel(self, run: str) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("DELETE", f"/runs/{quote(run, safe='')}", headers=self._headers)
            connection.getresponse().read()
