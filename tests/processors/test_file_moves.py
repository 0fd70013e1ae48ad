"""FileCopy and FileRemove."""

import pytest

from transmissions import OutputError, RunError
from transmissions.processors.file_moves import FileCopy, FileRemove


def make(folder, *names):
    """Make files that hold their own name."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def below(folder):
    """Return the names of all files and links below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def test_a_file_is_copied_under_another_name(bench):
    """Folders on the way are made, the mode is kept, nothing is left beside it, and the message goes on."""
    make(bench.data, "input/a.sh")
    (bench.data / "input/a.sh").chmod(0o750)
    assert bench.through(FileCopy(source="input/a.sh", destination="deep/b.sh"), {"m": 1}) == [{"m": 1}]
    assert below(bench.output) == ["deep/b.sh"]
    assert (bench.output / "deep/b.sh").stat().st_mode & 0o777 == 0o750


def test_files_that_messages_name_go_into_a_folder(bench):
    """A destination that ends in a slash, or is a folder, takes files under their own names."""
    make(bench.data, "x/a.md", "x/b.md")
    messages = [{"fullPath": str(bench.data / "x/a.md")}, {"filepath": "b.md", "targetPath": "x"}]
    bench.through(FileCopy(destination="to/"), *messages)
    bench.through(FileCopy(source="x/a.md", destination="to"), {})
    assert below(bench.output) == ["to/a.md", "to/b.md"]


def test_a_folder_is_merged_into_what_is_there(bench, tmp_path):
    """What has the same name is replaced, what has not stays; links are left out."""
    make(bench.data, "in/a", "in/sub/b", "in/.hidden")
    make(tmp_path, "secret/s")
    (bench.data / "in/link").symlink_to(tmp_path / "secret/s")
    (bench.data / "in/folder").symlink_to(tmp_path / "secret")
    make(bench.output, "to/old")
    (bench.output / "to/a").write_text("before")
    bench.through(FileCopy(source="in", destination="to"), {})
    assert below(bench.output) == ["to/.hidden", "to/a", "to/old", "to/sub/b"]
    assert (bench.output / "to/a").read_text() == "in/a"


def test_a_copy_does_not_follow_links_out(bench, tmp_path):
    """A link in the place of a folder does not lead the copy out of the folders of the run."""
    make(bench.data, "in/sub/b")
    (tmp_path / "elsewhere").mkdir()
    (bench.output / "to").mkdir(parents=True)
    (bench.output / "to/sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="outside the folders of this run"):
        bench.through(FileCopy(source="in", destination="to"), {})
    assert below(tmp_path / "elsewhere") == []


@pytest.mark.parametrize(
    ("settings", "error", "fault"),
    [
        ({"source": "none"}, RunError, "cannot copy '.*none': there is no such file"),
        ({"source": "in", "destination": "../app/data/in/x"}, RunError, "into itself"),
        ({"source": "in", "destination": "file"}, OutputError, "cannot write '.*file': file exists"),
        ({"source": "in/a", "destination": "/etc/x"}, RunError, "outside the folders of this run"),
    ],
)
def test_a_copy_that_cannot_be_made_fails(bench, settings, error, fault):
    """The error says what stands in the way."""
    make(bench.data, "in/a")
    make(bench.output, "file")
    with pytest.raises(error, match=fault):
        bench.through(FileCopy(**settings), {})


def test_a_file_that_cannot_be_read_is_not_told_as_one_that_cannot_be_written(bench, monkeypatch):
    """The sentence names the file at fault, and the run has failed rather than its output."""
    make(bench.data, "a")

    def copyfile(source, _target):
        raise PermissionError(13, "Permission denied", str(source))

    monkeypatch.setattr("shutil.copyfile", copyfile)
    with pytest.raises(RunError, match=r"cannot read '.*data/a': permission denied") as caught:
        bench.through(FileCopy(source="a", destination="b"), {})
    assert not isinstance(caught.value, OutputError)


def test_a_path_in_a_message_must_be_text(bench):
    """A number names no file."""
    with pytest.raises(RunError, match="a path is text, and the message has a int"):
        bench.through(FileCopy(), {"filepath": 5})


def test_a_folder_is_emptied(bench):
    """Folders stay, and so do dotfiles and dot folders; the message goes on."""
    make(bench.output, "public/a", "public/sub/b", "public/.keep", "public/.git/c", "other")
    assert bench.through(FileRemove(target="public"), {"m": 1}) == [{"m": 1}]
    assert below(bench.output) == ["other", "public/.git/c", "public/.keep"]
    assert (bench.output / "public/sub").is_dir()


def test_a_folder_is_removed_altogether(bench):
    """By settings dotfiles and empty folders go too; a file goes by its name, and nothing is nothing to remove."""
    make(bench.output, "public/sub/b", "public/.git/c", "file")
    for target in ("public", "file", "none"):
        bench.through(FileRemove(target=target, dotfiles=True, folders=True), {})
    assert list(bench.output.iterdir()) == []


def test_only_the_setting_says_what_is_removed(bench):
    """Fields of the message do not."""
    make(bench.output, "a", "b")
    fields = {"target": "b", "fullPath": str(bench.output / "b"), "filepath": "b", "targetPath": str(bench.output)}
    bench.through(FileRemove(target="a"), fields)
    assert below(bench.output) == ["b"]


def test_links_are_removed_and_not_followed(bench, tmp_path):
    """What a link leads to stays, whether the link is named or found."""
    make(tmp_path, "elsewhere/a")
    make(bench.output, "public/x", "kept/y")
    (bench.output / "public/folder").symlink_to(tmp_path / "elsewhere")
    (bench.output / "public/file").symlink_to(tmp_path / "elsewhere/a")
    (bench.output / "named").symlink_to(bench.output / "kept")
    for target in ("public", "named"):
        bench.through(FileRemove(target=target), {})
    assert (below(bench.output), below(tmp_path / "elsewhere")) == (["kept/y"], ["a"])


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        (".", "is a folder of this run, or holds one"),
        ("../app", "is a folder of this run, or holds one"),
        ("../app/data", "is a folder of this run, or holds one"),
        ("../app/data/input", "is not below the output folder"),
        ("../app/transmissions.ttl", "is not below the output folder"),
        ("..", "outside the folders of this run"),
        ("/etc/passwd", "outside the folders of this run"),
        ("link/elsewhere", "outside the folders of this run"),
    ],
)
def test_what_is_not_the_runs_own_is_never_removed(bench, tmp_path, target, fault):
    """Neither the folders of the run, nor the app, nor its data, nor what lies outside."""
    make(bench.data, "input/a")
    make(bench.app, "transmissions.ttl")
    make(tmp_path, "elsewhere/a")
    make(bench.output, "x")
    (bench.output / "link").symlink_to(tmp_path)
    with pytest.raises(RunError, match=fault):
        bench.through(FileRemove(target=target, dotfiles=True, folders=True), {})
    assert below(tmp_path) == ["app/data/input/a", "app/transmissions.ttl", "elsewhere/a", "out/link", "out/x"]


def test_a_dry_run_tells_what_would_be_done(bench):
    """Nothing is copied or removed by it."""
    make(bench.data, "input/input.txt")
    make(bench.output, "public/a")
    assert list(bench.attach(FileCopy()).foresee({})) == [
        f"copies {bench.data}/input/input.txt to {bench.output}/output/output.txt"
    ]
    assert list(bench.attach(FileRemove(target="public")).foresee({})) == [f"removes the files below {bench.output}/public"]
    assert below(bench.output) == ["public/a"]
