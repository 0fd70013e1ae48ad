"""Aggregate, its figures and its windows."""

import math
import random
import statistics

import pytest

from transmissions import RunError, UsageError
from transmissions.processors.aggregate import Aggregate, Figure
from transmissions.processors.figures import Sketch, Total
from transmissions.processors.structure import JSONWalker
from transmissions.testing import through

COUNT = (Figure(name="n", function="count"),)
LISTED = (Figure(name="v", function="list", field="v"),)


def figure(function, **more):
    return Figure(name="f", function=function, field="v", **more)


def events(*pairs):
    return [{"at": at, "v": value, "k": "x"} for at, value in pairs]


def windows(bench, kind, *pairs, **settings):
    step = Aggregate(compute=LISTED, window=kind, time_field="at", **settings)
    return [(m["windowStart"][14:19], m["windowEnd"][14:19], m["v"]) for m in bench.through(step, *events(*pairs))]


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("count", 5), ("sum", 10.5), ("mean", 2.1), ("min", -1), ("max", "5"), ("first", 3), ("last", 0.5),
        ("list", [3, "5", 3, -1, 0.5]), ("distinct", [3, "5", -1, 0.5]), ("distinctCount", 4), ("quantile", 3),
    ],
)  # fmt: skip
def test_figures_of_a_group(bench, function, result):
    """Text that is a number counts as one; null and absent values are passed over."""
    messages = [{"v": value} for value in (3, None, "5", 3, -1, 0.5)]
    assert bench.through(Aggregate(compute=(figure(function),)), *messages, {}) == [{"f": result}]


def test_nothing_has_no_figures(bench):
    """A count of nothing is 0, a list empty, anything else null; without messages there is no group."""
    names = ("count", "sum", "mean", "min", "first", "list", "distinctCount", "quantile")
    step = Aggregate(compute=tuple(Figure(name=name, function=name, field="v") for name in names))
    assert list(bench.through(step, {})[0].values()) == [0, None, None, None, None, [], 0, None]
    assert bench.through(Aggregate(compute=COUNT)) == []


def test_groups_are_told_apart_by_key(bench):
    """In order of their first messages, under the paths they were read from; 1 and `1` are one."""
    messages = [{"a": {"b": "x"}, "c": 1}, {"a": {"b": "y"}, "c": 1}, {"a": {"b": "x"}, "c": "1"}]
    step = Aggregate(group_by=("a.b", "c"), compute=COUNT)
    assert bench.through(step, *messages) == [{"a": {"b": "x"}, "c": 1, "n": 2}, {"a": {"b": "y"}, "c": 1, "n": 1}]


def test_a_group_of_the_stream_ends_its_figures():
    """Each list has its own count."""
    found = through([JSONWalker(), Aggregate(compute=COUNT)], [{"content": [1, 2, 3]}, {"content": [1]}])
    assert found == [{"n": 3}, {"n": 1}]


def test_groups_may_be_counted_together():
    """With `scope`, only the end of the stream counts."""
    found = through([JSONWalker(), Aggregate(compute=COUNT, scope="stream")], [{"content": [1, 2, 3]}, {"content": [1]}])
    assert found == [{"n": 4}]


def test_windows_by_number(bench):
    """Each key counts for itself; what is left comes at the end."""
    messages = [{"k": key, "v": n} for n, key in enumerate("aabaab")]
    step = Aggregate(group_by=("k",), compute=LISTED, window="count", size=2)
    assert [(m["k"], m["v"]) for m in bench.through(step, *messages)] == [("a", [0, 1]), ("a", [3, 4]), ("b", [2, 5])]
    assert [m["v"] for m in bench.through(Aggregate(compute=LISTED, window="count", size=4), *messages)] == [
        [0, 1, 2, 3],
        [4, 5],
    ]


def test_windows_by_time_wait_for_what_is_late(bench):
    """Within `lateness` it counts; after its window was sent it is skipped, and told."""
    pairs = [(0, "a"), (59, "b"), (61, "c"), (10, "d"), (69, "e"), (70, "f"), (11, "late"), (200, "g")]
    found = windows(bench, "time", *pairs, size=60, lateness=10)
    assert found == [("00:00", "01:00", ["a", "b", "d"]), ("01:00", "02:00", ["c", "e", "f"]), ("03:00", "04:00", ["g"])]
    assert len(bench.skipped) == 1
    assert "at is 1970-01-01T00:00:11Z, the latest was 1970-01-01T00:01:10Z" in bench.skipped[0][0]


def test_sessions_end_after_a_pause(bench):
    """A late message may join two; one that follows none that is open is skipped."""
    pairs = [(0, "a"), (8, "b"), (30, "c"), (16, "d"), (100, "e"), (24, "late")]
    found = windows(bench, "session", *pairs, size=10, lateness=15)
    assert found == [("00:00", "00:16", ["a", "b", "d"]), ("00:30", "00:30", ["c"]), ("01:40", "01:40", ["e"])]
    assert len(bench.skipped) == 1
    assert windows(bench, "session", (0, "a"), (16, "c"), (8, "b"), size=10, lateness=60) == [
        ("00:00", "00:16", ["a", "c", "b"])
    ]


def test_windows_by_the_clock(bench):
    """What is complete goes out with the next message."""
    step = Aggregate(compute=LISTED, window="clock", size=60)
    step._clock = iter([0, 59, 61, 300]).__next__
    found = bench.through(step, *[{"v": n} for n in range(4)])
    assert [(m["windowStart"], m["v"]) for m in found] == [
        ("1970-01-01T00:00:00Z", [0, 1]),
        ("1970-01-01T00:01:00Z", [2]),
        ("1970-01-01T00:05:00Z", [3]),
    ]


@pytest.mark.parametrize("kind", ["time", "session"])
def test_windows_that_are_over_are_let_go_of(bench, kind):
    """However long the stream, only open ones count against `maxGroups`."""
    step = Aggregate(group_by=("k",), compute=COUNT, window=kind, size=5, time_field="at", max_groups=3)
    messages = [{"at": n * 10, "k": n % 7} for n in range(1000)]
    assert sum(m["n"] for m in bench.through(step, *messages)) == 1000


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"k": 1, "v": "x", "at": 0}, "the field 'v' is no number but 'x'"),
        ({"v": 1, "at": 0}, "no field 'k'"),
        ({"k": 1, "v": 1, "at": "soon"}, "the field 'at' is no time"),
        ({"k": 1, "v": 1, "at": 1.7e12}, r"the field 'at' is no time, .* but 1700000000000\.0"),
        ({"k": 1, "v": 1, "at": math.nan}, "the field 'at' is no time"),
        ({"k": 1, "v": 1, "at": "9999-12-31T23:59:59-05:00"}, "the field 'at' is no time"),
        ({"k": 1, "v": 1, "at": "9999-12-31T23:59:59Z"}, "the window .* would begin or end outside the years 1 to 9999"),
        ({"k": 1, "v": "nan", "at": 0}, "the field 'v' is no number but 'nan'"),
        ({"k": 1, "v": "9" * 5000, "at": 0}, "the field 'v' is no number but '9"),
    ],
)
def test_bad_data_is_an_error(bench, message, fault):
    """It names the field, and what it holds."""
    step = Aggregate(group_by=("k",), compute=(figure("sum"),), window="time", size=1, time_field="at")
    with pytest.raises(RunError, match=fault):
        bench.through(step, message)


def test_memory_is_bounded(bench):
    """One group, or one value of a list, too many is an error that names the setting."""
    with pytest.raises(RunError, match=r"more than 2 groups are open at once \(:maxGroups\)"):
        bench.through(Aggregate(group_by=("k",), compute=COUNT, max_groups=2), *[{"k": n} for n in range(3)])
    for function in ("list", "distinctCount"):
        with pytest.raises(RunError, match=r"more than 2 values .*\(:maxValues\)"):
            bench.through(Aggregate(compute=(figure(function),), max_values=2), *[{"v": n} for n in range(3)])


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"window": "count"}, "needs :size"),
        ({"window": "time", "size": 1}, "needs :timeField"),
        ({"time_field": "at"}, "and for no other"),
        ({"compute": (Figure(name="x", function="sum"),)}, "the figure 'x' needs the :field"),
    ],
)
def test_impossible_settings_are_refused(settings, fault):
    """Before anything runs."""
    with pytest.raises(UsageError, match=fault):
        Aggregate(**{"compute": COUNT, **settings})


def test_sums_lose_nothing():
    """Small numbers beside large ones count, whole numbers of any size are exact, infinity stays."""
    for values, wanted in (
        ([1e16, 1.0, -1e16], 1.0),
        ([10**30, 1], 10**30 + 1),
        ([math.inf, 1.0], math.inf),
        ([0.1] * 10, 1.0),
    ):
        total = Total(is_mean=False)
        for value in values:
            total.add(value)
        assert total.result() == wanted


@pytest.mark.parametrize("parts", [1, 7])
def test_quantiles_are_close_in_bounded_memory(parts):
    """Within one percent of rank after many thousand values, also when sketches are merged."""
    draw = random.Random(5)
    values = [draw.gauss(0, 1) for _ in range(40_000)]
    for share in (0.01, 0.5, 0.99):
        sketches = [Sketch(share) for _ in range(parts)]
        for number, value in enumerate(values):
            sketches[number % parts].add(value)
        for other in sketches[1:]:
            sketches[0].merge(other)
        found = sketches[0].result()
        rank = sum(value <= found for value in values) / len(values)
        assert abs(rank - share) < 0.015
        assert sum(map(len, sketches[0]._levels)) < 1500


def test_few_values_have_exact_quantiles():
    """The median of up to 400 values is one of them, the lower one of two."""
    sketch = Sketch(0.5)
    values = random.Random(3).sample(range(1000), 400)
    for value in values:
        sketch.add(value)
    assert sketch.result() == statistics.median_low(values)
