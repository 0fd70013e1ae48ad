"""What a client that means harm may send, and that it gets an answer, or an end, and no more memory than others."""

import contextlib
import json
import socket
import struct

import pytest
from delivering import make_home, running
from waiting import eventually

UPGRADE = (
    "GET /apps/numbers/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
TEXT, REST, PING, CLOSE = 1, 0, 9, 8
MIB = 1 << 20


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)


@contextlib.contextmanager
def plain_socket(server):
    """Give a socket that became a WebSocket, without a library that keeps to the rules."""
    with socket.create_connection(server.address, timeout=20) as made:
        made.sendall(UPGRADE.encode())
        assert made.recv(12) == b"HTTP/1.1 101"
        yield made


def frame(kind, payload, *, is_last=True):
    """Return a frame of a client; its mask changes nothing."""
    size = len(payload)
    sizes = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + struct.pack("!H", size)
    return bytes([kind | (0x80 if is_last else 0)]) + sizes + bytes(4) + payload


def rest_of(made):
    """Return everything that comes until the other side closes."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while more := made.recv(1 << 16):
            data += more
    return data


def test_who_asks_for_pongs_and_takes_none_is_cut_off():
    """The answers would wait in memory, as many as are asked for."""
    with running("numbers") as server, plain_socket(server) as made:
        pings = frame(PING, bytes(125)) * (64 * MIB // 131)
        with pytest.raises(ConnectionError):
            made.sendall(pings)


def test_a_server_that_ends_lets_its_clients_hear_it_out(monkeypatch):
    """A socket that is torn down under a client that still reads takes from it what it has not read."""
    monkeypatch.setattr("transmissions.delivery.socket_door.LAST", 20.0)
    with running("numbers") as server, plain_socket(server) as made:
        server.server.should_exit = True
        data = b""
        while b"the server is ending" not in data:
            data += made.recv(1 << 16)
        made.settimeout(0.2)
        with pytest.raises(TimeoutError):
            made.recv(1)
        made.sendall(frame(CLOSE, struct.pack("!H", 1001)))
        made.settimeout(20)
        assert rest_of(made) == b""


def test_a_message_in_very_many_pieces_is_refused():
    """Each piece takes memory, though it be empty."""
    with running("numbers") as server, plain_socket(server) as made:
        made.sendall(frame(TEXT, b'"', is_last=False) + frame(REST, b"", is_last=False) * 5000)
        assert struct.pack("!H", 1009) + b"a message in more than 4096 pieces" in rest_of(made)


def test_a_text_that_is_none_closes_the_socket_and_is_no_fault_of_ours(caplog):
    """With 1007; nothing is logged of it."""
    with running("numbers") as server, plain_socket(server) as made:
        made.sendall(frame(TEXT, b"\xff\xfe"))
        assert struct.pack("!H", 1007) in rest_of(made)
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"action": "run", "data": {"count": NaN}}', "the message cannot be read: there is no NaN in JSON"),
        (b"[" * 100_000, "the message cannot be read: nested too deep"),
        (b"{", "message:1:2: not JSON: expecting property name enclosed in double quotes"),
        (b"[]", "a message is a JSON object, not a list"),
    ],
)
def test_a_message_of_a_socket_is_read_as_strictly_as_a_body(text, said):
    """And the sentence says where it goes wrong."""
    with running("numbers") as server, plain_socket(server) as made:
        pieces = [text[start : start + 60_000] for start in range(0, len(text), 60_000)]
        for number, piece in enumerate(pieces):
            made.sendall(frame(REST if number else TEXT, piece, is_last=number == len(pieces) - 1))
        data = b""
        while b'"error"' not in data:
            data += made.recv(1 << 16)
        made.sendall(frame(CLOSE, struct.pack("!H", 1000)))  # Not before: who closes is told nothing more.
        assert f'"message": "{said}"'.encode() in data + rest_of(made)


def test_runs_that_have_ended_are_not_kept_without_bound(monkeypatch):
    """However long their clients have to come back: those that were read are forgotten first, then the oldest."""
    monkeypatch.setattr("transmissions.delivery.hub._KEPT", 2)
    with running("numbers") as server:

        def known():
            return sorted(live.name for live in server.streams.hub.runs.values())

        def begin(name):
            server.ask("POST", "/apps/numbers/sse", x_session_id=f"of-{name}", x_request_id=name, accept="*/*")
            assert eventually(lambda: server.streams.hub.streams == 0)

        begin("left-1")
        server.events("numbers", x_request_id="read")
        begin("left-2")
        assert eventually(lambda: known() == ["left-1", "left-2"])
        begin("left-3")
        assert eventually(lambda: known() == ["left-2", "left-3"])
        assert server.ask("GET", "/runs/left-1")[0] == 404


def test_a_request_has_one_host():
    """What stands in front of us may have looked at the other."""
    with running("numbers") as server, socket.create_connection(server.address, timeout=20) as made:
        made.sendall(b"GET /apps HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n")
        answer = rest_of(made)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"a request has one Host" in answer


def test_a_key_is_not_cut_and_means_one_message():
    """Whoever asks for something else with it would get what was asked for before."""
    with running("numbers") as server:
        first = server.events("numbers", {"count": 1}, idempotency_key="k")
        assert server.events("numbers", {"count": 1}, idempotency_key="k") == first
        status, _, body = server.ask("POST", "/apps/numbers/stream", {"count": 2}, idempotency_key="k")
        assert (status, json.loads(body)["error"]["error_code"]) == (422, "REQUEST_KEY_USED")
        status, _, body = server.ask("POST", "/apps/numbers/stream", {"count": 1}, idempotency_key="k" * 129)
        assert (status, json.loads(body)["error"]["message"]) == (400, "an Idempotency-Key has at most 128 signs")
