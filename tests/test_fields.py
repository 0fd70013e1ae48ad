"""Dotted paths into messages."""

from __future__ import annotations

import pytest

from transmissions.fields import get_field, remove_field, set_field


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


@pytest.mark.parametrize("path", ["a.b", "rows[7]", "rows[7].n", "rows.name"])
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
