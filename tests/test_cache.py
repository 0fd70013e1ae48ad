"""Cached plans: whole or not there, and gone as soon as an input is another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transmissions import cache
from transmissions.plan import NodePlan, Plan, TransmissionPlan
from transmissions.problem import Label, Problem, Span, Where

PLACE = Where("t.ttl", 1, 2)
NODE = NodePlan("demo/a", "urn:A", "m:A", {"n": [1, "é"]}, PLACE, {"n": PLACE}, buffer={"max_items": 3})
PLAN = Plan("demo", "/apps/demo", (("p", "/f"),), (TransmissionPlan("demo", "", True, (NODE,), PLACE),))
SPAN = Span("t.ttl", 1, 2, 3, "text")
ENTRY = cache.Entry(
    PLAN, (Problem("note", "x", "said", SPAN, "here", "mend", (Label(SPAN, "there"),)), Problem("note", "y", "z"))
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep the plans of these tests to themselves."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_what_is_stored_is_loaded_as_it_was():
    """A plan and its problems come back equal, their places too."""
    cache.store("key", ENTRY)
    assert cache.load("key") == (ENTRY, "cached")


def test_an_unknown_key_is_a_first_run():
    """Nothing was kept yet."""
    assert cache.load("other") == (None, "first run")


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data.replace(b"demo", b"dome"), lambda _: b"", lambda _: b"\xff\n{}"]
)
def test_a_damaged_entry_is_a_miss(damage):
    """A torn or changed file is never taken for a plan."""
    cache.store("key", ENTRY)
    file = cache.folder() / "key"
    file.write_bytes(damage(file.read_bytes()))
    assert cache.load("key") == (None, "the cached plan was damaged")


def test_a_changed_input_is_named(tmp_path, monkeypatch):
    """Why a plan does not hold any more is said with the file's name."""
    monkeypatch.chdir(tmp_path)
    files = {name: tmp_path / name for name in ("same", "edited", "gone", "new")}
    for name in ("same", "edited", "gone"):
        files[name].write_text("one")
    changes = {"edited": lambda f: f.write_text("two"), "gone": lambda f: f.unlink(), "new": lambda f: f.write_text("")}
    words = {"edited": "edited changed", "gone": "gone is gone", "new": "new appeared"}
    for name, change in changes.items():
        cache.store(name, ENTRY._replace(inputs=cache.digests(files.values())))
        assert cache.load(name)[1] == "cached"
        change(files[name])
        assert cache.load(name) == (None, words[name])


def test_a_touched_file_is_the_same_file(tmp_path):
    """Bytes decide, not clocks."""
    file = tmp_path / "config.ttl"
    file.write_text("one")
    cache.store("key", ENTRY._replace(inputs=cache.digests([file])))
    file.touch()
    file.write_text("one")
    assert cache.load("key")[1] == "cached"


def test_a_folder_s_code_is_one_input(tmp_path):
    """A new, renamed or edited Python file changes the digest of its folder; other files do not."""
    before = cache.digest(tmp_path)
    (tmp_path / "readme.md").write_text("x")
    assert cache.digest(tmp_path) == before
    (tmp_path / "a.py").write_text("x = 1")
    first = cache.digest(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({before, first, cache.digest(tmp_path)}) == 3


def test_what_only_looks_like_code_does_not_count(tmp_path):
    """An editor's lock leads nowhere, a folder may end in .py, and a pipe would be read for ever."""
    before = cache.digest(tmp_path)
    (tmp_path / ".#a.py").symlink_to("nobody@nowhere.1")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    assert cache.digest(tmp_path) == before


def test_another_version_is_a_miss(monkeypatch):
    """A plan of another engine or Python is made anew, and the reason said."""
    cache.store("key", ENTRY)
    monkeypatch.setattr(cache, "__version__", "99")
    assert cache.load("key") == (None, "engine is now 99")


def test_a_cache_that_cannot_be_written_is_no_cache(tmp_path, monkeypatch):
    """Storing does nothing then, silently."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache.store("key", ENTRY)
    assert cache.load("key") == (None, "first run")


def test_eight_writers_at_once_leave_one_whole_entry(tmp_path):
    """Concurrent starts never see, or leave, half an entry."""
    script = "import test_cache as t; [t.cache.store('key', t.ENTRY) for _ in range(50)]"
    writers = [subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parent) for _ in range(8)]
    assert [writer.wait() for writer in writers] == [0] * 8
    assert cache.load("key") == (ENTRY, "cached")
    assert [file.name for file in cache.folder().iterdir()] == ["key"]


def test_old_entries_make_room(monkeypatch):
    """The cache does not grow with every `--set` ever tried."""
    monkeypatch.setattr(cache, "_MOST_ENTRIES", 10)
    for number in range(30):
        cache.store(f"key{number}", ENTRY)
    assert len(list(cache.folder().iterdir())) <= 11
    assert cache.load("key29")[1] == "cached"


def test_keys_tell_options_apart(tmp_path):
    """App, target, overrides and the rest each make another entry."""
    keys = {cache.key_of(tmp_path, None, ["a.b=1"]), cache.key_of(tmp_path, None, []), cache.key_of(tmp_path, tmp_path, [])}
    assert len(keys) == 3
