"""What is done with lines: JsonLines, PatternMatcher, Filter, EventEmitter, Logger, Timestamp, ShowLines, CommandReport."""

import logging

import pytest

from transmissions import Condition, NodeFailed, UsageError
from transmissions.processors.line_events import EventEmitter, Logger
from transmissions.processors.line_filter import Filter, level_in
from transmissions.processors.line_json import JsonLines
from transmissions.processors.line_patterns import LinePattern, PatternMatcher
from transmissions.processors.line_show import CommandReport, ShowLines
from transmissions.processors.line_times import Timestamp
from transmissions.testing import through


def of(*lines, **fields):
    """Return messages with lines."""
    return [{"line": line, "source": "stdout", "number": number, **fields} for number, line in enumerate(lines, 1)]


def lines(messages):
    """Return the lines of messages."""
    return [message.get("line") for message in messages]


def patterns(*pairs, **settings):
    """Return a matcher of (pattern, event type) pairs."""
    return PatternMatcher(patterns=tuple(LinePattern(pattern=one, event_type=kind) for one, kind in pairs), **settings)


def test_json_becomes_a_value_and_an_event(bench):
    """A line's value is in a field, and is told; a message without a line passes by."""
    messages = bench.through(JsonLines(event_type="json"), *of('{"a": 1}', "[2]"), {"command": {}})
    assert [message.get("value") for message in messages] == [{"a": 1}, [2], None]
    assert [(kind, fields["value"], fields["number"]) for kind, fields in bench.events] == [
        ("json", {"a": 1}, 1),
        ("json", [2], 2),
    ]


def test_the_line_may_go_when_its_value_is_there():
    """With `keepLine false` only a line that is no JSON stays."""
    assert lines(through(JsonLines(keep_line=False), of("1", "no"))) == [None, "no"]


def test_json_may_become_the_message():
    """With an empty target an object's members are fields."""
    messages = through(JsonLines(target_field=""), of('{"a": 1, "number": 9}', "2"))
    assert [(message.get("a"), message.get("value"), message["number"]) for message in messages] == [(1, None, 9), (None, 2, 2)]


@pytest.mark.parametrize(("malformed", "left"), [("keep", 3), ("drop", 1), ("reject", 1)])
def test_what_is_no_json_is_dealt_with_as_declared(bench, malformed, left):
    """It is kept with the reason, dropped, or set aside; an empty line is no fault."""
    messages = bench.through(JsonLines(malformed=malformed), *of("1", "no", ""))
    assert len(messages) == left
    assert len(bench.rejected) == (malformed == "reject")
    assert [message["line"] for message in messages if "malformed" in message] == (["no"] if malformed == "keep" else [])


def test_patterns_are_found_with_their_groups(bench):
    """Each that is found is told in the order of the patterns; the first one's type is the event."""
    matcher = patterns((r"in (?P<file>\S+)(:\d+)?", "place"), ("error", "failure"), groups_to="found")
    first, second = bench.through(_Batched(inner=matcher), *of("an error in a.c", "fine"))
    assert first["event"] == "place"
    assert first["found"] == {"file": "a.c"}
    assert [(match["type"], match["captures"], match["groups"]) for match in first["matches"]] == [
        ("place", ["a.c", None], {"file": "a.c"}),
        ("failure", [], {}),
    ]
    assert "event" not in second
    assert "matches" not in second
    assert [(kind, fields["number"]) for kind, fields in bench.events] == [("place", 1), ("failure", 1)]


class _Batched(PatternMatcher):
    """A matcher that takes messages one by one."""

    patterns: tuple[LinePattern, ...] = (LinePattern(pattern="x"),)
    inner: PatternMatcher

    def attach(self, context):
        super().attach(context)
        self.inner.attach(context)

    def process(self, message):
        return self.inner.process_batch([message])


def test_all_matches_may_be_had():
    """A pattern counts once in a line, or as often as it is found."""
    for every, count in ((False, 1), (True, 3)):
        (message,) = through(patterns((r"\d", "digit"), all_matches=every), of("1 2 3"))
        assert len(message["matches"]) == count


def test_lines_without_a_match_may_be_dropped_or_named():
    """What is not found is dropped, or has an event of its own, a message without a line too."""
    assert lines(through(patterns(("a", "x"), unmatched="drop"), of("a", "b"))) == ["a"]
    messages = through(patterns(("a", "x"), otherwise="line"), [*of("a", "b"), {"command": {}}])
    assert [message["event"] for message in messages] == ["x", "line", "line"]


def test_two_patterns_may_be_of_one_type():
    """Both count."""
    messages = through(patterns(("a", "x"), ("b", "x"), unmatched="drop"), of("a", "b", "c"))
    assert lines(messages) == ["a", "b"]


@pytest.mark.parametrize(("pattern", "fault"), [("(", "not a regular expression"), ("(a+)+$", "can run for ever")])
def test_bad_patterns_are_refused(pattern, fault):
    """A pattern that is none, or could run for ever, is an error before a run, in a Filter too."""
    with pytest.raises(UsageError, match=fault):
        patterns((pattern, "x"))
    with pytest.raises(UsageError, match=fault):
        Filter(patterns=(pattern,))


def test_a_line_that_is_no_text_is_an_error():
    """Patterns are found in text only."""
    with pytest.raises(NodeFailed, match="the field 'line' is not text but a int"):
        through(patterns(("a", "x")), of(5))


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, [0, 1, 2, 3]),
        ({"source": "stderr"}, [1]),
        ({"patterns": ("^a", "d$")}, [0, 2]),
        ({"literals": ("b c", "zz")}, [0]),
        ({"level": "warning"}, [1, 3]),
        ({"where": (Condition(field="number", greater=2.0),)}, [2, 3]),
        ({"where": (Condition(field="value.type", exists=True),)}, [3]),
        ({"level": "warning", "where": (Condition(field="number", less=3.0),)}, [1]),
        ({"mode": "drop", "patterns": ("^a",)}, [1, 2, 3]),
    ],
)
def test_a_filter_keeps_what_all_its_tests_hold_for(settings, kept):
    """Source, patterns, texts, level and conditions; or drops just those."""
    messages = of("a b c", "WARN: x1", "info: e d", "no level")
    messages[1]["source"] = "stderr"
    messages[3] |= {"level": "ERROR", "value": {"type": None}}
    assert [message["number"] - 1 for message in through(Filter(**settings), messages)] == kept


def test_a_filter_may_let_other_messages_pass():
    """A message without a line is judged like an empty one, or kept."""
    assert through(Filter(literals=("a",)), [{"command": {}}]) == []
    assert through(Filter(literals=("a",), others="keep"), [{"command": {}}]) == [{"command": {}}]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("[2026-01-01] WARNING: disk", "warning"),
        ("warn x", "warning"),
        ("E error in x", "error"),
        ("level=err msg", "error"),
        ("FATAL", "critical"),
        ("terror strikes, errors.txt", ""),
        ("", ""),
    ],
)
def test_a_level_is_the_first_word_that_is_one(line, level):
    """Other words for it count, parts of words do not."""
    assert level_in(line) == level


@pytest.mark.parametrize(("given", "count"), [({}, 0), ({"equals": 1, "less": 2.0}, 2)])
def test_a_condition_has_one_operator(given, count):
    """None or several is an error."""
    with pytest.raises(UsageError, match=f"exactly one operator, not {count}"):
        Condition(field="a", **given)


def test_events_are_told_and_written(bench):
    """The event has the line and what else is asked for; its type is in the message."""
    emitter = EventEmitter(event_type="deployed", fields=("value.version",))
    (message,) = bench.through(emitter, *of("x", value={"version": 3}))
    assert message["event"] == "deployed"
    assert bench.events == [("deployed", {"node": "main/it", "line": "x", "source": "stdout", "number": 1, "value.version": 3})]
    assert "event" not in bench.through(EventEmitter(event_type="x", target_field=""), {"line": "x"})[0]


def test_lines_are_logged(bench, caplog):
    """At the level asked for, with the prefix, and without signs that could pass for another line."""
    caplog.set_level(logging.INFO, "test")
    bench.through(Logger(level="warning", prefix="build"), *of("one\ttwo", "a\x1b[2Kb\rc"), {"command": {}})
    bench.through(Logger(level="debug"), *of("hidden"))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "build: one\ttwo"),
        ("WARNING", "build: a�[2Kb�c"),
    ]


@pytest.mark.parametrize(
    ("settings", "stamps"),
    [
        ({}, ["1970-01-01T00:01:40.250Z", "1970-01-01T00:01:41.500Z"]),
        ({"format": "elapsed"}, ["0.000", "1.250"]),
        ({"format": "delta"}, ["0.000", "1.250"]),
    ],
)
def test_the_time_stands_in_front_of_a_line(settings, stamps):
    """As a moment, since the first line, or since the last."""
    messages = [{"line": "x", "time": 100.25}, {"line": "x", "time": 101.5}]
    assert lines(through(Timestamp(**settings), messages)) == [f"{stamp} x" for stamp in stamps]


def test_the_time_may_go_to_a_field():
    """The line stays, and a message without one may have it too."""
    messages = [{"line": "x", "time": 1.0}, {"time": 1.5}, {"time": 3}]
    results = through(Timestamp(format="delta", target_field="a.since"), messages)
    assert [message["a"]["since"] for message in results] == [0, 0.5, 1.5]
    assert results[0]["line"] == "x"


def test_a_message_without_a_time_is_stamped_by_the_clock(bench):
    """The clock says when it came."""
    stamp = Timestamp(format="elapsed", target_field="at")
    times = iter([10.0, 12.5])
    stamp._clock = lambda: next(times)
    assert [message["at"] for message in bench.through(stamp, {}, {})] == [0, 2.5]


def test_lines_are_printed(bench):
    """One line each, what is not from the standard output with its source; messages without a line are passed over."""
    messages = of("a", "é\udcff", {"b": 1})
    messages[1]["source"] = "stderr"
    bench.through(ShowLines(labels=True, limit=9), *messages, {"command": {}})
    assert bench.shown == 'a\nstderr: é?\n{"b": 1}\n'


def test_a_report_says_what_became_of_a_program(bench):
    """How it ended, its lines and their rate, and the events that were found."""
    said = {"exitCode": 3, "signal": None, "timedOut": False, "seconds": 2.0, "lines": {"stdout": 3, "stderr": 1}, "dropped": 5}
    messages = [*of("a", "b", event="failure"), *of("c", "d", event="line"), {"command": said, "event": "line"}]
    bench.through(CommandReport(ignore=("line",)), *messages)
    (event,) = bench.events
    assert event == ("summary", {"node": "main/it", "text": "exit code 3, 4 lines (2/s), 1 on stderr, 5 dropped, 2 failure"})


@pytest.mark.parametrize(
    ("said", "words"),
    [({"exitCode": None, "signal": 9}, "ended by signal 9"), ({"exitCode": None, "timedOut": True}, "the time was up")],
)
def test_a_report_names_other_ends(bench, said, words):
    """A signal and a time-out are told, that a program did not end, and of the lines of a file only how many there were."""
    bench.through(CommandReport(), {"command": said})
    bench.through(CommandReport(), *of("a"))
    bench.through(CommandReport(), {"line": "a"}, {"line": "b"})
    texts = [fields["text"] for _, fields in bench.events]
    assert texts == [f"{words}, 0 lines", "stopped before it ended, 1 line", "2 lines"]
