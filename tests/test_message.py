"""Messages, tokens and their weight."""

from __future__ import annotations

import pytest

from transmissions.message import not_a_message, weigh


@pytest.mark.parametrize(("given", "told"), [(1, "an int"), (object(), "an object"), ("a", "a str"), (None, "None")])
def test_what_is_no_message_is_told_in_plain_words(given, told):
    """What a processor gave is named by its type, with the article that it takes."""
    assert str(not_a_message(given)) == f"a processor gave {told} where a message belongs, which is a dict"


def test_weighs_text_by_its_utf8_length():
    """ASCII text counts a byte a character, other text what it takes in UTF-8."""
    assert weigh("abc") == 3
    assert weigh("é日") == 5


def test_weighs_a_lone_surrogate_without_failing():
    """Half an emoji, as cut exports hold it, still has a size."""
    assert weigh("\ud83d") == 3


def test_weighs_nested_containers_by_what_they_hold():
    """Keys, values and items all count; numbers take eight bytes, None nothing."""
    assert weigh({"a": [1, 2.5, None], "b": {"c": "xyz"}}) == 1 + 8 + 8 + 1 + 1 + 3


def test_weighs_bytes_and_strangers():
    """Bytes count their length, an object without a length counts as one number."""
    assert weigh({"a": b"12345", "b": object()}) == 1 + 5 + 1 + 8


def test_weighs_deep_nesting_without_recursion():
    """A message nested ten thousand levels deep has a size rather than a RecursionError."""
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    assert weigh(deep) == 0
