"""The parts of the Python client, each on its own."""

import random

import pytest

from transmissions.client import (
    Backoff,
    BackpressureDetector,
    Disconnected,
    Event,
    Failure,
    Metadata,
    Record,
    Refused,
    Result,
    StreamError,
    StreamMetrics,
    is_retryable,
    printing,
)
from transmissions.client.events import read
from transmissions.client.wire import Broken, Frames, Lines

FULL = {"event": "progress", "buffer_info": {"used": 97, "capacity": 100}}
EVENTS = [{"event": "metadata", "seq": 1}, {"event": "result", "seq": 2, "result": {"text": "Grüße, 世界 🚀"}}]


def fed(reader, data, size):
    """Return what a reader makes of bytes that come in pieces."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [one for piece in pieces for one in reader.feed(piece)] + reader.end()


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_py04_t2_27_lines_may_be_cut_anywhere(size):
    """Inside a character, too; blank lines are none, and the last needs no line feed."""
    data = '\n{"event": "metadata", "seq": 1}\r\n\n{"event":"result","seq":2,"result":{"text":"Grüße, 世界 🚀"}}'.encode()
    assert [arrived.data for arrived in fed(Lines(), data, size)] == EVENTS


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_t226_frames_are_read_as_the_standard_has_them(size, end):
    """With any line end, with and without a space, with data on several lines, and comments passed over."""
    lines = [": hello", "event: x", "id: 7", "data:[1,", "data: 2]", "", "retry: 3000", "", "data: {}", "", "data: cut"]
    found = fed(Frames(), end.join(lines).encode(), size)
    assert [tuple(arrived) for arrived in found] == [([1, 2], 7, "x"), ({}, 0, "")]


def test_what_is_no_json_is_passed_over():
    """It is told apart, and what comes behind it is read."""
    first, second = Lines().feed(b'{"event":\n{"event": "result"}\n')
    assert isinstance(first, Broken)
    assert second.data == {"event": "result"}


def test_an_event_without_end_is_refused(monkeypatch):
    """A server cannot have a client keep any amount of it."""
    monkeypatch.setattr("transmissions.client.wire.LARGEST", 100)
    for reader in (Lines(), Frames()):
        with pytest.raises(StreamError, match="an event is larger than"):
            fed(reader, b"data: " + b"x" * 200, 10)


def test_events_are_typed():
    """Those of the envelope by name, an app's own as they are, and records without a name too."""
    kinds = [type(read({"event": name})) for name in ("metadata", "result", "error", "mine")]
    assert kinds == [Metadata, Result, Failure, Event]
    assert read({"event": "result", "seq": 3, "index": 1, "result": {"a": 2}}).result == {"a": 2}
    assert read({"event": "error", "error": "as a text"}).message == "as a text"
    assert read([1, 2], 5, "done") == Record("done", 5, {"value": [1, 2]})


def test_er15_the_wait_doubles_up_to_a_bound():
    """From the second on that the sample has; sockets begin with two."""
    assert [Backoff(3).ceiling(attempt) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert [Backoff(5, 2.0).ceiling(attempt) for attempt in range(1, 6)] == [2, 4, 8, 16, 30]
    assert Backoff().ceiling(10**9) == 30


def test_er21_the_wait_is_left_to_chance():
    """Anywhere between nothing and the ceiling, so that many clients do not come back together."""
    random.seed(5)
    waits = [Backoff().delay(3) for _ in range(1000)]
    assert 0 <= min(waits) < 0.2
    assert 3.8 < max(waits) <= 4
    assert abs(sum(waits) / 1000 - 2) < 0.2


def test_what_a_server_asks_for_is_kept_to():
    """The wait is no shorter than `Retry-After`, but not without end either."""
    assert 7 <= Backoff().delay(1, 7.0) <= 8
    assert Backoff().delay(1, 1e9) < 302


@pytest.mark.parametrize(
    ("status", "told", "may_pass"),
    [(400, {"retryable": True}, False), (404, {}, False), (429, {}, True), (503, {}, True), (500, {"retryable": False}, False)],
)
def test_er20_faults_of_the_request_are_not_tried_again(status, told, may_pass):
    """Of 4xx only 429 is, of 5xx those that do not say otherwise."""
    assert Refused(status, told).is_retryable is may_pass


@pytest.mark.parametrize("name", ["NetworkError", "TimeoutError", "ConnectionError", "TemporaryFailure"])
def test_er02_er16_errors_of_connections_may_pass(name):
    """By their kind, or by a name in their text; any other error may not."""
    assert is_retryable(RuntimeError(f"{name}: no route"))
    assert is_retryable(ConnectionResetError())
    assert is_retryable(Disconnected("gone"))
    assert not is_retryable(ValueError("no number"))


def test_cm01_pressure_is_seen_in_the_buffer_and_in_the_gaps():
    """A warning from 80 % on, critical from 95 % on, slow when ten gaps are more than 5 s on average."""
    detector = BackpressureDetector()
    levels = [
        alert.level
        for used in (80, 81, 96)
        for alert in detector.record(read({**FULL, "buffer_info": {"used": used, "capacity": 100}}), 0)
    ]
    assert levels == ["warning", "critical"]
    slow = BackpressureDetector()
    alerts = [slow.record(read({"event": "heartbeat"}), number * 5.1) for number in range(120)]
    assert [len(found) for found in alerts[:11]] == [0] * 10 + [1]
    assert alerts[10][0].info["avg_interval_ms"] == pytest.approx(5100)
    assert len(slow.arrivals) == 100


def test_py05_the_rate_is_that_of_the_latest_events():
    """Of 50 at most: their number less one, by the time between the first and the last."""
    metrics = StreamMetrics()
    for number in range(80):
        metrics.record(read({"event": "result"}), number * 0.5)
    assert metrics.get_events_per_second() == pytest.approx(2.0)
    assert StreamMetrics().get_events_per_second() == 0
    assert len(metrics.event_rates) == 50


def test_py06_a_full_buffer_counts_as_a_warning():
    """So does the server's own, and the latest hundred values are kept."""
    metrics = StreamMetrics()
    for _ in range(150):
        metrics.record(read(FULL), 0.0)
    metrics.record(read({"event": "backpressure_warning"}), 0.0)
    assert metrics.backpressure_warnings == 151
    assert metrics.buffer_stats == {"max_usage": 0.97, "avg_usage": pytest.approx(0.97), "flushes": 100}


def test_cm02_events_are_counted_by_type():
    """With the share of errors, the mean time of handling, and a way to begin anew."""
    metrics = StreamMetrics()
    for name, milliseconds in (("result", 2.0), ("error", 4.0)):
        metrics.record(read({"event": name}), 0.0)
        metrics.update_processing_time(milliseconds)
    assert dict(metrics.events_by_type) == {"result": 1, "error": 1}
    assert (metrics.error_rate, metrics.avg_processing_time_ms) == (0.5, 3.0)
    metrics.reset()
    assert (metrics.total_events, metrics.events_by_type) == (0, {})


@pytest.mark.parametrize(
    ("since", "first", "said"),
    [
        (3, 9, "events 4 to 8 are lost: the server has them no longer"),
        (81, 1, "the server does not know how far this was: what it has comes anew, from event 1 on"),
        (-1, 5, "the server does not know how far this was: what it has comes anew, from event 5 on"),
    ],
)
def test_it_is_said_what_is_lost_or_comes_again(capsys, since, first, said):
    """A server that was restarted has lost nothing between two events, but all it knew."""
    printing.Lines(results=True).event(read({"event": "reset", "since": since, "first": first, "last": 20}))
    assert capsys.readouterr().err == f"{said}\n"


def test_the_line_for_people_goes_on_to_say_how_many_there_will_be(capsys):
    """Each result says it, and what says nothing of it does not take it back."""
    terminal = printing.Terminal()
    for number in range(2):
        terminal.event(read({"event": "result", "index": number, "result": {}, "progress": {"completed": 1, "total": 9}}))
    terminal.event(read({"event": "output", "text": "so"}))
    assert capsys.readouterr().out.endswith("\r\x1b[K2 of 9 results")
