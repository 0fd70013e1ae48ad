import unicodedata
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from transmissions.processors.names import UniqueNames, as_link, safe_file_name, safe_name
from transmissions.processors.yaml_text import front_matter

FORBIDDEN = set('/\\:*?"<>|#^[]')


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("..", "Untitled"),
        ("CON", "CON_"),
        ("aux.md", "aux_.md"),
        ("Console", "Console"),
        ('a/b\\c:d*e?f"g<h>i|j', "a-b-c-d-e-f-g-h-i-j"),
        ("trailing dots...", "trailing dots"),
        ("  leading space", "leading space"),
        ("tab\there\nand there", "tab here and there"),
        ("nul\x00byte", "nul byte"),
        ("\u202eright-to-left\u202c", "right-to-left"),
        ("cafe\u0301", "café"),
        ("cut \ud83d emoji", "cut emoji"),
        ("[[wiki]] #tag ^block", "wiki- -tag -block"),
        ("-rf", "rf"),
        ("", "Untitled"),
        ("Übergröße 数据 👩‍👩‍👧", "Übergröße 数据 👩‍👩‍👧"),
    ],
)
def test_titles_become_names(title, name):
    """A title becomes a name that says the same and that every file system takes."""
    assert safe_name(title) == name


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_name_is_unsafe(title):
    """Whatever the title, the name is short, composed, visible and free of what systems take as their own."""
    name = safe_name(title)
    assert 0 < len(name.encode()) <= 121
    assert not FORBIDDEN & set(name)
    assert name == unicodedata.normalize("NFC", name)
    assert name.strip(" .") == name
    assert {unicodedata.category(character) for character in name}.isdisjoint({"Cc", "Cs", "Cn", "Zl", "Zp"})


@pytest.mark.parametrize("title", ["ж" * 200, "🔥" * 60, "日本語" * 60, "x" * 300])
def test_long_titles_are_cut_between_characters(title):
    """A long title is cut to 120 bytes and stays whole characters."""
    name = safe_name(title)
    assert 116 < len(name.encode()) <= 120
    assert title.startswith(name)


def test_a_file_keeps_its_extension():
    """However long a file's name, its extension stays; folders in it are dropped."""
    assert safe_file_name("../" + "x" * 300 + ".tar.gz", 40) == "x" * 37 + ".gz"
    assert safe_file_name("données.csv") == "données.csv"


def test_names_that_some_system_takes_for_one_are_told_apart():
    """Names that differ in case or composition only get numbers; a free candidate is taken before that."""
    names = UniqueNames()
    assert [names.take(name) for name in ("Café.md", "cafe\u0301.md", "CAFÉ.md")] == ["Café.md", "cafe\u0301-2.md", "CAFÉ-3.md"]
    assert names.take("café.md", "café 7.md") == "café 7.md"


@given(st.text(alphabet=st.characters(codec=None)))
def test_front_matter_is_yaml_for_any_title(title):
    """Front matter parses, and gives the title back; only lone surrogates are replaced."""
    text = front_matter({"title": title, "n": 3, "empty": ""})
    found = yaml.safe_load(text.removeprefix("---\n").removesuffix("---\n"))
    assert found["n"] == 3
    assert found.get("title", "") == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in title)
    assert "empty" not in found


def test_a_title_that_looks_like_something_else_stays_text():
    """Titles that YAML would read as numbers, dates or syntax are quoted; a time is a time."""
    for title in ("---\nyaml: [injection", "yes", "12", "null", "a: b #c", "2026-03-07 and on"):
        assert yaml.safe_load(front_matter({"title": title}).strip("-\n"))["title"] == title
    for time in ("0000-00-00T00:00:00Z", "2026-02-30", "2026-03-07T24:00:00Z", "2026-03-07T12:00:00+99:99"):
        assert yaml.safe_load(front_matter({"created": time}).strip("-\n"))["created"] == time
    assert front_matter({"title": "2026-03-07"}) == '---\ntitle: "2026-03-07"\n---\n'
    assert front_matter({"created": "2026-03-07T12:00:00.5Z"}) == "---\ncreated: 2026-03-07T12:00:00.5Z\n---\n"


@given(st.text())
def test_a_link_is_as_the_standard_library_writes_it(path):
    """Whatever a path holds, its link is `quote`'s."""
    assert as_link(path) == quote(path, errors="replace")
