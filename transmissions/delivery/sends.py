"""What one connection has sent, counted and told. Results that are sent one by one are told of some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .lifecycle import ProgressUpdate, Sent

if TYPE_CHECKING:
    from .live import LiveRun

_SINGLES: Final = 16
"""Single results that are told of together: to tell of one takes as long as to send it."""


class Sends:
    """The sends of a connection."""

    __slots__ = ("_id", "_live", "_protocol", "_seconds", "_singles", "_size", "bytes", "messages")

    def __init__(self, live: LiveRun, protocol: str, connection_id: str) -> None:
        self.bytes = self.messages = 0
        self._live = live
        self._protocol = protocol
        self._id = connection_id
        self._singles = self._size = 0
        self._seconds = 0.0

    def count(self, names: dict[str, int], count: int, size: int, seconds: float) -> None:
        """Count a send of so many events, and tell of it."""
        self.settle()
        self.bytes += size
        self.messages += count
        self._live.log.flushes += 1
        self._tell(Sent(self._protocol, seconds, size, names), count)
        live = self._live
        if "progress" in names and live.lifecycle.who_hear(ProgressUpdate):
            live.lifecycle.tell(ProgressUpdate(self._id, live.counts.done, live.throughput))

    def count_single(self, size: int, seconds: float) -> None:
        """Count a result that was sent alone, and tell of it when there are enough of them."""
        self.bytes += size
        self.messages += 1
        self._live.log.flushes += 1
        self._singles += 1
        self._size += size
        self._seconds += seconds
        if self._singles >= _SINGLES:
            self.settle()

    def settle(self) -> None:
        """Tell of the single results that were not told of yet."""
        if count := self._singles:
            sent = Sent(self._protocol, self._seconds / count, self._size, {"result": count}, count)
            self._singles, self._size, self._seconds = 0, 0, 0.0
            self._tell(sent, count)

    def _tell(self, sent: Sent, events: int) -> None:
        self._live.log.sent(sent.seconds, events, sent.sends)
        self._live.lifecycle.tell(sent)
