"""A real HTTP server on the loopback, in threads, for tests of whatever fetches.

    with serving({"/feed": Page(b"<rss/>", {"Content-Type": "text/xml"})}) as server:
        ... fetch(server.url + "/feed") ...
    assert [seen.path for seen in server.seen] == ["/feed"]

What is served is a dict from path (without its query) to an answer, or a function from `Seen` to an answer. An answer is

* a `Page`: status 200 and keep-alive unless it says otherwise;
* bytes: sent as they are, status line and all, whereupon the connection is closed, for answers no good server gives;
* an iterable of bytes: the same piece by piece; a generator may sleep on the way, and raise `ResetNow` to reset the connection.

A path that is not served is answered 404. `server.connections` counts connections, so a canary has to stay at 0.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl


class Page(NamedTuple):
    """A proper answer."""

    body: bytes = b""
    headers: Mapping[str, str] = {}
    status: int = 200


class Seen(NamedTuple):
    """A request as it arrived; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class ResetNow(Exception):
    """Raised by a generator of bytes: the connection is reset."""


Answer = Page | bytes | Iterable[bytes]
Served = Mapping[str, Answer] | Callable[[Seen], Answer]


def redirect(to: str, status: int = 302) -> Page:
    """Return a redirect, with a body nobody should read."""
    return Page(b"moved", {"Location": to}, status)


def switched(seen: Seen, *texts: bytes) -> bytes:
    """Return the answer to who wants a WebSocket, and short messages over it."""
    key = f"{seen.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()
    accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
    head = f"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    return head.encode() + b"".join(bytes((0x81, len(text))) + text for text in texts)


class LocalServer(http.server.ThreadingHTTPServer):
    """Listens on a free port, unless it is given one; `url` has no slash at its end."""

    def __init__(self, served: Served, host: str = "127.0.0.1", port: int = 0) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self._served = served
        self._open: set[socket.socket] = set()
        self.seen: list[Seen] = []
        self.connections = 0
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}"

    def answer(self, seen: Seen) -> Answer:
        self.seen.append(seen)
        return self._served(seen) if callable(self._served) else self._served.get(seen.path, Page(b"not here", {}, 404))

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what is tested."""

    def hang_up(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LocalServer

    def log_message(self, *_: object) -> None:
        """Keep the test's stderr clean."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def _respond(self) -> None:
        path, _, query = self.path.partition("?")
        chunks = self._chunks() if self.headers.get("transfer-encoding") == "chunked" else ()
        body = b"".join(chunks) or self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.answer(Seen(self.command, path, query, headers, body))
        if isinstance(answer, Page):
            self._send(answer)
        else:
            self._send_raw([answer] if isinstance(answer, bytes) else answer)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, page: Page) -> None:
        self.send_response(page.status)
        for name, value in {"Content-Length": str(len(page.body)), **page.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def _send_raw(self, pieces: Iterable[bytes]) -> None:
        self.close_connection = True
        try:
            for piece in pieces:
                self.wfile.write(piece)
        except ResetNow:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()


@contextlib.contextmanager
def serving(served: Served, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[LocalServer]:
    """Serve until the block is left; then connections are closed, and the threads joined."""
    server = LocalServer(served, host, port)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.url = server.url.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.hang_up()
        server.server_close()
        thread.join()
