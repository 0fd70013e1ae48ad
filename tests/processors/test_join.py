"""Join."""

import random

import pytest

from transmissions import RunError, UsageError
from transmissions.processors.flow import Fork
from transmissions.processors.join import Join
from transmissions.testing import through


def orders(*ids):
    return [{"side": "order", "customer": {"id": one}, "n": n} for n, one in enumerate(ids)]


def customers(*ids):
    return [{"side": "customer", "id": one, "name": f"C{one}"} for one in ids]


def join(**settings):
    sides = {"side_field": "side", "left": "order", "right": "customer"}
    return Join(**{**sides, "key": ("customer.id",), "right_key": ("id",), **settings})


def pairs(found):
    return [(message.get("n"), (message["match"] or {}).get("name")) for message in found]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("inner", [(0, "C1"), (2, "C1")]),
        ("left", [(0, "C1"), (2, "C1"), (1, None), (3, None)]),
        ("outer", [(0, "C1"), (2, "C1"), (None, "C3"), (1, None), (None, "CNone"), (3, None)]),
    ],
)
def test_messages_of_one_key_are_joined(bench, kind, wanted):
    """In whatever order they come; null equals nothing, and what matches none is told."""
    messages = orders(1, 5, "1", None) + customers(1, 3, None)
    for _ in range(3):
        random.Random(kind).shuffle(messages)
        messages.sort(key=lambda one: one.get("n", 0))
        found = bench.through(join(kind=kind), *[{**one} for one in messages])
        assert sorted(pairs(found), key=str) == sorted(wanted, key=str)
    assert bench.events[-1] == ("unmatched", {"node": "main/it", "left": 2, "right": 2})


def test_every_pair_goes_out(bench):
    """Two of one side and three of the other make six."""
    found = bench.through(join(), *orders(7, 7, 7), *customers(7, 7))
    assert [n for n, _ in pairs(found)] == [0, 0, 1, 1, 2, 2]


def test_fields_may_be_merged(bench):
    """Without a target the left one's fields win, and what matches none keeps its key."""
    found = bench.through(join(target_field="", kind="outer"), *orders(1), *customers(1, 2))
    assert found == [
        {"side": "order", "customer": {"id": 1}, "n": 0, "id": 1, "name": "C1"},
        {"side": "customer", "id": 2, "name": "C2", "customer": {"id": 2}},
    ]


def test_keys_of_several_fields_are_not_run_together(bench):
    """`a`, `bc` is another key than `ab`, `c`."""
    step = join(key=("x", "y"), right_key=())
    left = [{"side": "order", "x": "a", "y": "bc", "n": 0}]
    right = [{"side": "customer", "x": x, "y": y, "name": y} for x, y in (("ab", "c"), ("a", "bc"), ("a\0", "bc"))]
    assert pairs(bench.through(step, *left, *right)) == [(0, "bc")]


@pytest.mark.parametrize("memory", [1, 5000, 10**9])
def test_more_than_memory_holds_is_joined_the_same(bench, memory):
    """By way of a temporary file."""
    draw = random.Random(2)
    left, right = orders(*[draw.randrange(300) for _ in range(500)]), customers(*range(0, 300, 2))
    found = bench.through(join(memory=memory, kind="left"), *left, *right)
    assert len(found) == 500
    assert all((m["match"] is None) == (m["customer"]["id"] % 2 == 1) for m in found)
    assert all(m["match"] is None or m["match"]["id"] == m["customer"]["id"] for m in found)


@pytest.mark.parametrize(("scope", "count"), [("group", 2), ("stream", 4)])
def test_groups_may_be_joined_by_themselves(scope, count):
    """Then nothing of one group meets another."""
    step = Join(side_field="forkN", left="0", right="1", key=("k",), scope=scope)
    found = through([Fork(forks=2), step], [{"k": 1}, {"k": 1}])
    assert [(m["forkN"], m["match"]["forkN"]) for m in found] == [(0, 1)] * count


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"side": "x"}, "the field 'side' is neither 'order' nor 'customer' but 'x'"),
        ({"side": "order"}, "no field 'customer.id'"),
    ],
)
def test_bad_data_is_an_error(bench, message, fault):
    """It names the field."""
    with pytest.raises(RunError, match=fault):
        bench.through(join(), message)


def test_the_right_side_of_one_key_is_bounded(bench):
    """One too many is an error that names the key."""
    with pytest.raises(RunError, match=r"more than 2 right messages have id 7 \(:maxMatches\)"):
        bench.through(join(max_matches=2), *customers(7, 7, 7))


def test_impossible_settings_are_refused():
    """Before anything runs."""
    with pytest.raises(UsageError, match="as many paths in :rightKey"):
        join(right_key=("a", "b"))
