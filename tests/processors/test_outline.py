import json

import pytest
from generate_claude import sample

from transmissions.processors.outline import outline
from transmissions.processors.shapes import find_shape

TEXT = json.dumps(sample())


def test_an_outline_shows_ways_and_short_texts():
    """Ways to keys are given down to four keys, lists as [], and short texts with them."""
    seen = outline(b'\xef\xbb\xbf{"a": [{"b": "x", "c": {"d": {"e": 1}}, "f": "' + b"y" * 65 + b'"}]}')
    assert seen.paths == {".a", ".a[]", ".a[].b", ".a[].c", ".a[].c.d", ".a[].c.d.e", ".a[].f"}
    assert seen.values == {".a[].b": frozenset({"x"})}


def test_objects_on_lines_are_as_one():
    """Objects that follow each other are outlined together."""
    seen = outline(b'{"type": "user", "a": {"b": 1}}\n{"type": "system"}\n')
    assert (seen.paths, seen.values[".type"]) == ({".type", ".a", ".a.b"}, {"user", "system"})


def test_keys_in_texts_do_not_count():
    """What looks like a key inside a text is none."""
    text = json.dumps([{"text": json.dumps({"chat_messages": [1], "mapping": {}})}])
    assert outline(text.encode()).paths == {"[]", "[].text"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"chat_messages"', '"chat_messages" oops'),
        ('"content"', '"content'),
        ('"name"', '"name'),
        ('"uuid"', '"uuid'),
        ('{"uuid', '{{"uuid'),
        ("[{", '[{"x" {'),
        ('"chat_messages": [', '"chat_messages": [\x00}]{'),
        ('"chat_messages": [', '"chat_messages": '),
        ("]}, {", ", {"),
    ],
)
def test_a_broken_first_element_does_not_hide_the_others(old, new):
    """After a fault the outline is that of the elements behind it, and no smaller object is taken for one."""
    seen = outline(TEXT.replace(old, new, 1).encode())
    assert {"[].uuid", "[].name", "[].chat_messages"} <= seen.paths
    assert "[].sender" not in seen.paths
    assert find_shape(TEXT.replace(old, new, 1).encode())[0].name == "claude"


@pytest.mark.parametrize(
    "data", [b"[" * 300_000, b'{"a":' * 60_000, b'["' + b'\\"' * 130_000, b'{"a":1,' * 40_000, b"[" + b'"a b' * 60_000]
)
def test_an_outline_is_bounded(data):
    """However a file is built, the outline of its head stays small."""
    seen = outline(data)
    assert len(seen.paths) <= 2000
    assert all(len(path) <= 400 for path in seen.paths)


def test_many_ids_do_not_crowd_out_the_keys():
    """A map of thousands of ids leaves room for the keys beside and below it."""
    nodes = {f"id{number}": {"message": None} for number in range(3000)}
    assert outline(json.dumps([{"mapping": nodes, "current_node": "x"}]).encode()[: 1 << 17]).has("[].mapping")
    assert len(outline(json.dumps([{"mapping": nodes}]).encode()).paths) <= 2000


def test_what_nobody_knows_is_described():
    """JSON of no known kind is told of with its first keys; a picture and a page are told from it."""
    assert find_shape(b'[{"b": 1, "a": [2]}]') == (None, "something else with the keys 'a', 'b'")
    assert [find_shape(data)[1] for data in (b"\x89PNG", b"<html>", b" [ ] ")] == ["no JSON", "a page", "an empty list"]
    assert find_shape(b"[.ShellClassInfo]\r\nIconFile=x") == (None, "something else")
