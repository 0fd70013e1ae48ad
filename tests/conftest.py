"""What holds for every test."""

import gc
import signal

import pytest
from own_log import own_log

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Whatever is begun in the background of a script ignores Ctrl-C, as its children do: tests that send it would wait.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val, argname):
    """Name no test by bytes: what is packed has the time in it, and all who run tests side by side must find the same."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_finish():
    """Look no more for garbage among what stays for good, the tests and the libraries: that took a seventh of the time."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_log():
    """Give back the log as it was after each test."""
    with own_log():
        yield
