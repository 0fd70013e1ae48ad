"""The shell that ends commands whose parent died."""

import os
import signal
import subprocess
import sys
import time

import pytest
from commands import is_gone

START = """
import os, signal, subprocess, sys, time
from transmissions.streaming.guard import GUARD
def start():
    words = ["sh", "-c", "sleep 60 & echo $$ $!; wait"]
    child = subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE, text=True)
    GUARD.watch(child.pid)
    return child, child.stdout.readline()
"""


def killed(program):
    """Run a program until it says that it is ready, kill it, and return what it said."""
    with subprocess.Popen(
        [sys.executable, "-c", START + program + "\ntime.sleep(60)"], stdout=subprocess.PIPE, text=True
    ) as parent:
        said = parent.stdout.readline()
        parent.kill()
    return said.split()


def all_gone(processes):
    """Whether processes are gone, or are so after some time."""
    for _ in range(1000):
        if all(map(is_gone, processes)):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("count", [1, 40])
def test_all_groups_end_with_their_parent(count):
    """However many groups there are, none outlives the parent."""
    processes = killed(f"print(*(start()[1].strip() for _ in range({count})), flush=True)")
    assert len(processes) == 2 * count
    assert all_gone(processes)


def test_a_forgotten_group_is_left_alone():
    """A group that was forgotten outlives the parent, and one that took its place does not."""
    told = killed("(one, said), _ = start(), 0\nGUARD.forget(one.pid)\nprint(said.strip(), start()[1].strip(), flush=True)")
    assert all_gone(told[2:])
    assert not any(map(is_gone, told[:2]))
    os.killpg(int(told[0]), signal.SIGKILL)


def test_a_guard_that_died_is_replaced():
    """A new guard knows the groups of the old one."""
    death = "said = start()[1]\nos.kill(GUARD._shell, signal.SIGKILL)\ntime.sleep(0.2)\n"
    processes = killed(death + "print(said.strip(), start()[1].strip(), flush=True)")
    assert len(processes) == 4
    assert all_gone(processes)


def test_a_forked_child_does_not_keep_groups_alive():
    """A process that was forked and lives on neither keeps the guard waiting nor ends what its parent started."""
    fork = "said = start()[1]\nforked = os.fork()\nif forked == 0:\n    os.close(1)\n    time.sleep(60)\n"
    *processes, forked = killed(fork + "print(said.strip(), forked, flush=True)")
    assert all_gone(processes)
    assert not is_gone(forked)
    os.kill(int(forked), signal.SIGKILL)


def test_a_parent_that_ends_leaves_nobody():
    """When the parent ends with nothing at work, the guard ends."""
    end = "child, _ = start()\nos.killpg(child.pid, 9)\nchild.wait()\nchild.stdout.close()\nGUARD.forget(child.pid)\n"
    program = START + end + "print(GUARD._shell)"
    guard = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60).stdout
    assert all_gone(guard.split())
