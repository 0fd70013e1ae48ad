"""Fields of messages by dotted path."""

import pytest

from transmissions import RunError
from transmissions.processors.access import drop, need, put, without


def test_a_change_inside_a_message_is_not_seen_by_a_shallow_copy_of_it():
    """Setting a dotted path copies the dicts and lists on the way first."""
    first = {"page": {"tags": [{"name": "a"}]}}
    second = dict(first)
    put(second, "page.tags[0].name", "b")
    put(second, "page.title.text", "T")
    assert first == {"page": {"tags": [{"name": "a"}]}}
    assert second == {"page": {"tags": [{"name": "b"}], "title": {"text": "T"}}}


def test_removing_inside_a_message_leaves_its_copies_alone():
    """Removing a dotted path copies the way to it first, and an absent path is no error."""
    first = {"a": {"b": 1, "c": 2}}
    second = dict(first)
    drop(second, "a.b")
    drop(second, "x.y")
    assert (first, second) == ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}})
    assert without(first, "a") == {}


def test_an_absent_field_is_named_with_the_nearest_right_name():
    """A misspelt field is answered with the field that was probably meant."""
    with pytest.raises(RunError, match=r"no field 'contnet'; did you mean 'content'\?"):
        need({"content": 1}, "contnet")
    with pytest.raises(RunError, match=r"no field 'x'; it has title, body$"):
        need({"title": 1, "body": 2}, "x")
    with pytest.raises(RunError, match="no field 'x'; it is empty"):
        need({}, "x")
