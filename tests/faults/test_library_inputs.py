"""Odd data in every field that processors of the library read: messages come out, or a sentence of ours."""

import datetime as dt
import math
import os

import pytest
from makers import MESSAGE, PLAIN

from transmissions import NodeFailed, TransmissionsError
from transmissions.testing import through


def deep(levels=20_000):
    """Return lists in each other."""
    inner = []
    for _ in range(levels):
        inner = [inner]
    return inner


ODD = [
    None, True, 7, -1, 1.5, math.nan, math.inf, 2**70, "", " ", "a\0b", "a\ud800b", "a\r\nb", "9" * 20_000, "[" * 20_000,
    '{"a":' * 20_000, "<a>" * 20_000, "&" * 20_000, "> " * 20_000, "[ <a:p> " * 20_000, "*a `b" * 5_000, "../x", "/etc/passwd",
    "file:///x", "http://[::1", [], [None, {}], ["\ud800"], {}, {"a": {"b": None}}, b"", b"\xff\0", (1, 2), {1}, object(),
    dt.datetime(1, 1, 1),  # noqa: DTZ001 - a naive one is what is meant
    dt.date(9999, 12, 31), deep(),
]  # fmt: skip
SINGLE = ODD if os.environ.get("TRANS_LONG") else [None, 7, "a\ud800b", [], {}, b"\xff\0"]


@pytest.mark.parametrize("make", PLAIN, ids=lambda make: type(make()).__name__)
def test_odd_data_is_taken_or_told_of(make):
    """Never by an error of Python's that says nothing of the field, save that nesting has its limit; never at any length."""
    stories = [{name: value for name, value in MESSAGE.items() if name != left_out} for left_out in MESSAGE]
    stories += [{**MESSAGE, name: value} for name in MESSAGE for value in SINGLE] + [dict.fromkeys(MESSAGE, one) for one in ODD]
    for message in [{}, *stories]:
        fault = failure(make(), message)
        assert fault is None or isinstance(fault.cause, TransmissionsError | RecursionError), repr(fault)[:400]
        assert len(str(fault)) < 5_000


def failure(processor, message):
    """Return what a processor says of a message that it cannot take."""
    try:
        through(processor, [message])
    except NodeFailed as error:
        return error
    return None
