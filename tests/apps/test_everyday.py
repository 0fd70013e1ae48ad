"""The small apps, run as a user runs them."""

import json
import re
from functools import partial

import calling
import pytest


@pytest.fixture
def trans(tmp_path):
    """Run `trans` with some words in an empty folder; return what came of it."""
    return partial(calling.trans, tmp_path)


@pytest.mark.parametrize(("words", "greeting"), [((), "Ciao, world!"), (("Ada",), "Ciao, Ada!")])
def test_hello_greets_whom_it_is_told(trans, words, greeting):
    """The argument has a default, and the settings of both files take effect."""
    done = trans("run", "hello", *words)
    assert done.returncode == 0, done.stderr
    assert f'"content": "{greeting}"' in done.stdout


def test_hello_can_be_told_otherwise_for_one_run(trans):
    """A setting on the command line wins over the config."""
    done = trans("hello", "--set", "greet.template=Good night, {{ name }}.")
    assert '"content": "Good night, world."' in done.stdout, done.stderr


def test_a_folder_of_texts_becomes_json_lines(trans, tmp_path):
    """Records come in order, drafts are left out, nothing is lost of the text."""
    done = trans("run", "files-to-json", "-o", "out")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (tmp_path / "out/records.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [record["path"] for record in records] == ["garden/herbs.txt", "garden/tomatoes.md", "index.md"]
    assert "fußwarm" in records[1]["text"]


def test_a_folder_of_ones_own_is_read(trans, tmp_path):
    """The argument names the folder."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.md").write_text("A")
    done = trans("files-to-json", "mine", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/records.ndjson").read_text() == '{"id": "a", "path": "a.md", "text": "A"}\n'


def figures(stdout):
    """Return the row of the buffer, by heading."""
    *_, heading, row, _, _ = stdout.splitlines()
    names = [name.strip() for name in heading.split("  ") if name.strip()]
    return dict(zip(names, row.split(), strict=True))


@pytest.mark.parametrize(("strategy", "ends"), [("Block", (0, 499)), ("DropOldest", (None, 499)), ("DropNewest", (0, None))])
def test_the_stream_demo_shows_what_its_buffer_did(trans, strategy, ends):
    """Blocking pauses, resumes and loses nothing; dropping counts what it dropped; no bound is broken."""
    done = trans("stream-demo", "--set", f"hold.overflow={strategy}", "--set", "slow.delay=0.2")
    assert done.returncode == 0, done.stderr
    buffer = figures(done.stdout)
    assert int(buffer["most bytes"]) <= 100_000
    assert int(buffer["pauses"]) >= 1
    assert (int(buffer["dropped"]) > 0) is (strategy != "Block")
    hold = next(line.split() for line in done.stdout.splitlines() if "/hold" in line)
    slow = next(line.split() for line in done.stdout.splitlines() if "/slow" in line)
    assert (hold[1], hold[3]) == ("500", buffer["dropped"])
    assert int(slow[1]) + int(buffer["dropped"]) == 500
    first, last = map(int, re.findall(r"number: from (\d+) to (\d+)", done.stdout)[0])
    assert ends[0] in {first, None}
    assert ends[1] in {last, None}


def test_the_stream_demo_fails_where_it_is_told_to(trans):
    """With Fail the first message without room ends the run, which says where the buffer stands."""
    done = trans("stream-demo", "--set", "hold.overflow=Fail")
    assert done.returncode == 1
    assert re.search(r"error: \S+/transmissions\.ttl:\d+:\d+: buffer stream-demo/hold is full", done.stderr)
