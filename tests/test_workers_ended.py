"""Workers from the command line: signals, `kill -9`, exit codes, and no process left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import eventually

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
PARTS = '''
"""A source without end, and a step that takes its time."""

import errno
import os
import time

from transmissions import Processor, Source


class Endless(Source):
    """Count for ever."""

    def produce(self, message):
        number = 0
        while True:
            yield {"id": number, "main": os.getpid()}
            number += 1


class Slow(Processor):
    """Take some time, and write a file for each message."""

    seconds: float = 0.01
    "How long, here."
    elsewhere: float = 0.01
    "How long, in another process."
    full: bool = False
    "Whether another process finds the disk full."

    def process(self, message):
        is_here = os.getpid() == message["main"]
        path = self.context.output_path(f"{'here' if is_here else 'there'}-{message['id']}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.full and not is_here:
            raise OSError(errno.ENOSPC, "no space left on device", str(path))
        path.touch()
        time.sleep(self.seconds if is_here else self.elsewhere)
        return message
'''


@pytest.fixture
def home(tmp_path):
    """Give a home with an endless app, two processes wide."""
    pipe = "( [ a :Endless ] [ a :Workers ; :processes 2 ; :pipe ( :slow ) ] )"
    files = {
        "apps/work/transmissions.ttl": f"{PREFIX}:work a :EntryTransmission ; :pipe {pipe} . :slow a :Slow .",
        "processors/steps.py": PARTS,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def start(home):
    """Start the app; what is left of it at the end of the test is killed."""
    started = []

    def begin(*words):
        command = [sys.executable, "-P", "-m", "transmissions", "run", "work", "-o", "out", *words]
        process = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def at_work(home, process):
    """Wait until another process has worked on a message, and return its id."""
    assert eventually(lambda: [*home.glob("out/there-*")], 30)
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def is_gone(process):
    """Whether a process has ended; the one that started it may not have noticed yet."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_a_signal_lets_everything_arrive(home, start):
    """The first Ctrl-C drains: what is on its way in other processes arrives, and they end."""
    run = start("--json")
    child = at_work(home, run)
    os.kill(child, signal.SIGTERM)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert out.count('"id"') == len([*home.glob("out/*-*")])
    assert is_gone(child)


def test_a_second_signal_leaves_no_process(home, start):
    """The second signal kills the other processes, whatever they do."""
    run = start("--set", "slow.elsewhere=600")
    child = at_work(home, run)
    run.send_signal(signal.SIGTERM)
    assert "stopping" in run.stderr.readline()
    run.send_signal(signal.SIGTERM)
    assert run.wait(60) == 143
    assert eventually(lambda: is_gone(child), 30)


@pytest.mark.parametrize("seconds", ["0.01", "600"])
def test_processes_notice_that_they_are_alone(home, start, seconds):
    """When the run's own process is killed, the others end: after the batch at hand, or after some seconds."""
    run = start("--set", f"slow.elsewhere={seconds}")
    child = at_work(home, run)
    run.kill()
    assert eventually(lambda: is_gone(child), 30)
    written = [*home.glob("out/there-*")]
    time.sleep(0.1)
    assert [*home.glob("out/there-*")] == written


def test_the_next_run_waits_for_the_last_process(home, start):
    """After `kill -9` the next run into the folder waits until no process of the first is left."""
    run = start("--set", "slow.elsewhere=3")
    child = at_work(home, run)
    run.kill()
    run.wait()
    following = start("--set", "slow.seconds=0.001", "--timeout", "20")
    assert eventually(lambda: [*home.glob("out/here-*")][1:], 30)
    assert eventually(lambda: is_gone(child) or following.poll() is not None, 30)
    assert is_gone(child)


def test_a_killed_process_does_not_end_the_run(home, start):
    """A process that is killed costs a warning; the run goes on, and ends as it would have."""
    run = start()
    os.kill(at_work(home, run), signal.SIGKILL)
    assert run.stderr.readline().startswith("warning: ")
    run.send_signal(signal.SIGINT)
    assert run.wait(60) == 130


def test_a_full_disk_elsewhere_is_a_full_disk(home, start):
    """What another process cannot write ends the run with exit code 74, and names the place."""
    run = start("--set", "slow.full=true")
    _, err = run.communicate(timeout=60)
    assert run.returncode == 74, err
    assert "transmissions.ttl:2:" in err
    assert "work/slow: OSError: [Errno 28] no space left on device" in err


def test_workers_of_the_command_line(home, start):
    """`--workers 1` has one process do everything; a number that is none, or too large, is refused."""
    run = start("--workers", "1", "--timeout", "1")
    assert run.wait(60) == 124
    assert not [*home.glob("out/there-*")]
    for word in ("0", "65", "two", "-1"):
        refused = start(f"--workers={word}")
        assert refused.wait(60) == 2
        assert f"'{word}' is no number of processes from 1 to 64" in refused.stderr.read()
