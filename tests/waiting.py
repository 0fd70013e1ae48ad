"""How tests wait for what comes by itself."""

import time


def eventually(condition, seconds=10.0):
    """Wait until something is the case; return what says so, or what says that it never came to be."""
    until = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.01)
    return found
