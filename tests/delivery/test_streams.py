"""NDJSON and Server-Sent Events against a real server: headers, order, ends, refusals, and what a client may do to its run."""

import gzip
import json
import socket

import pytest
from delivering import decoded, log, make_home, running, timed
from waiting import eventually

from transmissions.delivery.buffer import BufferLimits
from transmissions.delivery.connection import Pace
from transmissions.delivery.hub import Caps
from transmissions.delivery.terms import Terms
from transmissions.server_settings import RateLimit

FOREVER = {"count": 10**6, "wait": 0.01}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)
    return tmp_path


def frames(body):
    """Return the frames of Server-Sent Events as dicts of their fields."""
    parts = [part for part in body.decode().split("\n\n") if part]
    return [dict(line.split(": ", 1) for line in part.split("\n")) for part in parts]


def test_nd01_nd05_ev34_a_run_is_lines_from_metadata_to_one_summary():
    """Numbered without gaps, in UTF-8, with nothing behind the summary; the media type names the charset."""
    with running("numbers") as server:
        status, headers, body = server.ask("POST", "/apps/numbers/stream", {"fields": {"text": "ä\n"}})
    events = decoded(body)
    assert (status, headers["content-type"]) == (200, "application/x-ndjson; charset=utf-8")
    assert [event["event"] for event in events if event["event"] != "progress"] == ["metadata", *["result"] * 3, "summary"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["status"] == "complete"


def test_hd10_hd17_the_headers_of_a_stream_say_what_the_seed_promises():
    """And the same names are in its first event."""
    with running("numbers") as server:
        headers = {"x_request_id": "mine", "x_session_id": "session-1-a", "x_buffer_size": "1024"}
        _, found, body = server.ask("POST", "/apps/numbers/stream", **headers)
    first = decoded(body)[0]
    assert (found["x-request-id"], first["request_id"], first["session_id"]) == ("mine", "mine", "session-1-a")
    assert (found["x-buffer-capacity"], found["x-buffer-current"], found["x-backpressure-threshold"]) == ("1024", "0", "800")
    assert (found["cache-control"], found["x-accel-buffering"], found["connection"]) == ("no-cache", "no", "keep-alive")
    assert found["transfer-encoding"] == "chunked"
    assert "content-length" not in found
    assert (first["buffer_info"]["capacity"], first["buffer_info"]["backpressure_threshold"]) == (1024, 800)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("x_buffer_size", 64, 2048),
        ("x_buffer_timeout", 100, 10000),
        ("x_slow_client_threshold", 50, 1000),
        ("x_max_memory_per_connection", 4096, 262144),
    ],
)
def test_hd04_hd05_hd07_hd08_hd09_a_header_out_of_its_range_is_refused_with_the_range(name, low, high):
    """Or taken to it, and that is told, for a client that asks for lenience."""
    with running("numbers") as server:
        for value in (str(low - 1), str(high + 1), "abc", "1e3", "\uff19", "9" * 400):
            status, _, body = server.ask("POST", "/apps/numbers/stream", **{name: value.encode()})
            fault = json.loads(body)["error"]["context"]["fields"][0]
            assert (status, fault["name"], fault["minimum"], fault["maximum"]) == (400, name.replace("_", "-"), low, high)
        assert all(server.ask("POST", "/apps/numbers/stream", **{name: str(edge)})[0] == 200 for edge in (low, high))
        body = server.ask("POST", "/apps/numbers/stream?lenient=1", **{name: str(high + 1)})[2]
        assert decoded(body)[0]["warnings"] == [f"{name.replace('_', '-')} was taken to its range"]


@pytest.mark.parametrize(("value", "status"), [("TRUE", 200), ("0", 200), ("false", 200), ("maybe", 400)])
def test_hd06_backpressure_is_a_boolean(value, status):
    """In any case, and nothing else."""
    with running("numbers") as server:
        assert server.ask("POST", "/apps/numbers/stream", x_enable_backpressure=value)[0] == status


@pytest.mark.parametrize("name", ["../../etc", "a b", "x" * 129, "ä".encode(), "a/b"])
def test_hd03_hd18_hd20_names_of_clients_are_checked_and_never_become_folders(home, name):
    """A request id that is none is replaced, a session id refused; outputs have names nobody chose."""
    with running("numbers") as server:
        status, headers, _ = server.ask("POST", "/apps/numbers/stream", x_request_id=name)
        assert (status, len(headers["x-request-id"])) == (200, 32)
        assert server.ask("POST", "/apps/numbers/stream", x_session_id=name)[0] == 400
        assert server.ask("POST", "/apps/numbers/stream", x_request_id="..")[0] == 200
    assert not list(home.glob("numbers-output/..*"))


def test_ss01_ss04_frames_have_names_ids_and_one_line_of_data():
    """With how long to wait before coming again in the first, as some clients take a frame without data for an event."""
    with running("numbers") as server:
        _, headers, body = server.ask("POST", "/apps/numbers/sse")
    rest = frames(body)
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert [frame.get("retry") for frame in rest] == ["3000"] + [None] * (len(rest) - 1)
    assert [(frame["event"], int(frame["id"])) for frame in rest] == [
        (event["event"], event["seq"]) for event in (json.loads(frame["data"]) for frame in rest)
    ]


def test_ss04_ss12_a_session_is_begun_and_followed_until_there_is_nothing_more():
    """Its first reader has everything, one that has it all is told to come no more, and any other has what it lacks."""
    with running("numbers") as server:
        status, _, body = server.ask("POST", "/apps/numbers/sse", x_session_id="s-1")
        begun = json.loads(body)
        assert (status, begun["session_id"]) == (202, "s-1")
        events = [json.loads(frame["data"]) for frame in frames(server.ask("GET", begun["stream_url"])[2])]
        last = events[-1]["seq"]
        assert [event["seq"] for event in events] == list(range(1, last + 1))
        assert server.ask("GET", begun["stream_url"], last_event_id=str(last))[0] == 204
        again = frames(server.ask("GET", f"/apps/numbers/sse?session_id=s-1&since={last - 1}")[2])
        assert [json.loads(frame["data"])["event"] for frame in again] == ["summary"]
        assert server.ask("GET", "/apps/numbers/sse?session_id=other")[0] == 404


def test_a_connection_that_is_to_be_closed_is_not_said_to_be_kept():
    """However its client spells that."""
    with running("numbers") as server, server.asked("POST", "/apps/numbers/stream", connection="TE, Close") as reply:
        assert [value for name, value in reply.getheaders() if name == "connection"] == ["close"]


def test_ss12_runs_of_two_apps_in_one_session_are_followed_each_at_its_own_path():
    """A page that has begun both is not to read the later one twice."""
    with running("numbers", "shown") as server:
        begun = [json.loads(server.ask("POST", f"/apps/{app}/sse", x_session_id="s")[2]) for app in ("numbers", "shown")]
        followed = [frames(server.ask("GET", one["stream_url"])[2])[0] for one in begun]
    assert [json.loads(one["data"])["stream_type"] for one in followed] == ["numbers", "shown"]


def test_hd01_nd11_ss07_ss08_a_stream_that_has_nothing_to_say_sends_heartbeats():
    """With how the server does, and the session's name, as the metadata has it; they have no number."""
    name = "session-1700000000-k3x9q2"
    with running("numbers", pace=Pace(heartbeat=0.05)) as server:
        events = server.events("numbers", {"count": 2, "wait": 0.4}, x_session_id=name)
    assert {event["session_id"] for event in events if event["event"] in {"metadata", "heartbeat"}} == {name}
    beats = [event for event in events if event["event"] == "heartbeat"]
    assert len(beats) > 2
    assert "seq" not in beats[0]
    assert beats[0]["server_health"]["status"] == "healthy"
    assert any(event["event"] == "system_status" for event in events)


def test_ss09_a_connection_ends_after_its_longest_time_and_the_run_goes_on():
    """There is no summary, so the client knows, and comes for the rest."""
    with running("numbers", pace=Pace(longest=0.3)) as server:
        events = server.events("numbers", {"count": 30, "wait": 0.03}, x_request_id="long")
        assert events[-1]["event"] != "summary"
        while events[-1]["event"] != "summary":
            events += decoded(server.ask("GET", f"/runs/long/stream?since={events[-1]['seq']}")[2])
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_nd08_ss15_a_run_whose_client_stays_away_is_cancelled_and_forgotten():
    """After the time it has to come back."""
    with running("numbers", terms={"numbers": Terms(BufferLimits(), grace=0.2)}) as server:
        with server.asked("POST", "/apps/numbers/stream", FOREVER, x_request_id="left") as reply:
            reply.readline()
        assert eventually(lambda: server.ask("GET", "/runs/left")[0] == 404)
        assert not server.streams.hub.runs
        assert server.streams.hub.streams == 0


def test_nd12_t2_40_gzip_lets_every_event_out_at_once():
    """Where a client takes it; whoever refuses it gets none."""
    with running("numbers") as server:
        with server.asked("POST", "/apps/numbers/stream", FOREVER, accept_encoding="br, gzip") as reply:
            assert reply.getheader("content-encoding") == "gzip"
            assert json.loads(gzip.GzipFile(fileobj=reply).readline())["event"] == "metadata"
        _, headers, body = server.ask("POST", "/apps/numbers/stream", accept_encoding="gzip;q=0")
        assert "content-encoding" not in headers
        assert decoded(body)[-1]["event"] == "summary"
        body = server.ask("POST", "/apps/numbers/stream", accept_encoding="gzip")[2]
        assert decoded(gzip.decompress(body))[-1]["event"] == "summary"


@pytest.mark.parametrize(("app", "kind", "failed"), [("dead", "DeadLetter", 2), ("skips", "SkippedInput", 2)])
def test_nd06_nd07_every_failure_is_told_once_and_the_others_arrive(home, app, kind, failed):
    """With its node and the reason, without secrets and folders of the machine."""
    with running(app) as server:
        events = server.events(app, {"count": 4})
    errors = [event for event in events if event["event"] == "error"]
    summary = events[-1]
    assert [event["result"]["n"] for event in events if event["event"] == "result"] == [0, 2]
    assert [error["error"]["type"] for error in errors] == [kind] * failed
    assert (errors[0]["error"]["context"]["node"], errors[0]["message"]) == (f"{app}/odd", errors[0]["error"]["message"])
    assert errors[0]["message"].endswith("1 is odd, in output")
    assert (summary["status"], summary["successful"], summary["failed"]) == ("partial", 2, failed)
    assert str(home) not in json.dumps(events)


def test_nd09_a_result_larger_than_an_event_may_be_is_an_error():
    """Which says of what and how much; the others arrive, and the run goes on."""
    limits = BufferLimits(largest=5000)
    with running("numbers", buffer=limits) as server:
        big = server.events("numbers", {"count": 2, "size": 6000, "fields": {"url": "http://a"}})
        small = server.events("numbers", {"count": 2, "size": 4000})
    [error, _] = [event["error"] for event in big if event["event"] == "error"]
    assert (error["type"], error["error_code"], error["category"]) == ("EventTooLarge", "LIMIT_SIZE", "too_large")
    assert error["context"] == {"url": "http://a"}
    assert error["message"].endswith("is larger than 5000, and is not sent")
    assert (big[-1]["status"], big[-1]["failed"], small[-1]["successful"]) == ("partial", 2, 2)


def test_nd09_what_an_app_says_of_how_far_it_is_may_be_longer():
    """It fails no run: it is told, as a summary is."""
    told = log(limits={"largest": 1024}).put("progress", {"current_url": "http://a/" + "x" * 2000})
    assert timed(told)


def test_er11_a_run_that_fails_says_so_once_and_ends_with_a_summary():
    """What came before it arrives."""
    with running("stops") as server:
        events = [event for event in server.events("stops", {"count": 4}) if event["event"] != "progress"]
    assert [event["event"] for event in events][-2:] == ["error", "summary"]
    assert [event["event"] for event in events].count("error") == 1
    assert (events[-2]["error"]["type"], events[-1]["status"]) == ("PipelineFailed", "failed")


def test_what_is_printed_is_an_event_of_its_own(capfd):
    """And not on the server's standard output."""
    with running("shown") as server:
        events = server.events("shown", {"count": 1})
    printed = [event for event in events if event["event"] == "output"]
    assert '"n": 0' in printed[0]["text"]
    assert capfd.readouterr().out == ""


def test_an_event_of_an_app_cannot_take_the_number_of_ours():
    """Its field of that name is left out, and names that tell of the connection stay ours."""
    with running("numbers") as server:
        own = server.events("numbers", {"count": 2, "fields": {"event": "page", "seq": 99}})
        kept = server.events("numbers", {"count": 1, "fields": {"event": "summary"}})
    assert [event["seq"] for event in own] == list(range(1, len(own) + 1))
    assert [event["n"] for event in own if event["event"] == "page"] == [0, 1]
    assert [event["event"] for event in kept].count("summary") == 1


@pytest.mark.parametrize("protocol", ["stream", "sse"])
def test_r05_older_clients_get_a_start_and_flat_results(protocol):
    """Beside what others get: with the same numbers, and none for what is there twice; followed later, too."""
    with running("numbers") as server:
        fields = {"count": 1, "fields": {"url": "u", "seq": 99}}
        body = server.ask("POST", f"/apps/numbers/{protocol}?compat=v1", fields, x_request_id="r")[2]
        events = decoded(body) if protocol == "stream" else [json.loads(one["data"]) for one in frames(body)]
        again = decoded(server.ask("GET", "/runs/r/stream?since=1&compat=v1")[2])
        assert server.ask("POST", f"/apps/numbers/{protocol}?compat=v2")[0] == 400
    metadata, start, result = events[:3]
    assert [event["event"] for event in events][:3] == ["metadata", "start", "result"]
    assert "seq" not in start
    assert start["request_id"] == metadata["request_id"]
    assert (result["url"], result["result"]["url"], result["seq"], result["index"]) == ("u", "u", 2, 0)
    assert again[0] == result


def test_r05_a_session_that_older_clients_follow_is_theirs():
    """The URL it is told has the word in it."""
    with running("numbers") as server:
        begun = json.loads(server.ask("POST", "/apps/numbers/sse?compat=v1", x_session_id="s")[2])
        names = [frame.get("event") for frame in frames(server.ask("GET", begun["stream_url"])[2])]
    assert names[:2] == ["metadata", "start"]


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_a_run_is_paused_and_cancelled_over_plain_http(action):
    """Paused it gives no more results; cancelled, even then, it ends with a summary that says so."""
    with running("numbers") as server, server.asked("POST", "/apps/numbers/stream", FOREVER, x_request_id="run") as reply:
        reply.readline()
        state = json.loads(server.ask("POST", f"/runs/run/{action}")[2])["state"]
        assert state == {"pause": "paused", "cancel": "cancelled"}[action]
        server.ask("DELETE", "/runs/run")
        summary = decoded(reply.read())[-1]
        assert (summary["event"], summary["status"]) == ("summary", "cancelled")
        assert json.loads(server.ask("DELETE", "/runs/run")[2])["state"] == "cancelled"
        assert server.ask("POST", "/runs/run/fly")[0] == 404


def test_a_run_whose_stream_broke_is_listed_and_cancelled_over_plain_http():
    """By its name, whatever it was followed over, until nobody has come back for it; its summary can still be had."""
    with running("numbers") as server:
        with server.asked("POST", "/apps/numbers/sse", FOREVER, x_request_id="run") as reply:
            reply.readline()
        assert eventually(lambda: not json.loads(server.ask("GET", "/runs/run")[2])["attached"])
        [listed] = json.loads(server.ask("GET", "/runs")[2])["runs"]
        assert (listed["request_id"], listed["state"]) == ("run", "running")
        assert json.loads(server.ask("DELETE", "/runs/run")[2])["state"] == "cancelled"
        assert decoded(server.ask("GET", "/runs/run/stream?since=1")[2])[-1]["status"] == "cancelled"


def test_hd02_hd16_names_are_made_where_none_are_given_and_a_connection_is_kept_if_it_may_be():
    """A session that was made here is known by its form; over HTTP/1.0 there is no word of keeping."""
    with running("numbers") as server:
        _, headers, body = server.ask("POST", "/apps/numbers/stream")
        first = decoded(body)[0]
        assert (headers["x-session-id"], headers["x-request-id"]) == (first["session_id"], first["request_id"])
        assert first["session_id"].count(".") == 3
        with socket.create_connection(server.address, timeout=20) as old:
            old.sendall(b"POST /apps/numbers/stream HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            head, _, rest = b"".join(iter(lambda: old.recv(65536), b"")).partition(b"\r\n\r\n")
    assert b"connection: keep-alive" not in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert decoded(rest)[-1]["event"] == "summary"


def test_the_same_key_finds_the_same_run_with_all_its_events():
    """A client that does not know whether its request came through sends it again."""
    with running("numbers") as server:
        first = server.events("numbers", idempotency_key="k")
        second = server.events("numbers", idempotency_key="k")
        other = server.events("numbers", idempotency_key="k2")
    assert first == second
    assert other[0]["request_id"] != first[0]["request_id"]


def test_bp11_more_runs_than_there_may_be_are_told_to_come_back():
    """503 for all, 429 for one address; both with Retry-After."""
    for caps, status in ((Caps(streams=1), 503), (Caps(per_client=1), 429)):
        with running("numbers", caps=caps) as server, server.asked("POST", "/apps/numbers/stream", FOREVER) as reply:
            reply.readline()
            found, headers, body = server.ask("POST", "/apps/numbers/stream")
            assert (found, headers["retry-after"]) == (status, "1")
            assert json.loads(body)["error"]["retryable"] is True


def test_nd13_ep11_ep12_what_is_not_there_is_said_in_json():
    """Unknown apps with the nearest name, other methods with those there are; each with a type, and whether to try again."""
    with running("numbers") as server:
        status, _, body = server.ask("POST", "/apps/number/stream")
        assert (status, json.loads(body)["error"]["message"]) == (404, "no app 'number' is served; did you mean 'numbers'?")
        status, headers, _ = server.ask("GET", "/apps/numbers/stream")
        assert (status, headers["allow"]) == (405, "POST")
        assert server.ask("HEAD", "/apps/numbers/sse?session_id=x")[0] == 405
        for path in ("stream", "sse"):
            status, headers, body = server.ask("POST", f"/apps/numbers/{path}", b"{]")
            assert (status, headers["content-type"]) == (400, "application/json")
            assert json.loads(body)["error"].items() >= {"type": "InvalidRequest", "retryable": False}.items()


def test_a_session_stands_for_the_token_where_a_browser_can_send_none():
    """On streams only, and only one that this server made for somebody who knew the token."""
    with running("numbers", token="right") as server:
        bearer = {"authorization": "Bearer right"}
        session = json.loads(server.ask("POST", "/sessions", **bearer)[2])["session_id"]
        begun = json.loads(server.ask("POST", "/apps/numbers/sse", x_session_id=session, **bearer)[2])
        assert server.ask("GET", begun["stream_url"])[0] == 200
        forged = session[:-1] + ("0" if session[-1] != "0" else "1")
        assert server.ask("GET", f"/apps/numbers/sse?session_id={forged}")[0] == 401
        assert server.ask("GET", f"/runs?session_id={session}")[0] == 401
        assert server.ask("GET", "/apps/numbers/sse?session_id=s-1")[0] == 401


def test_a_run_is_found_however_its_owner_spells_the_scheme():
    """One program writes `Bearer`, another `bearer`; both have the token."""
    with running("numbers", token="right") as server:
        server.events("numbers", x_request_id="mine", authorization="Bearer right")
        assert server.ask("GET", "/runs/mine", authorization="bearer  right")[0] == 200


def test_a_socket_that_is_not_asked_for_as_one_says_how():
    """A GET without the upgrade gets 426, anything else 405: not that nothing is there."""
    with running("numbers") as server:
        for method, expected in (("GET", 426), ("POST", 405)):
            status, headers, body = server.ask(method, "/apps/numbers/ws")
            assert (status, headers["upgrade"], headers["allow"]) == (expected, "websocket", "GET")
            said = "/apps/numbers/ws is a WebSocket; ask for it by GET with `Upgrade: websocket`"
            assert json.loads(body)["error"]["message"] == said


def test_what_is_followed_without_a_session_or_a_run_says_which_is_needed():
    """No session is another fault than one that has no run."""
    with running("numbers") as server:
        session = json.loads(server.ask("POST", "/sessions")[2])["session_id"]
        asked = [server.ask("GET", f"/apps/numbers/sse{query}") for query in ("", f"?session_id={session}")]
    said = [(status, json.loads(body)["error"]["message"]) for status, _, body in asked]
    assert said == [
        (400, "a session is followed here: name it by ?session_id=ID"),
        (404, "there is no run of this app in the session, or none any more"),
    ]


def test_a_refusal_at_the_door_has_the_shape_of_all_errors():
    """Without the token, and too often, clients find the sentence where it always is."""
    with running("numbers", token="T", limit=RateLimit(rate=0.01, burst=1)) as server:
        answers = [server.ask("GET", "/apps") for _ in range(2)]
    assert [status for status, *_ in answers] == [401, 429]
    errors = [json.loads(body)["error"] for *_, body in answers]
    assert [(error["type"], error["retryable"]) for error in errors] == [("Refused", False), ("Refused", True)]


def test_ss19_a_server_that_ends_lets_its_runs_end_with_a_summary():
    """The sources are stopped; nothing hangs."""
    with running("numbers") as server, server.asked("POST", "/apps/numbers/stream", FOREVER, x_request_id="run") as reply:
        reply.readline()
        server.server.should_exit = True
        summary = decoded(reply.read())[-1]
    assert (summary["event"], summary["reason"]) == ("summary", "shutdown")
    assert summary["status"] in {"partial", "cancelled"}


def test_bp13_ss18_a_client_that_never_reads_is_cut_off():
    """Whatever the system's buffers hold; others do not notice."""
    with running("numbers", pace=Pace(send=0.3)) as server:
        with socket.create_connection(server.address) as sleeper:
            body = json.dumps({"count": 10**6, "size": 4000}).encode()
            head = f"POST /apps/numbers/stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            sleeper.sendall(head.encode() + body)
            totals = server.streams._observed.totals
            assert eventually(lambda: totals.closed == 1)
            assert server.events("numbers")[-1]["status"] == "complete"
        assert b'streaming_duration_seconds_count{status="slow"} 1.0' in server.ask("GET", "/metrics")[2]
        assert eventually(lambda: not server.server.server_state.connections)


def test_a_connection_too_many_from_one_address_is_told_to_come_back():
    """Before it has said anything."""
    with running("numbers", per_address=1) as server, server.asked("POST", "/apps/numbers/stream", FOREVER) as reply:
        reply.readline()
        with socket.create_connection(server.address, timeout=10) as other:
            assert other.recv(1000).startswith(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n")
