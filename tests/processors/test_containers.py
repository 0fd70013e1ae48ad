"""FileContainer."""

import json

import pytest

from transmissions import NodeFailed
from transmissions.processors.containers import FileContainer
from transmissions.processors.flow import ForEach, Unfork
from transmissions.processors.structure import Rename, Restructure
from transmissions.testing import through

FILES = [{"p": "src/a.py", "c": "x"}, {"p": "src/sub/b.md", "c": "é"}, {"p": "c", "c": [1]}]
UNPACK = Restructure(rename=(Rename(pre="currentItem.p", post="filepath"), Rename(pre="currentItem.c", post="content")))


def test_the_files_of_a_group_become_one_text():
    """It takes their place, with paths below a folder and a summary."""
    (message,) = through([ForEach(), UNPACK, FileContainer(target_dir="src", destination="d.json")], [{"forEach": FILES}])
    assert message["filepath"] == "d.json"
    assert json.loads(message["content"]) == {
        "files": {
            "a.py": {"content": "x", "type": ".py"},
            "sub/b.md": {"content": "é", "type": ".md"},
            "../c": {"content": [1], "type": ""},
        },
        "summary": {"totalFiles": 3, "fileTypes": {"": 1, ".md": 1, ".py": 1}},
    }


def test_the_groups_own_message_has_it_too():
    """Behind Unfork it is there, for each group its own."""
    steps = [ForEach(), UNPACK, FileContainer(), Unfork()]
    first, second = through(steps, [{"forEach": FILES[:1], "n": 1}, {"forEach": FILES[1:], "n": 2}])
    assert (first["n"], list(json.loads(first["content"])["files"])) == (1, ["src/a.py"])
    assert (second["n"], list(json.loads(second["content"])["files"])) == (2, ["src/sub/b.md", "c"])


def test_outside_a_group_the_text_follows_the_last_file(bench):
    """An empty stream gives nothing."""
    assert bench.through(FileContainer()) == []
    (message,) = bench.through(FileContainer(), {"filepath": "a", "content": "x"}, {"filepath": "b", "content": "y"})
    assert list(json.loads(message["content"])["files"]) == ["a", "b"]


def test_the_contents_are_bounded():
    """More than the limit is an error, and so is a file without a path."""
    with pytest.raises(NodeFailed, match="come to more than 3 bytes"):
        through(FileContainer(limit=3), [{"filepath": "a", "content": "xy"}] * 2)
    with pytest.raises(NodeFailed, match="no field 'filepath'"):
        through(FileContainer(), [{"content": "xy"}])
