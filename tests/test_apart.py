import os

import pytest

from transmissions.apart import in_child

# The test runner has threads, and Python 3.12 warns of that; `trans` has none yet when it prepares a run.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


def test_work_is_done_in_another_process():
    """The result comes back, the process it was made in does not."""
    result, process = in_child(lambda: ({"a": [1, (2, "é")]}, os.getpid()))
    assert result == {"a": [1, (2, "é")]}
    assert process != os.getpid()


def test_a_large_result_comes_whole():
    """A result larger than a pipe's buffer is read while it is written."""
    assert len(in_child(lambda: "x" * 5_000_000)) == 5_000_000


def test_an_error_is_raised_as_if_there_were_no_child():
    """What fails in the child fails here, with its own type and words."""
    with pytest.raises(KeyError, match="lost"):
        in_child(lambda: {}["lost"])


def test_a_child_that_vanishes_does_not_take_the_work_with_it(capfd):
    """If the child is gone without a word, the work is done here, and nothing is printed of it."""
    parent = os.getpid()
    assert in_child(lambda: "here" if os.getpid() == parent else os._exit(1)) == "here"
    assert capfd.readouterr() == ("", "")
