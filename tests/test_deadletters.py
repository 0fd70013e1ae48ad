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


class Tool:
    """Something to work with, and no data."""


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"a": 1}, {}),
        ({"a": 1, "tool": Tool()}, {"without": ["tool"]}),
        ({"a": b"bytes"}, {"cut": True}),
        ({"a": {"deep": Tool()}}, {"cut": True}),
        ({"a": float("nan")}, {"cut": True}),
        ("text", {}),
    ],
)
def test_a_letter_says_what_it_does_not_hold(tmp_path, message, said):
    """A field that was no data is named; a message that is not whole is marked, so that nobody takes it for one."""
    letters = DeadLetters(tmp_path / "dead.ndjson")
    letters.write("n", None, message, ValueError("x"), {})
    letters.close()
    letter = json.loads((tmp_path / "dead.ndjson").read_text())
    assert {name: letter[name] for name in ("cut", "without") if name in letter} == said


@pytest.mark.parametrize("clean", [lambda text: text.replace("secret", "…"), lambda text: 1 / 0])
def test_every_text_of_a_letter_is_cleaned(tmp_path, clean):
    """Keys, values, errors and fields go through what the run is given; where that fails, the message is not written."""
    letters = DeadLetters(tmp_path / "dead.ndjson")
    letters.clean = clean
    letters.write("n", None, {"secret": ["a secret"]}, ValueError("the secret"), {"file": "secret"})
    letters.close()
    text = (tmp_path / "dead.ndjson").read_text()
    assert "secret" not in text
    assert json.loads(text)["node"] == "n"


class Late:
    """What knows itself what it is in JSON."""

    def __json__(self):
        return [1, 2]


def test_what_says_itself_what_it_is_in_json_is_whole_in_its_letter(tmp_path):
    """A letter holds what `__json__` of a value gives, and does not say that anything was cut."""
    letters = DeadLetters(tmp_path / "dead-letters.ndjson")
    letters.write("app/node", None, {"late": Late()}, ValueError("no"), {})
    letter = json.loads((tmp_path / "dead-letters.ndjson").read_text())
    assert letter["message"] == {"late": [1, 2]}
    assert not {"cut", "without"} & letter.keys()
