"""WebSocket against a real server: three dialects, several runs on one socket, faults that end nothing, and its ends."""

import json
import time

import pytest
from delivering import make_home, running
from waiting import eventually
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from transmissions.delivery.buffer import BufferLimits
from transmissions.delivery.connection import Pace
from transmissions.delivery.hub import Caps
from transmissions.delivery.terms import Terms

FOREVER = {"count": 10**6, "wait": 0.01}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)
    return tmp_path


def opened(server, query="", **options):
    """Return a socket."""
    return connect(f"ws://127.0.0.1:{server.address[1]}/apps/numbers/ws{query}", **options)


def say(socket, **message):
    """Send a message."""
    socket.send(json.dumps(message))


def until(socket, kind, request_id=None):
    """Return what comes up to a message of a kind, of one request if it is named."""
    told = []
    while not told or told[-1]["message_type"] != kind or request_id not in {None, told[-1]["data"].get("request_id")}:
        told.append(json.loads(socket.recv(timeout=20)))
    return told


def test_ws01_ws02_ws06_a_run_from_the_welcome_to_the_summary():
    """Every message has its type, time and data, with the request it belongs to; the socket stays open."""
    with running("numbers") as server, opened(server) as socket:
        welcome = json.loads(socket.recv())
        assert (welcome["message_type"], welcome["data"]["protocol_version"]) == ("welcome", "1.0")
        assert set(welcome["data"]["supported_operations"]) >= {"run", "numbers", "pause", "resume", "cancel", "status", "ping"}
        for name in ("a", "b"):
            say(socket, action="run", request_id=name, data={"count": 3})
            told = until(socket, "summary")
            kinds = [one["message_type"] for one in told if one["message_type"] != "progress"]
            assert kinds == ["metadata", "result", "result", "result", "summary"]
            assert all(set(one) == {"message_type", "timestamp", "data"} for one in told)
            assert {one["data"]["request_id"] for one in told} == {name}


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ({"action": "numbers", "request_id": "r", "data": {"count": 2}, "timestamp": "t"}, {"request_id": "r"}),
        (
            {"action": "run", "requestId": "r", "count": 2, "sessionId": "mine", "timestamp": 1},
            {"request_id": "r", "requestId": "r", "sessionId": "mine"},
        ),
        ({"request_type": "run", "data": {"count": 2, "request_id": "r"}}, {"request_id": "r"}),
    ],
)
def test_ws03_ws04_ws19_each_dialect_is_answered_in_its_own_words(message, names):
    """With the names as the sender spelt them, once each; who has everything at the top is answered with it at the top."""
    with running("numbers") as server, opened(server) as socket:
        socket.recv()
        say(socket, **message)
        data = {"event": ""}
        while data["event"] != "summary":
            text = socket.recv(timeout=20)
            data = json.loads(text) if "requestId" in message else json.loads(text)["data"]
            assert {name: data[name] for name in names} == names
            assert text.count('"request_id"') == 1
        assert data["successful"] == 2


def test_ws04_what_is_no_event_is_told_at_the_top_too():
    """An answer to a ping, a state, and what is wrong with what was asked."""
    with running("numbers") as server, opened(server) as socket:
        socket.recv()
        for action, event in (("ping", "pong"), ("status", "error"), ("nonsense", "error")):
            say(socket, action=action, requestId="r", sessionId="mine", timestamp=1)
            told = json.loads(socket.recv(timeout=20))
            assert (told["event"], told["requestId"], told["sessionId"]) == (event, "r", "mine")
        assert told["error"]["message"].startswith("there is no action 'nonsense'")


def test_ws05_ws07_ws13_several_runs_share_a_socket():
    """Their events carry their names, and a ping is answered in between."""
    with running("numbers") as server, opened(server) as socket:
        say(socket, action="run", request_id="long", data=FOREVER)
        until(socket, "result", "long")
        say(socket, action="ping", request_id="p")
        say(socket, action="run", request_id="short", data={"count": 2})
        assert until(socket, "pong")[-1]["data"] == {"request_id": "p"}  # else the short one might have ended by then
        told = until(socket, "summary", "short")
        assert told[-1]["data"]["status"] == "complete"
        say(socket, action="cancel", request_id="long")
        assert until(socket, "summary", "long")[-1]["data"]["status"] == "cancelled"


def test_ws08_ws12_a_run_is_paused_asked_after_and_resumed_without_loss():
    """Twice is no more than once."""
    with running("numbers") as server, opened(server) as socket:
        say(socket, action="run", request_id="r", data={"count": 60, "wait": 0.005})
        told = until(socket, "result")
        for action in ("pause", "pause", "status", "resume", "resume"):
            say(socket, action=action, request_id="r")
            told += until(socket, "status" if action == "status" else f"{action}_ack")
            assert told[-1]["data"]["state"] == ("running" if action == "resume" else "paused")
        told += until(socket, "summary")
    assert [one["data"]["result"]["n"] for one in told if one["message_type"] == "result"] == list(range(60))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", "validation_error"),
        ("[1]", "validation_error"),
        ("{}", "validation_error"),
        ('{"action": "run", "data": []}', "validation_error"),
        ('{"action": "run", "request_id": "../x"}', "validation_error"),
        ('{"action": "run", "request_id": [1]}', "validation_error"),
        ('{"action": "run", "since": "x"}', "validation_error"),
        ('{"action": "pause", "request_id": "nobody"}', "validation_error"),
        ('{"action": "fly"}', "unknown_request"),
        ('{"action": 7}', "validation_error"),
        ("[" * 100_000, "validation_error"),
    ],
)
def test_ws11_ws15_ws18_ws23_what_makes_no_sense_is_answered_and_the_socket_stays(text, kind):
    """With the sentence where both of the seed's clients look for it; a binary frame says nothing."""
    with running("numbers") as server, opened(server) as socket:
        socket.send(text)
        data = until(socket, "error")[-1]["data"]
        assert (data["error_type"], data["message"]) == (kind, data["error"]["message"])
        socket.send(b"\x00\xff")
        say(socket, action="ping")
        assert until(socket, "pong")


def test_ws_a_run_is_resumed_on_another_socket_by_its_last_number():
    """By the session and the request id; another session of the same owner may use the same id for its own."""
    with running("numbers") as server:
        with opened(server) as socket:
            session = until(socket, "welcome")[-1]["data"]["session_id"]
            say(socket, action="run", request_id="r", data={"count": 50, "wait": 0.002})
            first = until(socket, "result")
        last = first[-1]["data"]["seq"]
        with opened(server, f"?session_id={session}") as socket, opened(server) as other:
            say(other, action="run", request_id="r", data={"count": 1})
            say(socket, action="run", request_id="r", since=last)
            rest = until(socket, "summary")
            assert until(other, "summary")[-1]["data"]["successful"] == 1
    numbers = [one["data"]["seq"] for one in first + rest if one["data"].get("seq")]
    assert numbers == list(range(1, numbers[-1] + 1))
    assert rest[-1]["data"]["successful"] == 50


def test_ws_a_request_id_stands_for_one_message():
    """With another one it is an error, not the run there was; with the same, or none, that is sent again."""
    with running("numbers") as server, opened(server) as socket:
        told = []
        for data in ({"count": 1}, {"count": 2}, {"count": 1}, None):
            say(socket, action="run", request_id="1", **({"data": data} if data else {}))
            told.append(until(socket, "error" if data == {"count": 2} else "summary")[-1]["data"])
    assert [one.get("successful") for one in told] == [1, None, 1, 1]
    assert told[1]["message"] == "a run '1' was begun with another message; a new one needs a request_id of its own"


def test_ws_what_is_done_to_a_run_names_it():
    """Else it is said that it must."""
    with running("numbers") as server, opened(server) as socket:
        say(socket, action="cancel")
        assert until(socket, "error")[-1]["data"]["message"] == "cancel needs the request_id of a run"


def test_ws21_ws22_a_message_that_is_too_big_ends_the_socket():
    """With the code for it."""
    with running("numbers") as server, opened(server, max_size=None) as socket:
        socket.send('{"action": "ping", "x": "' + "x" * (2 << 20) + '"}')
        with pytest.raises(ConnectionClosed) as caught:
            until(socket, "pong")
    assert caught.value.rcvd.code == 1009


def test_ws21_a_server_that_ends_tells_its_sockets_that_it_goes_away():
    """After the summary of what ran on them."""
    with running("numbers") as server, opened(server) as socket:
        say(socket, action="run", request_id="r", data=FOREVER)
        until(socket, "result")
        server.server.should_exit = True
        assert until(socket, "summary")[-1]["data"]["reason"] == "shutdown"
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(timeout=20)
    assert caught.value.rcvd.code == 1001


def test_ws24_a_socket_that_is_closed_leaves_nothing_behind():
    """Its runs are cancelled when nobody comes back."""
    with running("numbers", terms={"numbers": Terms(BufferLimits(), grace=0.1)}) as server:
        with opened(server) as socket:
            say(socket, action="run", data=FOREVER)
            until(socket, "result")
        assert eventually(lambda: not server.streams.hub.runs)
        assert not server.streams._sockets


def test_ws25_more_sockets_than_one_address_may_have_are_refused():
    """With a status, before they are open."""
    with running("numbers", caps=Caps(sockets=1)) as server, opened(server) as socket:
        until(socket, "welcome")
        with pytest.raises(InvalidStatus) as caught:
            opened(server)
    assert (caught.value.response.status_code, caught.value.response.headers["retry-after"]) == (429, "1")


def test_ws28_a_page_of_another_origin_and_a_client_without_token_are_refused():
    """Before the socket is open; what is not served is not found."""
    with running("numbers", token="right", origins=["https://app.example"]) as server:
        good = {"Authorization": "Bearer right"}
        for origin, headers, status in (("https://evil.example", good, 403), (None, {}, 401)):
            with pytest.raises(InvalidStatus) as caught:
                opened(server, origin=origin, additional_headers=headers)
            assert caught.value.response.status_code == status
            assert json.loads(caught.value.response.body)["error"]["type"] == "Refused"
        with opened(server, origin="https://app.example", additional_headers=good) as socket:
            assert until(socket, "welcome")
        with pytest.raises(InvalidStatus) as caught:
            connect(f"ws://127.0.0.1:{server.address[1]}/apps/no/ws", additional_headers=good)
        assert caught.value.response.status_code == 404


def test_a_socket_that_is_refused_is_no_fault_and_is_told_why(caplog):
    """Nothing is logged of it; a path where no socket is, or nothing at all, is not found."""
    with running("numbers", token="right") as server:
        good = {"Authorization": "Bearer right"}
        for path, headers, status in (("/apps", good, 404), ("/no", good, 404), ("/apps/numbers/ws", {}, 401)):
            with pytest.raises(InvalidStatus) as caught:
                connect(f"ws://127.0.0.1:{server.address[1]}{path}", additional_headers=headers)
            assert caught.value.response.status_code == status
            assert json.loads(caught.value.response.body)["error"]["message"]
    assert not caplog.records


def test_ws14_bp12_a_socket_that_never_reads_is_cut_off():
    """Whoever else is there does not notice."""
    with (
        running("numbers", pace=Pace(send=0.3)) as server,
        opened(server) as socket,
        opened(server, max_queue=1, ping_interval=None, close_timeout=0.1) as sleeper,
    ):
        say(sleeper, action="run", data={"count": 10**6, "size": 4000})
        say(socket, action="run", data={"count": 3})
        assert until(socket, "summary")
        assert eventually(lambda: len(server.streams._sockets) == 1)


def test_a_socket_stays_open_longer_than_the_head_of_a_request_may_take(monkeypatch):
    """The clock for the head of the request that opened it is stopped."""
    monkeypatch.setattr("transmissions.delivery.doors.PATIENCE", 0.2)
    with running("numbers") as server, opened(server) as socket:
        until(socket, "welcome")
        time.sleep(0.5)
        say(socket, action="ping")
        assert until(socket, "pong")


def test_ws26_a_socket_on_which_nothing_happens_is_closed(monkeypatch):
    """After a time without a run and without a word; with a run it stays."""
    monkeypatch.setattr("transmissions.delivery.websocket._IDLE", 0.3)
    with running("numbers") as server, opened(server) as idle, opened(server) as busy:
        say(busy, action="run", data={"count": 3, "wait": 0.3})
        until(idle, "welcome")
        with pytest.raises(ConnectionClosed) as caught:
            idle.recv(timeout=20)
        assert until(busy, "summary")[-1]["data"]["successful"] == 3
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1001, "nothing was asked for")


@pytest.mark.parametrize("compression", ["deflate", None])
def test_ws27_messages_are_compressed_for_a_client_that_asks_for_it(compression):
    """And are the same."""
    with running("numbers") as server, opened(server, compression=compression) as socket:
        agreed = socket.response.headers.get("sec-websocket-extensions", "")
        say(socket, action="run", data={"count": 300, "size": 100})
        results = [one["data"]["result"] for one in until(socket, "summary") if one["message_type"] == "result"]
    assert agreed.startswith("permessage-deflate") is (compression is not None)
    assert [one["n"] for one in results] == list(range(300))
    assert {one["fill"] for one in results} == {"x" * 100}


@pytest.mark.parametrize("length", [125, 126, 65535, 65536])
def test_a_message_arrives_whole_however_many_bytes_its_length_takes(length):
    """Of two at the bounds between one byte, three and nine the last sign is there, and nothing behind it."""
    with running("numbers") as server, opened(server, compression=None) as socket:
        socket.recv()
        say(socket, action="ping", requestId="r", sessionId="")
        fill = "x" * (length - len(socket.recv()))
        say(socket, action="ping", requestId="r", sessionId=fill)
        answer = socket.recv()
    assert (len(answer), json.loads(answer)["sessionId"]) == (length, fill)


def test_ws09_ws10_ws16_ws17_each_action_has_its_answer():
    """What there is not, what makes no sense, and the end of a run that was cancelled."""
    with running("numbers") as server, opened(server) as socket:
        say(socket, action="fly")
        assert until(socket, "error")[-1]["data"]["error_type"] == "unknown_request"
        say(socket, action="run", data=[1])
        assert until(socket, "error")[-1]["data"]["error_type"] == "validation_error"
        say(socket, action="run", request_id="r", data=FOREVER)
        until(socket, "result")
        for action in ("pause", "resume", "cancel"):
            say(socket, action=action, request_id="r")
            told = until(socket, f"{action}_ack", "r")
        [summary] = [one for one in told if one["message_type"] == "summary"] or until(socket, "summary", "r")[-1:]
        assert summary["data"]["status"] == "cancelled"
