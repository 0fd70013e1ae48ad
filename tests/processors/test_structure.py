"""Restructure, SetField, SetMessage, JSONWalker."""

import pytest

from transmissions import RunError
from transmissions.processors.structure import JSONWalker, Rename, Restructure, SetField, SetMessage, Setter, parse_json


def test_all_values_are_read_before_any_is_written(bench):
    """A rename that overwrites a source of the next one does not disturb it."""
    step = Restructure(rename=(Rename(pre="content.messages", post="content"), Rename(pre="content.name", post="meta.name")))
    assert bench.through(step, {"content": {"name": "N", "messages": [{"a": 1}]}}) == [
        {"content": [{"a": 1}], "meta": {"name": "N"}}
    ]


def test_a_rename_copies(bench):
    """The original stays in place, and the copy is its own."""
    (result,) = bench.through(Restructure(rename=(Rename(pre="a", post="b"),)), {"a": [1]})
    result["b"].append(2)
    assert result == {"a": [1], "b": [1, 2]}


def test_a_rename_reaches_into_lists(bench):
    """A place in brackets is read from a list, and a missing list is made."""
    step = Restructure(rename=(Rename(pre="rows[1].n", post="first[0].n"), Rename(pre="rows[0].n", post="first[1].n")))
    assert bench.through(step, {"rows": [{"n": 1}, {"n": 2}]})[0]["first"] == [{"n": 2}, {"n": 1}]


def test_what_is_removed_is_gone(bench):
    """Removing deletes at the top and inside alike, and absent paths are no fault."""
    step = Restructure(remove=("a", "b.c", "x.y", "z"), rename=(Rename(pre="absent", post="never"),))
    assert bench.through(step, {"a": 1, "b": {"c": 1, "d": 2}}) == [{"b": {"d": 2}}]


def test_a_field_is_set_at_a_dotted_path(bench):
    """SetField makes the way and keeps the type, and makes a list of several."""
    assert bench.through(SetField(field="user.age", value=(42,)), {}) == [{"user": {"age": 42}}]
    assert bench.through(SetField(field="tags", value=("a", 1)), {}) == [{"tags": ["a", 1]}]


@pytest.mark.parametrize("content", [["a", "b"], {"k": "a", "l": "b"}, '["a", "b"]'])
def test_walking_gives_each_element_in_the_place_of_the_whole(bench, content):
    """Lists, objects and JSON text are walked alike."""
    assert bench.through(JSONWalker(), {"content": content, "m": 1}) == [{"content": "a", "m": 1}, {"content": "b", "m": 1}]


def test_a_pointer_leads_to_the_list_and_the_rest_stays(bench):
    """The list at a dotted pointer is left out of the items, its neighbours are not."""
    items = bench.through(JSONWalker(pointer="doc.rows", target_field="row", limit=1), {"doc": {"rows": [1, 2], "t": "T"}})
    assert items == [{"doc": {"t": "T"}, "row": 1}]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (5, "neither a list nor an object but a int"),
        ("[1,", r"field 'content':1:4: not valid JSON: expecting value"),
        (" ", "there is nothing$"),
        ('["', "1:2: not valid JSON: unterminated string$"),
        ("9" * 5000, "a number has too many digits"),
    ],
)
def test_walking_what_cannot_be_walked_fails(bench, content, fault):
    """A number, or text that is not JSON, is an error that says why."""
    with pytest.raises(RunError, match=fault):
        bench.through(JSONWalker(), {"content": content})


def test_several_fields_are_set_in_order(bench):
    """SetMessage makes the ways, keeps the types, and a later setter sees what an earlier one made."""
    step = SetMessage(
        setters=(Setter(key="user.age", value=42), Setter(key="user.name", value="A"), Setter(key="x", value=True))
    )
    assert bench.through(step, {"x": 1}) == [{"user": {"age": 42, "name": "A"}, "x": True}]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_has_no_word_for_is_told_with_its_place(word):
    """Python's parser takes it; whatever reads what is written then would not. In a text it is text."""
    text = f'{{"{word}": "\\"{word}",\n "a": [1, {word}]}}'
    for given in (text, text.encode(), text.encode("utf-16")):
        with pytest.raises(RunError, match=rf"^f\.json:2:11: not valid JSON: there is no {word}$"):
            parse_json(given, "f.json")
    with pytest.raises(RunError, match=r"^f\.ndjson:7:2: "):
        parse_json(f"[{word}]", "f.ndjson", 7)
