import pytest

from transmissions import OutputError, RunError
from transmissions.processors.tree_writer import TreeWriter


def test_files_are_written_whole(bench):
    """Files go where they are said to, in pieces or whole, with no other left behind; a second time replaces them."""
    for text in (b"long ago", b"now"):
        (message,) = bench.through(TreeWriter(), {"files": [("a/b/c.md", text), ("d.md", [b"x", b"y"])]})
        assert message["written"] == [("a/b/c.md", len(text)), ("d.md", 2)]
    written = {
        file.relative_to(bench.output).as_posix(): file.read_bytes() for file in bench.output.rglob("*") if file.is_file()
    }
    assert written == {"a/b/c.md": b"now", "d.md": b"xy"}


def test_a_file_that_cannot_be_written_ends_the_run(bench):
    """An error of the file system is told with the path."""
    bench.output.mkdir()
    (bench.output / "taken").write_text("a file")
    with pytest.raises(OutputError, match="taken"):
        bench.through(TreeWriter(), {"files": [("taken/x.md", b"x"), ("after.md", b"x")]})


@pytest.mark.parametrize("path", ["../x.md", "/etc/x", "a/../../x", "a//x", "a/./x", "a\\..\\x/y", "..", "a/..", "a\0b"])
def test_nothing_is_written_outside(bench, path):
    """A path that leads anywhere else is an error, and nothing is written."""
    bench.output.mkdir()
    message = {"files": [(path, b"x")]}
    with pytest.raises(RunError):
        bench.through(TreeWriter(), message)
    assert list(bench.output.iterdir()) == []
    assert message == {"files": [(path, b"x")]}


def test_links_do_not_lead_out(bench, tmp_path):
    """A folder that is a link to somewhere else is refused, a file that is one is replaced."""
    (tmp_path / "elsewhere").mkdir()
    bench.output.mkdir()
    (bench.output / "a").symlink_to(tmp_path / "elsewhere")
    (bench.output / "b.md").symlink_to(tmp_path / "elsewhere/b.md")
    with pytest.raises(RunError, match="outside"):
        bench.through(TreeWriter(), {"files": [("a/x.md", b"x")]})
    bench.through(TreeWriter(), {"files": [("b.md", b"x")]})
    assert list((tmp_path / "elsewhere").iterdir()) == []
