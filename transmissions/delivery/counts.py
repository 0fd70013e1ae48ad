"""What one run has told."""

from __future__ import annotations


class Counts:
    """How many results and errors were told."""

    def __init__(self) -> None:
        self.done = self.failed = 0
        self.total: int | None = None
        """How many results there will be, if an app has said so in an event."""
        self.first_result: float | None = None
        """Seconds from the beginning to the first."""

    @property
    def ended(self) -> int:
        """How many results and errors there are."""
        return self.done + self.failed

    @property
    def success_rate(self) -> float:
        """The share of results, from 0 to 1."""
        return round(self.done / self.ended, 4) if self.ended else 1.0

    @property
    def next_rate(self) -> float:
        """The share of results there will be with one more."""
        return round((self.done + 1) / (self.ended + 1), 4)
