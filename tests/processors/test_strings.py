"""Concat, Reverse and StringFilter."""

import pytest

from transmissions import RunError
from transmissions.processors.strings import Concat, Reverse, StringFilter


def test_two_fields_are_joined(bench):
    """A number is written as text; both parts must be there."""
    step = Concat(source_field_a="a.b", source_field_b="n", separator="-", target_field="c.d")
    assert bench.through(step, {"a": {"b": "x"}, "n": 7})[0]["c"] == {"d": "x-7"}
    assert bench.through(Concat(), {"content": "x"}) == [{"content": "xx"}]
    with pytest.raises(RunError, match="no field 'n'"):
        bench.through(step, {"a": {"b": "x"}})


def test_a_text_is_turned_round(bench):
    """In its place, or into another field."""
    assert bench.through(Reverse(), {"content": "añ🙂"}) == [{"content": "🙂ña"}]
    assert bench.through(Reverse(source_field="a", target_field="b.c"), {"a": "xy"}) == [{"a": "xy", "b": {"c": "yx"}}]
    with pytest.raises(RunError, match="'content' is not text but a list"):
        bench.through(Reverse(), {"content": []})


@pytest.mark.parametrize(
    ("include", "exclude", "passing"),
    [
        ((), (), ["https://a/b", "http://a", "a\nb"]),
        (("https://*",), (), ["https://a/b"]),
        (("*a*",), ("*b", "HTTP*"), ["http://a"]),
        (("http?://*", "a?b"), (), ["https://a/b", "a\nb"]),
    ],
)
def test_texts_are_filtered(bench, include, exclude, passing):
    """Excluding wins over including, and a star stands for slashes and line ends too."""
    step = StringFilter(include_pattern=include, exclude_pattern=exclude, input_field="u.v")
    messages = [{"u": {"v": text}} for text in ("https://a/b", "http://a", "a\nb")]
    assert [message["u"]["v"] for message in bench.through(step, *messages)] == passing
