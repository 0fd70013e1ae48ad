"""The REPL: each line is a run of its own, and nothing but its end ends it."""

import json
import os
import pty
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-P", "-m", "transmissions", "repl"]
APP = """@prefix : <http://purl.org/stuff/transmissions/> .
:app a :EntryTransmission ; :pipe ( :count :fall ) .
:count a :Counted .
:fall a :StringReplace ; :inputField "content" ; :match "a" ; :replace "b" .
"""
STEP = '''
import time
from transmissions import Processor


class Counted(Processor):
    """Count the messages of a run, fail on "fail", and wait on "wait"."""

    stateful = True

    def __post_init__(self):
        self._count = 0

    def process(self, message):
        self._count += 1
        if message.get("content") == "fail":
            raise ValueError("as told")
        if message.get("content") == "wait":
            self.context.show("waiting\\n")
            time.sleep(60)
        return {**message, "count": self._count}
'''


@pytest.fixture
def home(tmp_path):
    """Give a home with an app."""
    (tmp_path / "apps/app").mkdir(parents=True)
    (tmp_path / "apps/app/transmissions.ttl").write_text(APP)
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors/counted.py").write_text(STEP)
    return tmp_path


def repl(home, text, *words):
    """Send lines to a REPL and return its exit code, its messages and what it said."""
    result = subprocess.run([*COMMAND, *words], cwd=home, input=text, capture_output=True, text=True, timeout=100)
    return result.returncode, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_each_line_is_a_run_of_its_own(home):
    """An object is the message, other lines are its content, and no run knows of another."""
    code, messages, told = repl(home, '{"content": "a", "x": 1}\nbanana\n\n//a\n', "app")
    assert messages == [
        {"content": "b", "x": 1, "count": 1},
        {"content": "bbnbnb", "count": 1},
        {"content": "/b", "count": 1},
    ]
    assert (code, told) == (0, "")


def test_a_failure_is_told_and_the_next_line_is_read(home):
    """Where nobody types, the exit code says that one failed."""
    code, messages, told = repl(home, 'fail\n/nonsense\n{"content": \nz\n/quit\nz\n', "app")
    assert [one["content"] for one in messages] == ['{"content":', "z"]
    assert code == 1
    assert "app/count: ValueError: as told" in told
    assert "no command '/nonsense'" in told
    assert "not JSON" in told


def test_commands_change_how_it_runs(home):
    """The app, its arguments, settings and how much is said can be changed; what cannot be is not."""
    lines = ["a", "/app app", "/set fall.replace=c", "/set fall.nix=1", "a", "/less", "a", "/more", "/more", "/plan", "a"]
    code, messages, told = repl(home, "\n".join(lines))
    assert messages == [{"content": "c", "count": 1}] * 2
    assert code == 2
    assert "there is no app yet" in told
    assert "StringReplace has no setting nix" in told
    assert "app: 1 message in, 1 out" in told
    assert "count  Counted" in told


def test_ctrl_c_stops_the_run_and_not_the_repl(home):
    """A run that is stopped is followed by the next line; Ctrl-D ends."""
    main, terminal = pty.openpty()
    environment = {**os.environ, "XDG_STATE_HOME": str(home / "state"), "TERM": "dumb"}
    process = subprocess.Popen(
        [*COMMAND, "app"], cwd=home, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),  # noqa: PLW1509
    )  # fmt: skip
    os.close(terminal)
    seen = _until(main, "> ", "wait\n")
    seen = _until(main, "waiting\r\n", "", seen)
    for _ in range(2):  # The first cancels, the second interrupts what does not listen.
        os.write(main, b"\x03")
        time.sleep(0.3)
    seen = _until(main, "stopped", "a\n", seen)
    seen = _until(main, '"count": 1', "", seen)
    _until(main, "> ", "\x04", seen.rpartition('"count": 1')[2])  # Before the prompt it would be no end but a character.
    assert process.wait(60) == 0
    os.close(main)
    assert (home / "state/transmissions/history").read_text().split() == ["wait", "a"]


def _until(terminal, text, answer, seen=""):
    while text not in seen:
        seen += os.read(terminal, 1024).decode()
    os.write(terminal, answer.encode())
    return seen.partition(text)[2]


def test_input_that_is_closed_is_told_as_that(home):
    """What cannot be read is standard input, and not standard output that cannot be written."""
    result = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&-', *COMMAND, "app"], cwd=home, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", "error: cannot read standard input: it is closed\n")


def test_words_with_an_open_quotation_are_refused(home):
    """A fault in what is typed is none of trans."""
    assert repl(home, '/args "a\n', "app") == (2, [], 'error: /args "a: no closing quotation\n')
