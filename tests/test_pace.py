"""How much is taken at once, and how often Python looks for garbage meanwhile."""

import gc
from contextlib import ExitStack

from transmissions.pace import RareCollections


def test_overlapping_runs_leave_the_thresholds_of_the_collector_as_they_were():
    """In whatever order runs end, the last one restores what the first one found."""
    before = gc.get_threshold()
    first, second = ExitStack(), ExitStack()
    first.enter_context(RareCollections())
    second.enter_context(RareCollections())
    first.close()
    during = gc.get_threshold()
    second.close()
    assert (during[0] > before[0], gc.get_threshold()) == (True, before)
