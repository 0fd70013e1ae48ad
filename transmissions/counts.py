"""What a run counts about each node: messages in and out, what became of the others, time, and latency.

Everything is counted once a batch, because a clock reading per message costs more than a trivial step (122 ns to 80 ns).
Latency is that of the first message of each batch, which is every message of a slow step and one in 512 of a fast one;
of a source and of `process_batch` it is the batch's time divided by its messages.
"""

from __future__ import annotations

from typing import Any, Final


class Histogram:
    """Durations in buckets of powers of two: bucket n holds what took up to 2^n microseconds; there are as many as it takes."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: list[int] = []

    def record(self, seconds: float) -> None:
        """Count one duration."""
        self.add(int(seconds * 1e6).bit_length(), 1)

    def add(self, bucket: int, count: int) -> None:
        """Count what is known to belong to a bucket."""
        buckets = self.buckets
        if bucket >= len(buckets):
            buckets.extend([0] * (bucket + 1 - len(buckets)))
        buckets[bucket] += count

    def take(self) -> list[tuple[int, int]]:
        """Return the buckets in use with their counts, and begin again."""
        found = [(bucket, count) for bucket, count in enumerate(self.buckets) if count]
        self.buckets = []
        return found

    def quantile(self, share: float) -> float | None:
        """Return the seconds that `share` of the durations did not exceed, rounded up to a bucket; None without any."""
        left = share * sum(self.buckets)
        for exponent, count in enumerate(self.buckets):
            left -= count
            if count and left <= 0:
                return float(2**exponent) / 1e6
        return None


class Counts:
    """The counters of one node.

    For a step that makes one message of one, `received = sent + dropped + skipped + dead` once the stream has ended.
    """

    __slots__ = ("busy", "dead", "dropped", "failed", "latency", "received", "retried", "sent", "skipped")

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0
        self.dropped = 0
        """Messages the processor let go on purpose, or the buffer in front of it had no room for."""
        self.failed = 0
        """Messages that failed for good, whatever the policy made of them."""
        self.retried = 0
        """Attempts that were repeated."""
        self.skipped = 0
        """Failures passed over by policy, and input the processor skipped for a reason it gave."""
        self.dead = 0
        """Dead letters."""
        self.busy = 0.0
        """Seconds inside the processor, waiting of asynchronous ones included."""
        self.latency = Histogram()

    def take(self) -> list[Any]:
        """Return everything counted, for `add` in another process, and begin again; nothing if nothing was."""
        taken: list[Any] = [getattr(self, name) for name in _PLAIN]
        for name, value in zip(_PLAIN, taken, strict=True):
            setattr(self, name, value.__class__())
        return [*taken, self.latency.take()] if any(taken) else []

    def add(self, taken: list[Any]) -> None:
        """Count what another process counted."""
        *plain, latency = taken
        for name, value in zip(_PLAIN, plain, strict=True):
            setattr(self, name, getattr(self, name) + value)
        for bucket, count in latency:
            self.latency.add(bucket, count)

    def snapshot(self) -> dict[str, Any]:
        """Return the counters as JSON values; times in seconds."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        quantiles = {"p50": self.latency.quantile(0.5), "p90": self.latency.quantile(0.9), "p99": self.latency.quantile(0.99)}
        return {**plain, "latency": quantiles}


_PLAIN: Final = tuple(name for name in Counts.__slots__ if name != "latency")
