"""Values as JSON, for files and for whoever reads them elsewhere."""

import json
from datetime import date

import pytest

from transmissions import RunError, as_json


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_bytes_are_the_text_they_are_or_base64(make):
    """A page read as bytes is text for every reader of JSON, and an image can be had back."""
    value = {"page": make("é".encode()), "image": [make(b"\x89PNG")]}
    for strict in (True, False):
        assert json.loads(as_json(value, strict=strict)) == {"page": "é", "image": ["iVBORw=="]}


def test_what_json_cannot_say_is_text():
    """A message can be shown whatever is in it: odd numbers are null, half a character pair is escaped."""
    value = {"day": date(2026, 1, 2), "n": float("nan"), "half": "\ud83d", float("inf"): (1, float("-inf"))}
    assert as_json(value) == b'{"day": "2026-01-02", "n": null, "half": "\\ud83d", "inf": [1, null]}'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (date(2026, 1, 2), "JSON has no words for a date at 'a[0]'"),
        (float("nan"), "JSON has no words for the number nan at 'a[0]'"),
        (1 << 20_000, "JSON has no words for a number of 20001 bits at 'a[0]'"),
        ({(1,): 2}, "JSON has no words for a tuple as the name of a field at 'a[0]'"),
    ],
    ids=["a date", "NaN", "a long number", "a key"],
)
def test_a_file_holds_nothing_that_only_python_takes_for_json(value, words):
    """With `strict` what other programs could not read is refused, with its place."""
    with pytest.raises(RunError) as caught:
        as_json({"a": [value]}, strict=True)
    assert str(caught.value) == words


@pytest.mark.parametrize("strict", [True, False])
def test_loops_and_depths_are_no_json(strict):
    """An object inside itself, one nested too deeply and a name that is none are told of as failures of a message."""
    loop = {}
    loop["a"] = [loop]
    deep = []
    for _ in range(20_000):
        deep = [deep]
    for value in (loop, deep, {(1,): 2}):
        with pytest.raises(RunError, match=r"inside itself|too deeply|circular|a tuple as the name"):
            as_json(value, strict=strict)


class Late:
    """What knows itself what it is in JSON."""

    def __json__(self):
        return [1, {"a": b"x"}]


@pytest.mark.parametrize("strict", [True, False])
def test_what_says_itself_what_it_is_in_json_is_that(strict):
    """A value with a method `__json__` is written as what that gives, in a file that takes data only too."""
    assert as_json({"late": Late()}, strict=strict) == b'{"late": [1, {"a": "x"}]}'
