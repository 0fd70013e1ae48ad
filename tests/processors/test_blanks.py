"""Blanker."""

import pytest

from transmissions import RunError
from transmissions.processors.blanks import Blanker

MESSAGE = {"title": "T", "content": {"id": "i", "n": 1, "items": [{"id": "j", "text": "x", "at": None}, "y"]}}


def test_texts_below_a_pointer_are_blanked(bench):
    """Structure, numbers and null stay, and so does what is beside the pointer; the incoming values are not touched."""
    (result,) = bench.through(Blanker(), dict(MESSAGE))
    assert result == {"title": "T", "content": {"id": "", "n": 1, "items": [{"id": "", "text": "", "at": None}, ""]}}
    assert MESSAGE["content"]["items"][1] == "y"


@pytest.mark.parametrize(
    ("preserve", "kept"),
    [
        (("content.items.id",), ["", "j", ""]),
        (("id",), ["i", "j", ""]),
        (("content.items",), ["", "j", "x"]),
        (("content", "none"), ["i", "j", "x"]),
    ],
)
def test_some_texts_are_kept(bench, preserve, kept):
    """A path keeps what is there in every item of a list, a name what is so called anywhere."""
    content = bench.through(Blanker(preserve=preserve), dict(MESSAGE))[0]["content"]
    assert [content["id"], content["items"][0]["id"], content["items"][0]["text"]] == kept


def test_other_places_can_be_blanked(bench):
    """The whole message, or one item of a list; a place that is not there is an error."""
    assert bench.through(Blanker(pointer="", preserve=("title",)), {"title": "T", "x": "y"}) == [{"title": "T", "x": ""}]
    step = Blanker(pointer="a[1].b", preserve=("a.b.c",))
    assert bench.through(step, {"a": ["x", {"b": {"c": "c", "d": "d"}}]}) == [{"a": ["x", {"b": {"c": "c", "d": ""}}]}]
    with pytest.raises(RunError, match="no field 'content'"):
        bench.through(Blanker(), {})
