"""What holds for every test."""

import logging

import pytest


@pytest.fixture(autouse=True)
def _own_log():
    """Give back the log as it was: a run within a test sends it to that test's stderr."""
    log = logging.getLogger("transmissions")
    before = (list(log.handlers), log.level, log.propagate)
    yield
    log.handlers[:], log.level, log.propagate = before
