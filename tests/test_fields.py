"""Dotted paths into messages."""

from __future__ import annotations

import pytest

from transmissions import MISSING, get_field, remove_field, set_field


@pytest.mark.parametrize(
    ("path", "value"),
    [("a", 1), ("b.c", 2), ("list[1].x", 3), ("list.1.x", 3), ("b.d.e", None), ("list[9]", None), ("x.y", 4), ("n.7", "seven")],
)
def test_get_field_follows_keys_and_positions(path, value):
    """A path may mix keys, list positions and keys that hold a dot themselves."""
    message = {"a": 1, "b": {"c": 2, "d": None}, "list": [{}, {"x": 3}], "x.y": 4, "n": {"7": "seven"}}
    assert get_field(message, path) == value


def test_get_field_tells_null_from_missing():
    """A field that is null is found; only a missing one gives the default."""
    assert get_field({"a": None}, "a", "default") is None
    assert get_field({"a": None}, "a.b", "default") == "default"


def test_set_field_makes_the_way():
    """Dicts on the way are made, null counting as nothing there."""
    message = {"a": None}
    set_field(message, "a.b.c", 1)
    assert message == {"a": {"b": {"c": 1}}}


def test_set_field_reaches_into_lists():
    """A position of an existing list can be set."""
    message = {"rows": [{"n": 1}, {"n": 2}]}
    set_field(message, "rows[1].n", 5)
    assert message["rows"][1] == {"n": 5}


@pytest.mark.parametrize(
    ("message", "path", "result"),
    [
        ({}, "rows[0].n", {"rows": [{"n": 5}]}),
        ({"rows": [1]}, "rows[1]", {"rows": [1, 5]}),
        ({"rows": None}, "rows[0][0]", {"rows": [[5]]}),
        ({}, "rows.0", {"rows": {"0": 5}}),
    ],
)
def test_set_field_makes_lists_and_lets_them_grow(message, path, result):
    """A position in brackets means a list, which grows by one item at its end."""
    set_field(message, path, 5)
    assert message == result


@pytest.mark.parametrize("path", ["a.b", "new[1]", "rows[7]", "rows[7].n", "rows.name"])
def test_set_field_refuses_a_way_through_other_values(path):
    """A way through text or past a list's end is an error that names the path."""
    with pytest.raises(ValueError, match=r"cannot set"):
        set_field({"a": "text", "rows": []}, path, 1)


@pytest.mark.parametrize(
    ("path", "found"), [("a", 1), ("b.c", 2), ("rows[0]", "x"), ("b.none", None), ("rows[4]", None), ("a.q", None)]
)
def test_remove_field_returns_what_it_took(path, found):
    """Removing gives the old value, or None where there was none, and never fails."""
    message = {"a": 1, "b": {"c": 2}, "rows": ["x", "y"]}
    assert remove_field(message, path) == found
    assert get_field(message, path) != found or found is None


def test_a_change_inside_a_message_is_not_seen_by_a_shallow_copy_of_it():
    """Setting a dotted path copies the dicts and lists on the way first."""
    first = {"page": {"tags": [{"name": "a"}]}}
    second = dict(first)
    set_field(second, "page.tags[0].name", "b")
    set_field(second, "page.title.text", "T")
    assert first == {"page": {"tags": [{"name": "a"}]}}
    assert second == {"page": {"tags": [{"name": "b"}], "title": {"text": "T"}}}


def test_removing_inside_a_message_leaves_its_copies_alone():
    """Removing a dotted path copies the way to it first, and an absent path is no error."""
    first = {"a": {"b": 1, "c": [1, {"d": 2}]}}
    second = dict(first)
    for path in ("a.b", "a.c[1].d", "x.y", ""):
        remove_field(second, path)
    assert (first, second) == ({"a": {"b": 1, "c": [1, {"d": 2}]}}, {"a": {"c": [1, {}]}})


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"a.b": 1}, "a.b"),
        ({"a.b": 1, "a": {"b": 3}}, "a.b"),
        ({"a": {7: 1}}, "a.7"),
        ({"a": {"07": 1, "7": 2}}, "a.07"),
        ({"a": {"\u00b2": 1}}, "a.\u00b2"),
        ({"a": ({"b": 1},)}, "a[0].b"),
        ({}, "a.b"),
        ({"7": 1}, "7"),
    ],
)
def test_what_is_set_is_what_is_found_and_removed(message, path):
    """All three functions mean the same place by a path, whatever keys there are."""
    set_field(message, path, 2)
    assert get_field(message, path) == 2
    assert remove_field(message, path) == 2
    assert get_field(message, path, MISSING) in (MISSING, 3)


class Late:
    """What knows itself what it is in JSON."""

    def __init__(self, value):
        self._value = value

    def __json__(self):
        return self._value


def test_a_path_leads_into_what_says_itself_what_it_is():
    """A value with a method `__json__` is what that gives for whoever looks, sets or removes below it."""
    message = {"talk": {"counts": Late({"messages": 2}), "messages": Late([{"id": 1}, {"id": 2}])}}
    assert get_field(message, "talk.counts.messages") == 2
    assert get_field(message, "talk.messages") == [{"id": 1}, {"id": 2}]
    set_field(message, "talk.messages[1].id", 3)
    assert remove_field(message, "talk.messages[0]") == {"id": 1}
    assert message["talk"]["messages"] == [{"id": 3}]
