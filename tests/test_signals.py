"""Signals: the first drains, the second is final, an ignored one stays ignored."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from transmissions.signals import watched

PRELUDE = """
import os, signal, sys, threading, time
from transmissions.signals import watched
drained = threading.Event()
def send(number):
    os.kill(os.getpid(), number)
"""


def run(body, **options):
    """Run a script that uses `watched` and return its exit code, stdout and stderr."""
    script = PRELUDE + textwrap.dedent(body)
    result = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60, **options)
    return result.returncode, result.stdout, result.stderr


def test_the_first_signal_drains():
    """The first Ctrl-C asks for a drain once, says so, and lets the program go on."""
    code, out, err = run("""
        with watched(drained.set) as stop:
            send(signal.SIGINT)
            print(drained.wait(30), stop.exit_code)
    """)
    assert (code, out) == (0, "True 130\n")
    assert err == "stopping: finishing messages in flight; press Ctrl-C again to stop at once\n"


def test_what_does_not_end_in_time_is_ended():
    """What blocks a thread hears of no end; some time after it was to come the process goes, and its children with it."""
    code, out, err = run("""
        import transmissions.signals
        transmissions.signals._PATIENCE = 0.01
        with watched(drained.set, lambda: print("killed", flush=True)) as stop, stop.within(0.01):
            threading.Event().wait()
    """)
    assert (code, out) == (124, "killed\n")
    assert err == "the run took longer than 0.01 s and does not end; stopped at once, messages in flight are lost\n"


def test_what_ends_in_time_is_left_alone():
    """Any time may be given, even none that ever comes."""
    code, out, _ = run("""
        with watched(drained.set) as stop, stop.within(float("inf")):
            pass
        print(threading.active_count())
    """)
    assert (code, out) == (0, "1\n")


def test_sigterm_has_its_own_code():
    """SIGTERM drains just as well and stands for exit code 143."""
    _, out, err = run("""
        with watched(drained.set) as stop:
            send(signal.SIGTERM)
            drained.wait(30)
            print(stop.exit_code)
    """)
    assert out == "143\n"
    assert "send it again" in err


@pytest.mark.parametrize(
    "work",
    ['import re; re.match(r"(a+)+$", "a" * 60 + "b")', 'import hashlib; hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)'],
    ids=["asks for signals", "releases the interpreter"],
)
def test_the_second_signal_ends_c_code(work):
    """A second signal ends the process even while C code holds the main thread."""
    _is_ended(f"{PRELUDE}\nwith watched(drained.set):\n    print('at work', flush=True)\n    {work}")


def test_the_second_signal_ends_c_code_under_uvloop():
    """That loop has a wake-up descriptor of its own, and ours takes its place."""
    slow = "hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)"
    main = f"async def main():\n with watched(drained.set):\n  print('at work', flush=True)\n  {slow}"
    _is_ended(f"{PRELUDE}\nimport hashlib, uvloop\n{main}\nuvloop.new_event_loop().run_until_complete(main())")


def _is_ended(script):
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "at work\n"
            process.send_signal(signal.SIGINT)
            assert process.stderr.readline().startswith("stopping")
            process.send_signal(signal.SIGINT)
            assert process.stderr.readline() == "stopped at once; messages in flight are lost\n"
            assert process.wait(30) == 130
        finally:
            process.kill()  # Else the end of the block would wait for it, for ever.


def test_two_signals_that_reach_the_handler_as_one_are_two():
    """A second signal before the handler ran for the first ends the process, though C code then keeps the interpreter."""
    code, _, err = run("""
        import hashlib, re
        sys.setswitchinterval(60)
        def drain():
            send(signal.SIGINT)
            time.sleep(0.5)
        with watched(drain):
            threading.Timer(0.1, send, [signal.SIGINT]).start()
            hashlib.pbkdf2_hmac("sha256", b"", b"", 1_000_000)
            re.match(r"(a+)+$", "a" * 60 + "b")
    """)
    assert (code, err.splitlines()[-1]) == (130, "stopped at once; messages in flight are lost")


def test_an_ignored_signal_stays_ignored():
    """A SIGINT that was ignored at the start (nohup, background jobs) does nothing."""
    code, out, err = run(
        """
        with watched(drained.set) as stop:
            send(signal.SIGINT)
            time.sleep(0.1)
            print(drained.is_set(), stop.exit_code)
        """,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert (code, out, err) == (0, "False 0\n", "")


def test_handlers_are_put_back():
    """After the block the signals mean what they meant before, and no thread or descriptor is left."""
    before = signal.getsignal(signal.SIGINT), len(list(Path("/proc/self/fd").iterdir()))
    with watched(lambda: None) as stop:
        pass
    assert stop.exit_code == 0
    assert (signal.getsignal(signal.SIGINT), len(list(Path("/proc/self/fd").iterdir()))) == before
