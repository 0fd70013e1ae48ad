import io
import json

import pytest

from transmissions.processors import session_lines
from transmissions.processors.json_stream import Broken
from transmissions.processors.session_lines import read_session
from transmissions.processors.shape import Layout
from transmissions.processors.spool import SpooledList

LINES = [{"type": "user", "n": n, "text": f"Grüße {n}", "inner": {"type": "text"}} for n in range(5)]
LAYOUT = Layout(gathers=True)


def read(data, layout=LAYOUT):
    data = data if isinstance(data, bytes) else data.encode()
    return list(read_session(lambda: io.BytesIO(data), "a/s.jsonl", layout))


def lines(values=LINES, **how):
    return "".join(json.dumps(value, ensure_ascii=False, **how) + "\n" for value in values)


@pytest.mark.parametrize(
    "text", [lines(), "\ufeff\n" + lines().replace("\n", "\r\n\n"), lines(indent=1), json.dumps(LINES), lines()[:-1]]
)
def test_a_session_is_one_element(text):
    """The objects of a session, on lines, spread over lines or in a list, are one element with its file's name."""
    (session,) = read(text)
    assert session.value == {"name": "a/s.jsonl", "items": LINES}


def test_broken_lines_are_set_aside_one_by_one():
    """A line that is no JSON is given as broken with its place, and the rest still makes the session."""
    text = lines().replace('"n": 1', '"n": one').replace('"n": 3', '"n" 3')
    first, second, session = read(text)
    data = text.encode()
    for broken in (first, second):
        assert data[broken.offset : broken.offset + broken.size] == broken.fragment.encode()
    assert session.value["items"] == LINES[::2]
    assert first.size + second.size + session.size + len("\n" * 5) == len(data)


def test_a_large_session_is_kept_in_a_file():
    """The items of a session beyond the limit lie in a temporary file; the digest is the same."""
    (session,) = read(lines(LINES * 100), LAYOUT._replace(large=1000))
    assert isinstance(session.value["items"], SpooledList)
    assert list(session.value["items"]) == LINES * 100
    assert session.digest == read(lines(LINES * 100))[0].digest != read(lines())[0].digest


def test_a_line_without_end_is_refused(monkeypatch):
    """A line over the limit is set aside with its length and only its beginning, and the lines behind it are read."""
    monkeypatch.setattr(session_lines, "LONGEST", 2000)
    monkeypatch.setattr(session_lines, "_STEP", 700)
    broken, session = read(lines(LINES[:1]) + json.dumps("x" * 5000) + "\n" + lines(LINES[1:]))
    assert (broken.size, len(broken.fragment)) == (5003, 2001)
    assert "a line of 5003 bytes, more than 2000" in str(broken.error)
    assert session.value["items"] == LINES


@pytest.mark.parametrize("data", [b"", b"\n \n", b'{"a": 1', b"[" * 5000, b"\xff\xfe", b'"x"\n\xff\n{"a": "\xff"}\n'])
def test_odd_files_are_taken_as_far_as_they_go(data):
    """Whatever a file holds, its bytes are in the session, broken, or between."""
    items = read(data)
    assert sum(item.size for item in items) <= len(data)
    assert sum(not isinstance(item, Broken) for item in items) <= 1
