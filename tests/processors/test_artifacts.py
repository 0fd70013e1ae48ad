import pytest

from transmissions.processors.artifacts import Bench, Shelf, exact_bytes, file_name
from transmissions.processors.names import UniqueNames


@pytest.fixture
def shelf():
    names = UniqueNames()
    return Shelf(lambda name: (names.take(name),) * 2)


def artifact(command, key="a", **more):
    empty = {"title": "", "type": "", "language": "", "content": "", "old": "", "new": ""}
    return {"command": command, "key": key, **empty, **more}


def test_edits_are_applied_once_each_in_order(shelf):
    """An update replaces the first occurrence only; a rewrite replaces all; the file has what comes last."""
    bench = Bench(shelf)
    bench.apply(artifact("create", content="one one"))
    bench.apply(artifact("update", old="one", new="two"))
    assert list(shelf.files()) == [("a.txt", b"two one")]
    bench.apply(artifact("rewrite", content="three"))
    assert list(shelf.files()) == [("a.txt", b"three")]


def test_edits_that_do_not_fit_are_counted(shelf):
    """An edit of something unknown, or of words that are not there, changes nothing and is counted."""
    bench = Bench(shelf)
    assert bench.apply(artifact("update", old="x", new="y")) is None
    bench.apply(artifact("create", content="one"))
    bench.apply(artifact("update", old="x", new="y"))
    assert (shelf.misfits, list(shelf.files())) == (2, [("a.txt", b"one")])


def test_a_failed_call_changes_nothing(shelf):
    """What a tool said it could not do is not done here either."""
    bench = Bench(shelf)
    bench.apply(artifact("create", content="one"))
    bench.apply(artifact("rewrite", content="two"), failed=True)
    assert list(shelf.files()) == [("a.txt", b"one")]


def test_branches_do_not_touch_each_other(shelf):
    """An edit on one branch becomes a file of its own; the other branch's file stays as it is."""
    bench = Bench(shelf)
    bench.apply(artifact("create", content="one"))
    other = bench.branch()
    other.apply(artifact("update", old="one", new="left"))
    other.apply(artifact("update", old="left", new="left again"))
    bench.apply(artifact("update", old="one", new="right"))
    assert list(shelf.files()) == [("a.txt", b"right"), ("a-2.txt", b"left again")]


def test_a_new_kind_of_artifact_is_a_new_file(shelf):
    """Made anew in another language, an artifact does not end up under the wrong extension."""
    bench = Bench(shelf)
    bench.apply(artifact("create", content="x", language="python"))
    bench.apply(artifact("create", content="y", language="rust"))
    assert list(shelf.files()) == [("a.py", b"x"), ("a.rs", b"y")]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"title": "Parser", "language": "python"}, "Parser.py"),
        ({"title": "Parser.py", "language": "python"}, "Parser.py"),
        ({"title": "Parser.py", "type": "text/html"}, "Parser.py.html"),
        ({"title": "styles.css", "type": "application/vnd.ant.code"}, "styles.css"),
        ({"title": "", "type": "text/markdown"}, "a.md"),
        ({"title": "../../evil.py", "language": "python"}, "evil.py"),
        ({"title": "Client/Server design", "type": "text/markdown"}, "Client-Server design.md"),
        ({"title": "Version 2.0 of it", "type": "application/vnd.ant.react"}, "Version 2.0 of it.tsx"),
        ({"path": "/home/claude/pipe.ttl", "title": "x"}, "pipe.ttl"),
        ({"path": "/home/claude/", "title": "x"}, "artifact"),
    ],
)
def test_files_have_the_right_extension(given, name):
    """The language or the type decides the extension, a path has its own."""
    assert file_name(artifact("create", **given)) == name


def test_bodies_are_written_byte_for_byte():
    """Controls, line ends, invalid bytes and halves of emoji are written as they were."""
    assert exact_bytes("a\r\n\0é") == b"a\r\n\0\xc3\xa9"
    assert exact_bytes("a\udcff") == b"a\xff"
    assert exact_bytes("\ud83d") == b"\xed\xa0\xbd"
