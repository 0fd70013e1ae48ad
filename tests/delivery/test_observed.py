"""What is told of a server's streams: lifecycle, metrics, health, errors, and the description of its endpoints."""

import json
import re

import pytest
from delivering import decoded, make_home, running
from hypothesis import HealthCheck, given, settings
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from waiting import eventually

from transmissions.delivery import errors, lifecycle
from transmissions.delivery.connection import Pace
from transmissions.delivery.health import GlobalStreamingMetrics
from transmissions.delivery.totals import Totals

FOREVER = {"count": 10**6, "wait": 0.01}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)
    return tmp_path


def scraped(server):
    """Return all samples by name, with their labels and values."""
    samples = {}
    for family in text_string_to_metric_families(server.ask("GET", "/metrics")[2].decode()):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return samples


def test_lc01_lc02_lc04_lc05_lc07_lc10_every_connection_tells_its_life_in_order_and_is_closed_once():
    """Whether it ended, was replaced, left or expired; a listener that fails ends nothing."""
    told = []
    with running("numbers", pace=Pace(longest=1.5)) as server:
        server.streams.hub.lifecycle.listen(lambda _: 1 / 0)
        server.streams.hub.lifecycle.listen(told.append)
        body = server.ask("POST", "/apps/numbers/stream")[2]
        with server.asked("POST", "/apps/numbers/sse", FOREVER, x_request_id="r") as first:
            first.readline()
            with server.asked("GET", "/runs/r/stream") as second:
                second.readline()
                first.read()
        with server.asked("POST", "/apps/numbers/stream", FOREVER) as late:
            late.read()
        assert eventually(lambda: sum(isinstance(one, lifecycle.ConnectionClosed) for one in told) == 4)
    ends = []
    for name in {one.connection_id for one in told if isinstance(one, lifecycle.ConnectionEstablished)}:
        kinds = [type(one).__name__ for one in told if getattr(one, "connection_id", "") == name]
        assert kinds[:2] == ["ConnectionEstablished", "StreamStarted"]
        assert kinds[-1] == "ConnectionClosed"
        assert kinds[-2] in {"StreamCompleted", "StreamTerminated"}
        assert set(kinds[2:-2]) <= {"ProgressUpdate"}
        ends += [getattr(one, "reason", "complete") for one in told if getattr(one, "connection_id", "") == name][-2:-1]
    assert sorted(ends) == ["complete", "expired", "gone", "replaced"]
    closed = next(one for one in told if isinstance(one, lifecycle.ConnectionClosed))
    assert (closed.bytes_sent, closed.messages_sent) == (len(body), len(decoded(body)))
    completed = next(one for one in told if isinstance(one, lifecycle.StreamCompleted))
    assert completed.summary.items() <= decoded(body)[-1].items()


def test_lc08_lc09_connections_are_known_while_they_last():
    """By their names, with what went over them."""
    with running("numbers") as server, server.asked("POST", "/apps/numbers/stream", FOREVER, x_request_id="r") as reply:
        reply.readline()
        [connection] = server.streams.hub.lifecycle.connections.values()
        assert eventually(lambda: connection.info()["messages_sent"] >= 1)
        info = connection.info()
        assert (info["protocol"], info["current_request_id"]) == ("ndjson", "r")
        assert info["bytes_sent"] > 0


def test_mt01_mt10_the_seeds_metrics_are_there_under_both_names():
    """And their values are those of what was sent."""
    with running("numbers", "dead") as server:
        sent = server.events("numbers", {"count": 5}) + server.events("dead", {"count": 4})
        assert eventually(lambda: not server.streams.hub.lifecycle.connections)
        samples = scraped(server)
    results = sum(event["event"] == "result" for event in sent)
    for prefix in ("", "riptide_"):
        events = {(one["event"], one["protocol"]): value for one, value in samples[f"{prefix}streaming_events_total"]}
        assert events["result", "ndjson"] == results
        assert samples[f"{prefix}streaming_messages_sent_total"][0][1] == len(sent)
        assert samples[f"{prefix}streaming_active_connections"][0][1] == 0
        assert samples[f"{prefix}streaming_connections_total"][0][1] == 2
        assert samples[f"{prefix}streaming_ttfb_duration_seconds_count"][0][1] == 2
        assert samples[f"{prefix}streaming_connection_duration_seconds_count"][0][1] == 2
        assert samples[f"{prefix}streaming_errors_total"] == [({"error_type": "pipeline"}, 2.0)]
        for name in ("buffer_utilization_ratio", "messages_dropped_total", "error_rate", "memory_usage_bytes"):
            assert f"{prefix}streaming_{name}" in samples
    assert samples["riptide_streaming_total_connections"][0][1] == 2
    limits = [one["le"] for one, _ in samples["streaming_connection_duration_seconds_bucket"]]
    assert limits == ["0.01", "0.05", "0.1", "0.25", "0.5", "1.0", "5.0", "10.0", "30.0", "60.0", "300.0", "+Inf"]


def test_mt11_mt14_labels_are_names_of_ours_only():
    """Whatever apps call their events, and whatever goes wrong."""
    registry = CollectorRegistry()
    told_by = lifecycle.Lifecycle()
    Totals(registry).listen(told_by)
    for number in range(1000):
        told_by.tell(lifecycle.Sent("ndjson", 0.0, 1, {f"event{number}": 1}))
        told_by.tell(lifecycle.StreamError("r", f"category{number}", "Odd", False))
    labels = {
        tuple(sample.labels.values()) for metric in registry.collect() for sample in metric.samples if "event" in sample.labels
    }
    kinds = {
        sample.labels["error_type"]
        for metric in registry.collect()
        for sample in metric.samples
        if "error_type" in sample.labels
    }
    assert (labels, kinds) == ({("other", "ndjson")}, {"other"})


def test_mt12_how_pages_are_read_is_counted():
    """By what steps tell of it; a decision there is none of is another."""
    with running("gated") as server:
        for decision in ("raw", "raw", "headless", "probably"):
            server.events("gated", {"count": 1, "fields": {"decision": decision}})
        samples = scraped(server)
    expected = {"raw": 2, "probes_first": 0, "headless": 1, "cached": 0, "other": 1}
    for prefix in ("", "riptide_"):
        assert {one["decision"]: value for one, value in samples[f"{prefix}gate_decisions_total"]} == expected


def test_mt13_mt14_requests_are_timed_by_endpoint():
    """As it was declared, whatever clients put into their paths; a stream that goes on has been answered."""
    with running("numbers") as server, server.asked("POST", "/apps/numbers/stream", FOREVER) as reply:
        reply.readline()
        for number in range(20):
            server.ask("GET", f"/runs/{number}")
            server.ask("GET", f"/nothing/{number}")
        samples = scraped(server)
    counts = {(one["endpoint"], one["status"]): value for one, value in samples["riptide_http_request_duration_seconds_count"]}
    assert counts == {("/apps/{app}/stream", "200"): 1, ("/runs/{id}", "404"): 20, ("other", "404"): 20}


@pytest.mark.parametrize(
    ("sent", "dropped", "rate", "state", "score"),
    [
        (0, 0, 0.0, "healthy", 100),
        (100, 10, 0.05, "healthy", 100),
        (100, 11, 0.0, "degraded", 75),
        (100, 0, 0.0501, "degraded", 75),
        (100, 0, 0.1, "degraded", 75),
        (100, 0, 0.1001, "critical", 25),
        (100, 21, 0.0, "critical", 25),
        (1, 100, 0.0, "critical", 25),
    ],
)
def test_gh04_gh09_health_follows_errors_and_drops(sent, dropped, rate, state, score):
    """At the thresholds themselves it is still well; what is wrong is said in words."""
    figures = GlobalStreamingMetrics(total_messages_sent=sent, total_messages_dropped=dropped, error_rate=rate)
    assert (figures.health_status, figures.score, figures.is_operational) == (state, score, state != "critical")
    assert bool(figures.issues) is (state != "healthy")
    assert 0 <= figures.efficiency <= 1


def test_gh06_errors_of_long_ago_are_forgotten(monkeypatch):
    """A server that is asked for nothing more because it did badly is healthy again, and asked again."""
    now = [1000.0]
    monkeypatch.setattr("transmissions.delivery.totals.monotonic", lambda: now[0])
    totals, told = Totals(CollectorRegistry()), lifecycle.Lifecycle()
    totals.listen(told)
    for _ in range(16):
        told.tell(lifecycle.Sent("ndjson", 0.0, 9, {"result": 3}))
        told.tell(lifecycle.StreamError("r", "pipeline", "PipelineFailed", recoverable=False))
    rates = []
    for _ in range(3):
        rates.append(totals.error_rate)
        now[0] += 180
    assert rates == [0.25, 0.08, 0.01]


def test_gh06_one_run_that_fails_on_a_server_nobody_else_asks_says_little():
    """It is all there was, but whoever sends requests to servers that are well is not to leave this one for it."""
    totals, told = Totals(CollectorRegistry()), lifecycle.Lifecycle()
    totals.listen(told)
    states = []
    for _ in range(3):
        told.tell(lifecycle.StreamError("r", "pipeline", "PipelineFailed", recoverable=False))
        figures = GlobalStreamingMetrics(error_rate=totals.error_rate)
        states.append((figures.health_status, figures.is_ready))
    assert states == [("healthy", True), ("degraded", False), ("critical", False)]


def test_gh02_gh10_efficiency_and_room():
    """As the seed computes it."""
    figures = GlobalStreamingMetrics(total_messages_sent=100, total_messages_dropped=5, error_rate=0.02)
    assert figures.efficiency == pytest.approx(0.965)
    assert figures.is_ready
    assert not figures._replace(capacity_used=0.9).is_ready
    assert figures._replace(is_ending=True).health_status == "ending"


def test_gh01_gh12_the_health_of_streams_is_asked_for():
    """With all figures, and those of each protocol."""
    with running("numbers") as server:
        server.events("numbers")
        assert eventually(lambda: not server.streams.hub.lifecycle.connections)
        said = json.loads(server.ask("GET", "/health/streaming")[2])
    assert said["streaming_health"] == {"status": "healthy", "score": 100, "issues": []}
    assert (said["metrics"]["total_connections"], said["protocols"]["ndjson"]["health_ratio"]) == (1, 1.0)


@pytest.mark.parametrize(
    ("kind", "retryable", "status", "recovery"),
    [
        (errors.BackpressureExceeded, False, 429, {"action": "reconnect"}),
        (errors.PipelineFailed, True, 500, {"action": "retry", "attempts": 2, "delay_ms": 500}),
        (errors.InvalidRequest, False, 400, {"action": "fail"}),
        (errors.TimedOut, True, 504, {"action": "retry", "attempts": 2, "delay_ms": 500}),
        (errors.Overloaded, True, 503, {"action": "retry", "attempts": 3, "delay_ms": 1000}),
        (errors.TooMany, True, 429, {"action": "retry", "attempts": 3, "delay_ms": 1000}),
        (errors.SerializationFailed, False, 500, {"action": "fail"}),
    ],
)
def test_er01_er10_errors_say_whether_to_try_again(kind, retryable, status, recovery):
    """By their type, and have a code and a status, and what is to be done of it (ER-09)."""
    told = kind("no").told()
    assert (told["type"], told["retryable"], kind.status, told["recovery"]) == (kind.__name__, retryable, status, recovery)
    assert re.fullmatch("[A-Z_]+", told["error_code"])


def test_er09_what_is_worth_another_try_says_how_and_nothing_else_does():
    """For every kind of error there is."""
    kinds = [errors.DeliveryError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    assert len(kinds) > 10
    assert all((kind.recovery.action == "retry") is kind.retryable for kind in kinds)


def test_er07_a_time_out_says_after_how_long():
    """In seconds."""
    assert str(errors.TimedOut.after(30)) == "operation timed out after 30s"


def test_hd19_pages_of_origins_that_are_let_in_may_send_and_read_our_headers():
    """And no others."""
    from starlette.applications import Starlette
    from starlette.middleware.cors import CORSMiddleware
    from starlette.testclient import TestClient

    from transmissions.delivery import cors

    client = TestClient(CORSMiddleware(Starlette(), allow_origins=["https://app.example"], **cors.RULES))
    asked = {"origin": "https://app.example", "access-control-request-method": "POST"}
    headers = {**asked, "access-control-request-headers": "x-buffer-size,x-session-id,last-event-id,authorization"}
    reply = client.options("/apps/x/stream", headers=headers)
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (200, "https://app.example")
    assert client.options("/", headers={**headers, "origin": "https://evil.example"}).status_code == 400
    exposed = client.get("/", headers=asked).headers["access-control-expose-headers"]
    assert {"x-request-id", "x-session-id", "x-buffer-capacity"} <= set(exposed.lower().split(", "))


def test_ss11_headers_of_the_server_are_in_every_answer():
    """Streams, refusals and those for pages alike; ours stay."""
    with running("numbers", token="T", origins=["https://a"], headers=["X-Robots-Tag: noindex", "Via:  here"]) as server:
        asked = {"authorization": "Bearer T", "origin": "https://a"}
        for path, status in (("stream", 200), ("sse", 200), ("other", 404)):
            found, headers, _ = server.ask("POST", f"/apps/numbers/{path}", **asked)
            assert (found, headers["x-robots-tag"], headers["via"]) == (status, "noindex", "here")
            assert headers["access-control-allow-origin"] == "https://a"
        assert server.ask("GET", "/runs")[1]["x-robots-tag"] == "noindex"


def test_no_request_that_is_described_ends_in_a_fault():
    """Whatever is asked for, the answer is none of 500 and 502, and a 503 says when to come back."""
    import schemathesis

    with running("numbers") as server:
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        found: list[int] = []
        for operation in schema.get_all_operations():
            ask_all(operation.ok(), found)
    assert {200, 404} <= set(found)


def ask_all(operation, found):
    """Ask for an operation in many ways."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy())
    def ask(case):
        reply = case.call(timeout=20)
        found.append(reply.status_code)
        assert reply.status_code not in {500, 502}, reply.text
        assert reply.status_code != 503 or "retry-after" in {name.lower() for name in reply.headers}

    ask()
