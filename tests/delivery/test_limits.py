"""How often one address may ask, and how much a request may take."""

import contextlib
import http.client
import json
import select
import time

import pytest
from delivering import decoded, make_home, running
from waiting import eventually
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from transmissions.delivery.buffer import BufferLimits
from transmissions.server_settings import RateLimit
from transmissions.serving import SocketLimits

SLOW = 0.001
"""Requests a second, of which none comes due while a test lasts."""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)
    return tmp_path


def test_tp08_an_address_that_asks_too_often_is_told_to_come_back():
    """With 429 and how long that takes; whether the server lives is answered all the same."""
    with running("numbers", limit=RateLimit(rate=SLOW, burst=2)) as server:
        assert [server.ask("POST", "/apps/numbers/stream")[0] for _ in range(2)] == [200, 200]
        status, headers, body = server.ask("POST", "/apps/numbers/stream")
        assert (status, headers["retry-after"]) == (429, "1000")
        assert "requests a second are taken from one address" in json.loads(body)["error"]["message"]
        with pytest.raises(InvalidStatus) as caught, connect(server.url.replace("http", "ws") + "/apps/numbers/ws"):
            pass
        assert caught.value.response.status_code == 429
        assert server.ask("GET", "/healthz")[0] == 200


def test_tp08_a_page_of_another_origin_can_read_that_it_is_to_come_back():
    """A refusal has the headers that let it be read; asking whether one may ask is no request."""
    asked = {"origin": "https://app.example"}
    with running("numbers", origins=["https://app.example"], limit=RateLimit(rate=SLOW, burst=1)) as server:
        for _ in range(3):
            assert server.ask("OPTIONS", "/runs", **asked, access_control_request_method="GET")[0] == 200
        assert [server.ask("GET", "/runs", **asked)[0] for _ in range(2)] == [200, 429]
        headers = server.ask("GET", "/runs", **asked)[1]
    assert headers["access-control-allow-origin"] == "https://app.example"
    assert "Retry-After" in headers["access-control-expose-headers"]


def test_tp08_requests_may_be_kept_waiting():
    """Each for its turn."""
    with running("numbers", limit=RateLimit(rate=20, burst=1, action="delay")) as server:
        began = time.monotonic()
        assert [server.ask("GET", "/apps")[0] for _ in range(4)] == [200] * 4
        assert time.monotonic() - began >= 0.14  # three turns of 50 ms, less the 5 ms that may be made up


def test_tp08_a_request_that_would_wait_for_long_is_refused():
    """No more than `burst` wait."""
    with running("numbers", limit=RateLimit(rate=SLOW, burst=1, action="delay")) as server:
        assert server.ask("GET", "/apps")[0] == 200
        asking = [http.client.HTTPConnection(*server.address) for _ in range(2)]
        with contextlib.closing(asking[0]), contextlib.closing(asking[1]):
            for one in asking:
                one.request("GET", "/apps")
            [answered], *_ = select.select([one.sock for one in asking], [], [], 20)
            assert next(one for one in asking if one.sock is answered).getresponse().status == 429


def test_tp08_requests_may_be_cut_off():
    """Without a word."""
    with running("numbers", limit=RateLimit(rate=SLOW, burst=1, action="drop")) as server:
        assert server.ask("GET", "/apps")[0] == 200
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            server.ask("GET", "/apps")
        assert eventually(lambda: not server.server.server_state.connections)


def test_tp07_the_buffer_of_a_server_is_that_of_its_runs():
    """A header still wins."""
    with running("numbers", buffer=BufferLimits(initial=100, maximum=100)) as server:
        assert decoded(server.ask("POST", "/apps/numbers/stream")[2])[0]["buffer_info"]["capacity"] == 100
        assert server.ask("POST", "/apps/numbers/stream", x_buffer_size="200")[1]["x-buffer-capacity"] == "200"


def test_tp07_the_largest_message_of_a_socket_is_what_it_was_told():
    """A larger one ends the socket with the code for it."""
    with (
        running("numbers", sockets=SocketLimits(largest=2000)) as server,
        connect(server.url.replace("http", "ws") + "/apps/numbers/ws") as socket,
    ):
        socket.recv()
        socket.send("x" * 3000)
        assert eventually(lambda: socket.protocol.close_rcvd is not None)
        assert socket.protocol.close_rcvd.code == 1009


@pytest.mark.parametrize(
    ("preset", "capacity", "memory"), [("high", 2048, 131072), ("low", 256, 32768), ("constrained", 64, 16384)]
)
def test_tp04_r10_a_preset_is_a_choice_of_headers(preset, capacity, memory):
    """Of which each still may be said otherwise; on a socket it holds for all its runs."""
    with running("numbers") as server:
        first = decoded(server.ask("POST", f"/apps/numbers/stream?preset={preset}")[2])[0]["buffer_info"]
        assert (first["capacity"], first["max_memory_bytes"]) == (capacity, memory)
        headers = server.ask("POST", f"/apps/numbers/stream?preset={preset}", x_buffer_size="100")[1]
        assert headers["x-buffer-capacity"] == "100"
        with connect(server.url.replace("http", "ws") + f"/apps/numbers/ws?preset={preset}") as socket:
            socket.recv()
            socket.send('{"action": "run"}')
            assert json.loads(socket.recv())["data"]["buffer_info"]["capacity"] == capacity


def test_r10_a_preset_there_is_not_is_refused():
    """With those there are, and the nearest."""
    with running("numbers") as server:
        status, _, body = server.ask("POST", "/apps/numbers/stream?preset=hihg")
        message = json.loads(body)["error"]["message"]
        assert (status, message) == (400, "preset: 'hihg' is none of high, low, constrained; did you mean 'high'?")
        with pytest.raises(InvalidStatus), connect(server.url.replace("http", "ws") + "/apps/numbers/ws?preset=x"):
            pass


def test_a_run_ends_when_the_time_of_its_request_is_spent():
    """With a summary that says so, and which limits there were."""
    with running("numbers") as server:
        events = server.events("numbers", {"count": 10**6, "wait": 0.02}, x_max_duration="200")
        summary = events[-1]
        assert (summary["status"], summary["reason"]) == ("partial", "time limit")
        assert summary["limits"] == {"duration_ms": 200, "bytes": None}
        assert not any(event["event"] == "error" for event in events)
        assert eventually(lambda: server.streams.hub.streams == 0)


def test_a_run_ends_when_the_bytes_of_its_request_are_spent():
    """Behind the first result that goes beyond them; what was sent is in the summary."""
    with running("numbers") as server:
        status, _, body = server.ask("POST", "/apps/numbers/stream", {"count": 10**6, "size": 1000}, x_max_bytes="5000")
        events = decoded(body)
        summary = events[-1]
        assert (status, summary["status"], summary["reason"]) == (200, "partial", "byte limit")
        assert 5000 <= summary["total_bytes_transferred"] < 7000
        assert [event["result"]["n"] for event in events if event["event"] == "result"] == list(range(summary["successful"]))


def test_a_run_within_its_limits_is_complete():
    """And its summary says which they were, and what it sent; without any, nothing of them."""
    with running("numbers") as server:
        summary = server.events("numbers", x_max_bytes="100000", x_max_duration="20000")[-1]
        assert (summary["status"], summary["limits"]) == ("complete", {"duration_ms": 20000, "bytes": 100000})
        assert "limits" not in server.events("numbers")[-1]
        assert server.ask("POST", "/apps/numbers/stream", x_max_bytes="0")[0] == 400
