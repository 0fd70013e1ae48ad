"""`trans watch`: runs when files change, and only then."""

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from transmissions.errors import UsageError
from transmissions.watch_changes import Doings, changes_in
from transmissions.watch_sets import read_config

watchfiles = pytest.importorskip("watchfiles")
PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
WRITES = ':app a :EntryTransmission ; :pipe ( [ a :FileWriter ; :contentField "sourcePath" ; :destinationFile "last.txt" ] ) .'


@pytest.fixture
def home(tmp_path):
    """Give a home with an app that writes into the folder it is given, and two folders."""
    (tmp_path / "apps/app").mkdir(parents=True)
    (tmp_path / "apps/app/transmissions.ttl").write_text(PREFIX + WRITES)
    (tmp_path / "in").mkdir()
    (tmp_path / "other").mkdir()
    return tmp_path


class Watched:
    """A watching process, the messages its runs gave, and what it said."""

    def __init__(self, home, *words, **environment):
        command = [sys.executable, "-P", "-m", "transmissions", "watch", *words, "--debounce", "100", "--json"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=home, text=True, env={**os.environ, **environment}, **pipes)
        self.messages, self.told, self.threads = [], [], []
        for stream, take in ((self.process.stdout, self._hear), (self.process.stderr, self.told.append)):
            self.threads.append(threading.Thread(target=lambda s=stream, t=take: [t(line) for line in s], daemon=True))
            self.threads[-1].start()
        self.until(lambda: self.said("watching"))

    def _hear(self, line):
        self.messages.append(json.loads(line))

    def said(self, text):
        return any(text in line for line in self.told)

    def until(self, holds):
        while not holds():
            assert self.process.poll() is None, "".join(self.told)
            time.sleep(0.02)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(60)


@contextlib.contextmanager
def watching(home, *words, **environment):
    """Watch for the length of a block."""
    watched = Watched(home, *words, **environment)
    try:
        yield watched
    finally:
        watched.process.kill()
        watched.process.wait()
        for thread in watched.threads:
            thread.join()
        watched.process.stdout.close()
        watched.process.stderr.close()


def test_a_settled_set_of_changes_is_one_run(home):
    """The message says which files changed; what a run writes itself starts no other."""
    with watching(home, "app", "in") as watched:
        for name in ("a.txt", "b.txt", "c.log", "d.tmp"):
            (home / "in" / name).write_text(name)
        watched.until(lambda: watched.messages)
        (home / "in" / "a.txt").unlink()
        watched.until(lambda: len(watched.messages) == 2 and sum(" in, " in line for line in watched.told) == 2)
        time.sleep(0.5)  # What is written before a run has ended may be its own.
        (home / "in" / "last.txt").write_text("by somebody else")
        watched.until(lambda: len(watched.messages) == 3)
        time.sleep(0.5)
        assert watched.end() == 143
    files = [[(Path(one["path"]).name, one["event"]) for one in message["files"]] for message in watched.messages]
    files[2] = [name for name, _ in files[2]]  # Its event may be told together with that of the run before.
    assert files == [[("a.txt", "added"), ("b.txt", "added")], [("a.txt", "deleted")], ["last.txt"]]
    first = watched.messages[0]
    assert first.pop("timestamp") <= watched.messages[1]["timestamp"]
    assert {name: first[name] for name in ("eventType", "filename", "sourcePath", "watchDir")} == {
        "eventType": "rename", "filename": "a.txt", "sourcePath": str(home / "in/a.txt"), "watchDir": str(home / "in"),
    }  # fmt: skip


def test_a_run_that_fails_is_told_and_watching_goes_on(home):
    """So it does when the config is broken in between."""
    app = home / "apps/app/transmissions.ttl"
    with watching(home, "app", "in") as watched:
        app.write_text(PREFIX + WRITES.replace("sourcePath", "nothing"))
        (home / "in/a.txt").write_text("1")
        watched.until(lambda: watched.said("nothing"))
        app.write_text("broken")
        (home / "in/a.txt").write_text("2")
        watched.until(lambda: watched.said("error[syntax]") or watched.said("error"))
        app.write_text(PREFIX + WRITES)
        (home / "in/a.txt").write_text("3")
        watched.until(lambda: watched.messages)
        assert watched.end(signal.SIGINT) == 130


def test_a_config_says_what_to_watch(home):
    """Of each set, the apps run for the folder that changed; configured arguments stand in its place."""
    sets = [
        {"name": "one", "dirs": ["~/in", "~/other"], "apps": ["app", "app"], "watchEvents": ["rename"]},
    ]
    (home / "watch.json").write_text(json.dumps(sets))
    (home / "other/old.txt").write_text("old")
    with watching(home, "watch.json", HOME=str(home)) as watched:
        (home / "other/old.txt").write_text("changed, which is not asked for")
        (home / "other/new.txt").write_text("new")
        watched.until(lambda: len(watched.messages) == 2)
        watched.end()
    assert {(one["watchDir"], one["filename"], len(one["files"])) for one in watched.messages} == {
        (str(home / "other"), "new.txt", 1)
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[{,}]", "watch.json:1:3: not JSON"),
        ("[" * 20_000, "watch.json: JSON that cannot be read: it is nested too deep"),
        ("{}", "watch.json: a config is a list"),
        ('[{"dirs": ["."], "apps": [], "name": "x"}]', "[0] needs apps: a list of texts"),
        ('[{"dir": ["."]}]', "[0] has a 'dir'; did you mean 'dirs'?"),
        ('[{"dirs": ["none-such"], "apps": ["a"]}]', "none-such' to watch"),
        ('[{"dirs": ["."], "apps": ["a \'b"]}]', "no closing quotation"),
        ('[{"dirs": ["."], "apps": ["a"], "watchEvents": ["created"]}]', "not 'created'"),
    ],
)
def test_a_faulty_config_is_refused(tmp_path, text, sentence):
    """The sentence says where in the file."""
    (tmp_path / "watch.json").write_text(text)
    with pytest.raises(UsageError, match=re.escape(sentence)):
        read_config(tmp_path / "watch.json")


def test_what_a_command_writes_with_every_run_is_ignored_in_the_end(tmp_path):
    """A file that changes whenever a run is at work, unknown to the engine, starts a few runs and then none."""
    doings, path = Doings(), tmp_path / "made"
    started = []
    for number in range(5):
        doings.begin()
        path.write_text(str(number))
        doings.end()
        found, looping = doings.others({(watchfiles.Change.modified, str(path))})
        started.append((len(found), len(looping)))
    assert started == [(1, 0)] * 3 + [(0, 1)] * 2


def test_a_folder_that_came_has_its_files(tmp_path):
    """The system may tell of the folder alone; a folder that changed is no news."""
    (tmp_path / "new/deep").mkdir(parents=True)
    (tmp_path / "new/deep/a").write_text("")
    changes = {(watchfiles.Change.added, str(tmp_path / "new")), (watchfiles.Change.modified, str(tmp_path))}
    assert Doings().others(changes) == ([("added", str(tmp_path / "new/deep/a"))], [])


def test_a_folder_that_is_made_anew_is_watched_again(tmp_path):
    """Whoever builds into a folder often removes it first; what it holds when it is back has been added."""
    folder, stop = tmp_path / "in", threading.Event()
    folder.mkdir()
    coming = itertools.islice(changes_in([folder], 50, stop), 300)  # 300 looks are a minute; without an end a fault would hang

    def hears_of(path):
        return any((watchfiles.Change.added, str(path)) in changes for changes in coming)

    for name in "ab":
        next(coming)
        folder.rmdir()
        if name == "b":  # by the time it is looked at, it is gone, or is another already
            next(coming)
        folder.mkdir()
        assert hears_of(folder)
        (folder / name).touch()
        assert hears_of(folder / name)
        (folder / name).unlink()
    stop.set()
    assert all(len(changes) <= 1 for changes in coming)


def test_a_file_is_told_once():
    """What came and was changed has come; what came and went is no news."""
    changes = {(watchfiles.Change.added, __file__), (watchfiles.Change.modified, __file__)}
    gone = {(watchfiles.Change.added, "/none/x"), (watchfiles.Change.deleted, "/none/x")}
    assert Doings().others(changes | gone) == ([("added", __file__)], [])
