"""Rows C60 to C78: JSON, patterns, events, the log and the rate.

C74, a pattern that takes for ever, is refused before the run: nothing can stop a search that has begun. What the judge of
patterns does not see can still take long.
"""

import asyncio
import itertools
import logging
import time

import pytest
from commands import Trace, sh, shell, streaming

from transmissions.errors import UsageError
from transmissions.streaming import (
    BatchProcessor,
    CommandRunner,
    EventBus,
    EventEmitter,
    JsonLineProcessor,
    LoggingProcessor,
    PatternMatchProcessor,
    RateLimitedProcessor,
    StreamingConfig,
    parse_json,
)


def told(script, *readers, kind=None, **options):
    """Return events of a run, without those of the run itself."""
    events = sh(script, *readers, **options).events
    return [one for one in events if one["type"] not in {"started", "completed"} and kind in {None, one["type"]}]


def matches(text, patterns, **options):
    """Return the events of patterns in a text."""
    return told(f"printf '%s' '{text}'", PatternMatchProcessor(patterns, **options))


def test_c60_valid_lines_are_events():
    """Lines that are JSON are events, others are passed over."""
    reader = JsonLineProcessor()
    events = told("""echo '{"a": 1}'; echo text; echo; echo '{"b": [2]}'; echo 'null'""", reader)
    assert [one["value"] for one in events] == [{"a": 1}, {"b": [2]}, None]
    assert (reader.parsed, reader.malformed) == (3, 1)


@pytest.mark.parametrize(
    ("line", "value"), [("123", 123), ('"s"', "s"), (" [1] ", [1]), ('{"a": 1, "a": 2}', {"a": 2}), ("\t{}\r", {})]
)
def test_c61_any_value_is_json(line, value):
    """Numbers, texts and lists are JSON; blanks may stand around, and the last of equal keys counts."""
    assert parse_json(line) == value


@pytest.mark.parametrize(
    "line",
    [
        "NaN",
        "-Infinity",
        "1e999",
        "\ufeff{}",
        "{} {}",
        "[1,]",
        "",
        "'a'",
        "{a: 1}",
        "01",
        '"\\ud800"',
        '"\t"',
        "\u00a0{}",
        '{"\\udc00": 1}',
    ],
)
def test_c62_what_only_looks_like_json_is_none(line):
    """What no other reader of JSON would take is refused."""
    with pytest.raises(ValueError, match=r"."):
        parse_json(line)


def test_a_pair_of_surrogates_is_a_character():
    """Both halves of a pair are text."""
    assert parse_json('"\\ud83d\\ude00"') == "\U0001f600"


def test_c63_an_event_knows_where_and_when():
    """Events carry output, line number, time and a running number."""
    before = time.time()
    events = told("echo x; echo 1; echo 2 >&2", JsonLineProcessor())
    assert sorted((one["source"], one["line"]) for one in events) == [("stderr", 1), ("stdout", 2)]
    assert all(before - 1 < one["time"] < time.time() + 1 for one in events)
    assert [one["seq"] for one in events] == [2, 3]


def test_c64_without_events_lines_are_counted():
    """Switched off, no event is told and lines are counted all the same."""
    reader = JsonLineProcessor(emit_events=False)
    assert told("echo 1; echo x", reader) == []
    assert (reader.parsed, reader.malformed) == (1, 1)


def test_c65_events_reach_result_and_listeners():
    """Events of a processor in a configuration are in the result, and listeners hear them in the loop's thread."""
    heard = []
    runner = CommandRunner(listeners=[heard.append, lambda event: 1 / 0])
    config = streaming(mode="structured", form="jsonlines")
    result = asyncio.run(runner.run("echo", ["1"], streaming_config=config))
    assert result.events == heard
    assert [one["type"] for one in heard] == ["started", "json", "completed"]


def test_c66_events_nobody_reads_hold_up_nothing():
    """However many events are told, the latest are kept and the run ends."""
    result = sh("seq 20000", EventEmitter("line"))
    assert len(result.events) == 10_000
    assert result.events[-1]["seq"] == 20_002


def test_c67_malformed_json_is_reported_on_request():
    """Lines that are no JSON are events, if asked for."""
    events = told("echo '{'; echo; echo 1", JsonLineProcessor(report_malformed=True), kind="malformed")
    assert [(one["text"], one["line"]) for one in events] == [("{", 1)]


@pytest.mark.parametrize("line", ["[" * 100_000, "9" * 100_000, '{"a":' * 100_000, "1" + "0" * 5000, "-" * 10])
def test_c68_hostile_json_is_no_json(line):
    """Deep nesting and huge numbers are refused, not crashed on."""
    with pytest.raises(ValueError, match=r"."):
        parse_json(line)


def test_c70_every_pattern_is_tried():
    """Each pattern that is found is one event, of its own type."""
    events = matches("ERROR: 12 34", {"error": r"ERROR: (.+)", "number": r"(\d+)", "none": "x"})
    assert [(one["type"], one["captures"]) for one in events] == [("error", ["12 34"]), ("number", ["12"])]


def test_c71_captures_keep_their_places():
    """A group that took no part is None, and named groups have their names."""
    event = matches("b", [r"(a)?(?P<second>b)"])[0]
    assert (event["type"], event["captures"], event["groups"]) == ("match", [None, "b"], {"second": "b"})
    assert (event["text"], event["pattern"], event["source"], event["line"]) == ("b", r"(a)?(?P<second>b)", "stdout", 1)


def test_c72_patterns_are_found_anywhere():
    """A pattern is found in the middle of a line, of standard error too; one alone needs no list."""
    assert [one["source"] for one in told("echo an error here >&2", PatternMatchProcessor("error"))] == ["stderr"]


def test_c73_all_matches_on_request():
    """Every match of a line is an event, if asked for."""
    assert [one["captures"] for one in matches("12 34", [r"(\d+)"], every=True)] == [["12"], ["34"]]


def test_c74_a_pattern_that_runs_away_is_refused():
    """A pattern whose search could take for ever is refused."""
    with pytest.raises(UsageError, match="run for ever"):
        PatternMatchProcessor([r"(a+)+$"])


def test_c75_each_line_is_an_event():
    """An EventEmitter tells each line as an event of its type."""
    assert [(one["type"], one["text"]) for one in told("seq 2", EventEmitter("line"))] == [("line", "1"), ("line", "2")]


def test_c76_lines_are_logged(caplog):
    """Lines are logged behind a prefix, at a level."""
    caplog.set_level(logging.DEBUG, "transmissions")
    sh("echo a; echo '%s' >&2", LoggingProcessor("build", logging.INFO))
    assert sorted((one.levelname, one.getMessage()) for one in caplog.records) == [
        ("INFO", "build: stderr: %s"),
        ("INFO", "build: stdout: a"),
    ]


def test_c77_a_rate_is_not_exceeded():
    """No more lines a second than allowed come, and all of them do."""
    times, trace = [], Trace()
    sh("seq 9", RateLimitedProcessor(lambda line, source: times.append(time.monotonic()), 20), trace)
    assert len(times) == 9
    assert times[-1] - times[0] > 8 / 20 - 0.02  # sleeping too long is no failure, too short is
    assert all(later - earlier > 0.03 for earlier, later in itertools.pairwise(times[:1] + times[-1:]))


def test_a_rate_holds_for_batches_and_their_ends():
    """A reader of batches gets one line at a time, tells events, and knows of the end."""

    class Batch(BatchProcessor):
        counts, ends = [], []

        def process_batch(self, lines):
            self.counts.append(lines.count)

        def on_complete(self, exit_code):
            self.ends.append(exit_code)

    batch = Batch()
    events = told("seq 3", RateLimitedProcessor(batch, 1000), RateLimitedProcessor(EventEmitter("line"), 1000))
    assert (batch.counts, batch.ends, len(events)) == ([1, 1, 1], [0], 3)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_c78_a_rate_of_nothing_is_refused(rate):
    """A rate is above 0."""
    with pytest.raises(UsageError):
        RateLimitedProcessor(Trace(), rate)


def test_events_from_threads_are_told_in_the_loop():
    """Events that are told from a thread keep their order, and none comes after the run."""
    threads = []

    async def listen():
        import threading

        bus = EventBus(listeners=[lambda event: threads.append(threading.get_ident() == own)])
        own = threading.get_ident()
        await asyncio.to_thread(lambda: [bus.publish("a", {}) for _ in range(3)])
        await asyncio.sleep(0)
        bus.close()
        bus.publish("late", {})
        return [one["seq"] for one in bus.events]

    assert asyncio.run(listen()) == [1, 2, 3]
    assert threads == [True] * 3
    assert StreamingConfig().processors == ()
    assert asyncio.run(shell("true")).events[-1]["type"] == "completed"
