"""A server that speaks as much of NATS' protocol as a publisher sees, on the loopback and in threads.

    with nats_serving(token="t") as server:
        ... publish to server.url ...
    assert server.published == [("subject", b"payload")]

With `stream` publications that want an answer get one, as from JetStream. `server.cut()` ends all connections.
"""

import contextlib
import json
import socket
import socketserver
import threading


class _Connection(socketserver.StreamRequestHandler):
    def handle(self):
        server = self.server
        server.sockets.append(self.connection)
        info = {
            "server_id": "T",
            "version": "2.10.0",
            "max_payload": 1 << 20,
            "headers": True,
            "auth_required": bool(server.token),
        }
        self._say(f"INFO {json.dumps(info)}")
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                self._answer(line.decode().split(maxsplit=1))

    def _answer(self, words):
        verb, rest = words[0].upper(), words[1] if len(words) > 1 else ""
        if verb == "CONNECT":
            self.server.logins.append(json.loads(rest))
        if verb == "CONNECT" and self.server.token not in (None, json.loads(rest).get("auth_token")):
            self._say("-ERR 'Authorization Violation'")
            self.connection.shutdown(socket.SHUT_RDWR)
        elif verb == "PING":
            self._say("PONG")
        elif verb == "SUB":
            self.server.inboxes[rest.split()[0].removesuffix("*")] = rest.split()[-1]
        elif verb in {"PUB", "HPUB"}:
            self._published(*rest.split())

    def _published(self, subject, *more):
        data = self.rfile.read(int(more[-1]) + 2)[:-2]
        self.server.published.append((subject, data))
        if self.server.stream and not more[0].isdigit():
            number = next(sid for prefix, sid in self.server.inboxes.items() if more[0].startswith(prefix))
            ack = json.dumps({"stream": self.server.stream, "seq": len(self.server.published)})
            self._say(f"MSG {more[0]} {number} {len(ack)}\r\n{ack}")

    def _say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def cut(self):
        while self.sockets:
            with contextlib.suppress(OSError):
                self.sockets.pop().shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def nats_serving(*, token=None, stream=""):
    """Serve until the block is left."""
    with _Server(("127.0.0.1", 0), _Connection) as server:
        server.token, server.stream = token, stream
        server.published, server.sockets, server.inboxes, server.logins = [], [], {}, []
        server.url = f"nats://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.cut()
        server.shutdown()
