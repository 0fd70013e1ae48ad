"""What became of one conversation, on its way from the step that renders it to the one that reports."""

from __future__ import annotations

from typing import Any


class Account:
    """`counts`: what the archive held. `tally`: what became of it, by kind and outcome.

    An object, not a dict: the buffers on its way weigh a message by looking through its dicts, and this is no payload.
    """

    __slots__ = ("counts", "tally")

    def __init__(self, counts: dict[str, Any], tally: dict[tuple[str, str], int]) -> None:
        self.counts = counts
        self.tally = tally
