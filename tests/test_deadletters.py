"""The dead-letter file: one line each, whatever is in the message."""

import json

import pytest

from transmissions.deadletters import DeadLetters


class Shy:
    def __repr__(self):
        raise ValueError("no")


DEEP: dict = {}
for _ in range(100_000):
    DEEP = {"in": DEEP}
LOOP: dict = {}
LOOP["self"] = LOOP


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ({"a": "line\nbreak \ud800"}, {"a": "line\nbreak \ud800"}),
        ({"a": b"bytes"}, {"a": "b'bytes'"}),
        ({"a": float("nan"), "b": 1}, {"a": "nan", "b": 1}),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        ({"a": float("inf"), "rows": [1, {"b": 0.5}]}, {"a": "inf", "rows": [1, {"b": 0.5}]}),
        ({"a": Shy()}, {"a": "<Shy that cannot be shown>"}),
        (DEEP, {"in": "<dict that cannot be shown>"}),
        (LOOP, {"self": "{'self': {...}}"}),
    ],
)
def test_every_message_can_be_written(tmp_path, message, written):
    """Surrogates, bytes, numbers JSON cannot say, odd keys and loops end in one line of valid JSON."""
    letters = DeadLetters(tmp_path / "sub" / "dead.ndjson")
    letters.write("n", None, message, ValueError("x"), {"page": 3})
    letters.close()
    (line,) = (tmp_path / "sub" / "dead.ndjson").read_text().splitlines()
    letter = json.loads(line, parse_constant=pytest.fail)
    assert (letter["message"], letter["page"], letter["where"]) == (written, 3, None)


def test_half_a_line_of_an_earlier_run_is_closed(tmp_path):
    """A letter never continues the line that a killed run left."""
    path = tmp_path / "dead.ndjson"
    path.write_text('{"half')
    letters = DeadLetters(path)
    letters.write("n", None, {}, ValueError("x"), {})
    letters.close()
    assert json.loads(path.read_text().splitlines()[1])["node"] == "n"


def test_no_letter_means_no_file(tmp_path):
    """A run without failures leaves no file."""
    DeadLetters(tmp_path / "dead.ndjson").close()
    assert not (tmp_path / "dead.ndjson").exists()
