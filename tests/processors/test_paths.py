"""PathOps and FilenameMapper."""

import pytest

from transmissions import RunError, UsageError
from transmissions.processors.paths import FilenameMapper, PathOps, PathPart


@pytest.mark.parametrize(
    ("as_path", "pieces", "result"),
    [
        (False, ("a", "b"), "ab7.html"),
        (True, ("a/", "", "./b"), "a/b/7/.html"),
        (True, ("/a", "..", "b"), "/b/7/.html"),
        (True, ("//a",), "/a/7/.html"),
    ],
)
def test_texts_and_fields_are_joined(bench, as_path, pieces, result):
    """One behind the other, or as a path whose dots are resolved; numbers are written as text."""
    parts = [PathPart(field=f"p[{number}]") for number in range(len(pieces))]
    step = PathOps(values=(*parts, PathPart(field="n"), PathPart(string=".html")), as_path=as_path, target_field="x.y")
    (message,) = bench.through(step, {"p": list(pieces), "n": 7})
    assert message["x"]["y"] == result


def test_a_missing_piece_fails(bench):
    """The error names the field, and what the message has instead."""
    with pytest.raises(RunError, match="no field 'slug'; it has title"):
        bench.through(PathOps(values=(PathPart(field="slug"),)), {"title": 1})


@pytest.mark.parametrize("settings", [{}, {"string": "a", "field": "b"}])
def test_a_piece_is_a_text_or_a_field(settings):
    """Neither and both are faults of the config."""
    with pytest.raises(UsageError, match="either :string or :field"):
        PathPart(**settings)


def test_a_name_gets_the_ending_of_its_format(bench):
    """The message's format wins over the setting; only the last ending is replaced."""
    messages = [{"filepath": "d.x/a.b.md", "format": "svg"}, {"filepath": "d.x/a"}]
    assert [m["filepath"] for m in bench.through(FilenameMapper(), *messages)] == ["d.x/a.b.mm.svg", "d.x/a.mm.html"]
    with pytest.raises(RunError, match=r"not a format such as html or svg: '\.\./x'"):
        bench.through(FilenameMapper(), {"filepath": "a.md", "format": "../x"})
