"""MakeEntry and PrepareArticle."""

import pytest

from transmissions import RunError
from transmissions.processors.articles import MakeEntry, PrepareArticle, title_of
from transmissions.processors.files import FileReader
from transmissions.processors.folders import DirWalker


def test_an_entry_is_described(bench):
    """What DirWalker and FileReader say of a file becomes what a page says of its entry."""
    folder = bench.data / "raw/2024"
    folder.mkdir(parents=True)
    (folder / "2024-11-03_my first.md").write_text("intro\n\n# The Title #\ntext")
    (walked,) = bench.through(DirWalker(source_dir="raw"), {})
    (read,) = bench.through(FileReader(meta_field="meta"), walked)
    settings = {
        "raw_dir": "raw",
        "render_path": "/blog/",
        "base_uri": "http://x/",
        "creator_name": "A",
        "creator_uri": "http://a",
    }
    entry = bench.through(MakeEntry(**settings, graph="http://g"), read)[0]["contentBlocks"]
    assert entry.pop("dates") == {"created": "2024-11-03", "updated": read["meta"]["modified"]}
    assert entry == {
        "uri": "http://x/blog/2024/2024-11-03_my-first", "sourcePath": str(folder / "2024-11-03_my first.md"),
        "mediaType": "text/markdown", "relative": "2024", "title": "The Title", "content": "intro\n\n# The Title #\ntext",
        "slug": "2024-11-03_my-first", "graph": "http://g", "creator": {"name": "A", "uri": "http://a"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "relative", "title"),
    [
        ({"filepath": "raw/a/2024-13-45_big_news.md"}, "a", "big news"),
        ({"filePath": "/site/raw/b.md", "targetDir": "/site"}, "", "b"),
        ({"filepath": "else/2024-01-02.md", "subdir": "x/y"}, "x/y", "2024-01-02"),
    ],
)
def test_what_is_not_known_is_made_of_the_name(bench, message, relative, title):
    """Folder, title and date come from the path; a day that is none is no date."""
    entry = bench.through(MakeEntry(raw_dir="raw"), {**message, "content": "no heading"})[0]["contentBlocks"]
    assert (entry["relative"], entry["title"], "creator" in entry, "graph" in entry) == (relative, title, False, False)
    assert entry["dates"] == ({"created": "2024-01-02"} if "01-02" in title else {})


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# A", "A"),
        ("```\n# code\n~~~\n```\n## B b ##  \n", "B b"),
        ("#\n#tag\n# ##\n# C#", "C#"),
        ("# " + " " * 50_000 + "x", "x"),
        ("~~~\n# x", ""),
        ("", ""),
    ],
)
def test_the_first_heading_is_the_title(text, title):
    """One in a block of code is none."""
    assert title_of(text) == title


def test_a_text_needs_a_file_and_words(bench):
    """The error names what is missing."""
    with pytest.raises(RunError, match="names no file: it has neither 'fullPath'"):
        bench.through(MakeEntry(), {"content": "x", "fullPath": 5})
    with pytest.raises(RunError, match="no field 'content'"):
        bench.through(MakeEntry(), {"filepath": "a.md"})


def test_a_row_becomes_the_data_of_a_page(bench):
    """Values lose their wrapping, and name and time are found where they are called otherwise."""
    row = {"article": {"type": "uri", "value": "http://a"}, "title": {"value": "T"}, "n": 5}
    (message,) = bench.through(
        PrepareArticle(), {"currentItem": row, "appRunStart": "now", "contentBlocks": {"old": 1, "n": 0}}
    )
    assert message["contentBlocks"] == {
        "old": 1, "n": 5, "title": "T", "article": "http://a", "uri": "http://a", "published": "now",
    }  # fmt: skip
    step = PrepareArticle(source_field="row", target_field="a.b")
    (message,) = bench.through(step, {"row": {"uri": "u", "created": "then"}})
    assert message["a"]["b"] == {"uri": "u", "created": "then", "published": "then"}
    with pytest.raises(RunError, match="'row' is not a row of results but a list"):
        bench.through(step, {"row": []})
