"""DirWalker and FileFilter."""

import os

import pytest

from transmissions import RunError
from transmissions.processors.files import FileWriter
from transmissions.processors.folders import DirWalker, FileFilter
from transmissions.processors.globs import compile_globs


def make(folder, *names):
    """Make empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")


def paths(messages):
    """Return where the files are, below the folder walked."""
    return [message["relPath"] for message in messages]


def test_files_come_in_order_with_all_that_is_known_of_them(bench):
    """Each message says name, place and number of its file, and carries the incoming message on."""
    make(bench.data, "in/b.md", "in/a/z.json", "in/a.py", "in/.git/x.md", "in/node_modules/y.js")
    first, second = bench.through(DirWalker(source_dir="in"), {"m": 1})
    assert first == {
        "m": 1, "filename": "z.json", "slug": "z", "subdir": "a", "relPath": "a/z.json", "count": 1,
        "fullPath": str(bench.data / "in/a/z.json"), "filepath": "in/a/z.json",
    }  # fmt: skip
    assert (second["subdir"], second["relPath"], second["count"]) == ("", "b.md", 2)


def test_the_message_may_name_the_folder_and_the_limit_cuts(bench):
    """A field `sourceDir` wins over the setting."""
    make(bench.data, "x/a.md", "x/b.md")
    assert paths(bench.through(DirWalker(source_dir="none", limit=1), {"sourceDir": "x"})) == ["a.md"]


def test_files_from_elsewhere_are_not_written_over(bench, tmp_path):
    """What becomes of a file of a folder that the command line named is written to the output folder, not in its place."""
    make(tmp_path / "elsewhere", "a/b.md")
    bench.roots = (tmp_path / "elsewhere",)
    (message,) = bench.through(DirWalker(source_dir=str(tmp_path / "elsewhere")), {})
    bench.through(FileWriter(), {**message, "content": "new"})
    assert ((tmp_path / "elsewhere/a/b.md").read_text(), (bench.output / "a/b.md").read_text()) == ("", "new")


def test_a_folder_for_what_is_written_travels_along(bench):
    """`targetPath` is where FileWriter puts the file's own path below."""
    make(bench.data, "x/a.md")
    (message,) = bench.through(DirWalker(target_path="public"), {})
    bench.through(FileWriter(), {**message, "content": "new"})
    assert (bench.output / "public/x/a.md").read_text() == "new"


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("a/b.md", "*.md", True),
        ("a/b.MD", "*.md", False),
        ("a/b.md", "a/*.md", True),
        ("a/b/c.md", "a/*.md", False),
        ("a/b/c.md", "a/**/*.md", True),
        ("a/c.md", "a/**/*.md", True),
        ("a/b/c", "a/**", True),
        ("b/c", "a/**", False),
        ("a/b", "?/[bc]", True),
        ("a/b.md", "*.{md,txt}", True),
        ("a/!b", "!b", True),
    ],
)
def test_globs(path, pattern, fits):
    """A star stays within a name, two stars cross folders, and a pattern without a slash is about the name."""
    assert compile_globs((pattern,), by_name=True, dotfiles=True)(path) is fits


def test_patterns_choose_and_leave_out(bench):
    """Excluding wins over including, for folders by name or path too."""
    make(bench.data, "a/x.txt", "a/tmp/x.txt", "b/x.txt", "b/y.txt")
    walker = DirWalker(include_pattern=("*.txt",), exclude_pattern=("tmp", "b/y.*"))
    assert paths(bench.through(walker, {})) == ["a/x.txt", "b/x.txt"]


def test_links_do_not_lead_out_or_in_circles(bench, tmp_path):
    """Links to folders are not followed, links to files only inside."""
    make(bench.data, "in/a.md")
    make(tmp_path, "secret.md")
    (bench.data / "in/loop").symlink_to(bench.data / "in")
    (bench.data / "in/out.md").symlink_to(tmp_path / "secret.md")
    (bench.data / "in/b.md").symlink_to("a.md")
    assert paths(bench.through(DirWalker(source_dir="in"), {})) == ["a.md", "b.md"]


def test_a_link_to_itself_is_reported(bench):
    """What leads nowhere but in a circle counts as skipped input, and the walk goes on."""
    make(bench.data, "in/b.md")
    (bench.data / "in/a.md").symlink_to("a.md")
    assert paths(bench.through(DirWalker(source_dir="in"), {})) == ["b.md"]
    assert [(why.split(":")[0], told["path"]) for why, told in bench.skipped] == [
        ("cannot follow link", str(bench.data / "in/a.md"))
    ]


def test_a_folder_that_cannot_be_read_is_reported(bench, monkeypatch):
    """What cannot be listed counts as skipped input, and the walk goes on."""
    make(bench.data, "a/x.md", "b.md")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert paths(bench.through(DirWalker(), {})) == ["b.md"]
    assert bench.skipped == [("cannot read folder: Permission denied", {"path": str(bench.data / "a")})]


def test_a_missing_folder_fails(bench):
    """There is no empty walk through nothing."""
    make(bench.data, "file.md")
    with pytest.raises(RunError, match=r"no folder 'none': .*none does not exist"):
        bench.through(DirWalker(source_dir="none"), {})
    with pytest.raises(RunError, match="is a file"):
        bench.through(DirWalker(source_dir="file.md"), {})


def test_a_filter_lets_through_what_fits(bench):
    """Excluding wins over including, and what passes is marked; without patterns everything does."""
    step = FileFilter(include_pattern=("**/*.md",), exclude_pattern=("**/no/**",))
    messages = [{"filepath": path} for path in ("a/b.md", "c.md", "no/x.md", "a/no/x.md", "a/b.txt", ".git/x.md")]
    assert bench.through(step, *messages) == [{"filepath": "a/b.md", "match": True}, {"filepath": "c.md", "match": True}]
    assert len(bench.through(FileFilter(path_field="p.q"), {"p": {"q": "x"}})) == 1
    assert len(bench.through(FileFilter(include_pattern=("**/*.md",), dotfiles=True), {"filepath": ".git/x.md"})) == 1


def test_a_message_brings_patterns_of_its_own(bench):
    """Its include takes the place of the setting, its exclude comes on top; one pattern needs no list."""
    step = FileFilter(include_pattern=("*.md",), exclude_pattern=("secret*",))
    spec = {"fileFilter": {"include": "*.txt", "exclude": ["b*"]}}
    messages = [{"filepath": path, "fileSpec": spec} for path in ("a.txt", "b.txt", "a.md", "secret.txt")]
    assert [message["filepath"] for message in bench.through(step, *messages)] == ["a.txt"]


@pytest.mark.parametrize(
    ("patterns", "fault"),
    [
        ([1], "'fileSpec.fileFilter.include' is not a list of patterns"),
        (["**/a" * 30], r"the path '.*' is too deep for a pattern with 30 '\*\*'"),
        (["{1..99999}"], "more than 1000"),
    ],
)
def test_patterns_that_cannot_be_matched_are_refused(bench, patterns, fault):
    """No message can keep a run busy with a pattern."""
    with pytest.raises(RunError, match=fault):
        bench.through(FileFilter(), {"filepath": "a/" * 9, "fileSpec": {"fileFilter": {"include": patterns}}})
