"""Sort, and what sorts more than fits in memory."""

import random
import tempfile

import pytest

from transmissions import RunError
from transmissions.processors.external_sort import number_key, text_key
from transmissions.processors.sort import Order, Sort
from transmissions.processors.structure import JSONWalker
from transmissions.testing import through


def by(path, compare="text", *, descending=False):
    return Order(path=path, compare=compare, descending=descending)


def values(bench, order, *given, **settings):
    return [message.get("v") for message in bench.through(Sort(by=(order,), **settings), *[{"v": value} for value in given])]


@pytest.mark.parametrize(
    ("compare", "given", "wanted"),
    [
        ("text", ["b", "a", "\U0001f600", "é", "a\0", "", "B"], ["", "B", "a", "a\0", "b", "é", "\U0001f600"]),
        ("number", [3, "-1.5", 0.25, -7, "1e3", 0], [-7, "-1.5", 0, 0.25, 3, "1e3"]),
        ("date", ["2026-11-21", "2026-11-20T23:00:00-02:00", 0], [0, "2026-11-21", "2026-11-20T23:00:00-02:00"]),
    ],
)
def test_fields_compare_as_asked(bench, compare, given, wanted):
    """As text, numbers or points in time, and in reverse."""
    assert values(bench, by("v", compare), *given) == wanted
    assert values(bench, by("v", compare, descending=True), *given) == wanted[::-1]


def test_what_has_no_value_comes_last(bench):
    """Whichever way the others go."""
    assert values(bench, by("v", "number"), None, 2, 1) == [1, 2, None]
    assert values(bench, by("v", "number", descending=True), None, float("inf"), 2) == [float("inf"), 2, None]
    assert bench.through(Sort(by=(by("a.b"),)), {}, {"a": {"b": 1}}) == [{"a": {"b": 1}}, {}]


def test_equal_messages_stay_in_their_order(bench):
    """A second field decides between equal firsts, and nothing else is turned round."""
    messages = [{"a": a, "n": n} for n, a in enumerate("bacabcab")]
    found = bench.through(Sort(by=(by("a", descending=True),)), *messages)
    assert [(m["a"], m["n"]) for m in found] == sorted([(m["a"], m["n"]) for m in messages], key=lambda one: -ord(one[0]))
    found = bench.through(Sort(by=(by("a"), by("n", "number", descending=True))), *messages)
    assert [m["n"] for m in found] == [6, 3, 1, 7, 4, 0, 5, 2]


@pytest.mark.parametrize("memory", [1, 1000, 20_000, 10**9])
def test_more_than_memory_holds_is_sorted_the_same(bench, memory):
    """With a file for every message, for some, for none; equal keys stay in order across parts."""
    draw = random.Random(1)
    messages = [{"k": draw.randrange(50), "n": n, "text": "x" * draw.randrange(200)} for n in range(1000)]
    found = bench.through(Sort(by=(by("k", "number"),), memory=memory), *messages)
    assert found == sorted(messages, key=lambda message: message["k"])


def test_each_group_is_sorted_by_itself():
    """And nothing of one is in another."""
    found = through(
        [JSONWalker(), Sort(by=(by("content", "number"),), memory=300)], [{"content": [3, 1, 2]}, {"content": [9, 7]}]
    )
    assert [message["content"] for message in found] == [1, 2, 3, 7, 9]


def test_a_failed_run_leaves_no_file(bench, tmp_path, monkeypatch):
    """The temporary file has no name, and is closed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    with pytest.raises(RunError, match="the field 'v' is no number but 'x'"):
        values(bench, by("v", "number"), 1, 2, "x", memory=1)
    assert not list((tmp_path / "t").iterdir())


@pytest.mark.parametrize(
    ("value", "compare", "fault"),
    [
        ([1], "number", "the field 'v' is no number but a list"),
        (True, "number", "is no number but a bool"),
        (10**400, "number", "too large to be compared"),
        ("soon", "date", "the field 'v' is no time, which is seconds or ISO 8601 text, but 'soon'"),
    ],
)
def test_what_does_not_compare_is_an_error(bench, value, compare, fault):
    """It names the field and what is there."""
    with pytest.raises(RunError, match=fault):
        values(bench, by("v", compare), value)


def test_what_cannot_be_written_down_is_an_error(bench):
    """Only plain data can be held."""
    with pytest.raises(RunError, match="only plain data can be held"):
        bench.through(Sort(by=(by("v"),)), {"v": 1, "x": lambda: None})


def test_keys_are_in_order_as_bytes():
    """Numbers of every size and sign, and texts that begin alike."""
    numbers = [float("-inf"), -1e300, -2.5, -1, -1e-300, 0, 1e-300, 1, 2**53, 1e300, float("inf")]
    assert [number_key(number) for number in numbers] == sorted(number_key(number) for number in numbers)
    assert number_key(-0.0) == number_key(0)
    texts = ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "ab", "\ud83d"]
    assert [text_key(text) for text in texts] == sorted(text_key(text) for text in texts)
