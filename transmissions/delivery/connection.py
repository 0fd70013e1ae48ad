"""One client of one run: takes events from its log and sends them, watched that it does not stand still."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from transmissions.api_replies import new_id

from .envelope import LAST, Event, make
from .errors import BackpressureExceeded
from .sends import Sends
from .vitals import heartbeat, warning

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .live import LiveRun

    Encode = Callable[..., bytes]
    Send = Callable[[list[bytes]], Awaitable[None]]
    AtOnce = Callable[[bytes], bool]

_WARNINGS: Final = 5.0
"""Seconds between two warnings, at least."""
_GATHERED: Final = 1 << 14
"""Bytes that are sent at once where more events wait: each send is a system call, and for the client a wake-up."""
_LONE: Final = 0.001
"""Seconds after which an event is sent by whoever brings it: of those that come one upon another, many are sent at once."""
_LITTLE: Final = 1 << 12
"""So many for a slow client: it has only so long for them."""


class Pace(NamedTuple):
    """How long a connection may take. Seconds."""

    heartbeat: float = 30.0
    """Between two events, so that nothing in between takes the connection for dead."""
    send: float = 5.0
    """For one send; a client that takes nothing for so long is cut off."""
    longest: float = 300.0
    """For the whole connection; a client may come back for the rest."""


class Connection:
    """A client's connection while it lasts. `first` is sent in front of everything else."""

    def __init__(self, live: LiveRun, protocol: str, encode: Encode, pace: Pace, first: bytes = b"") -> None:
        self.id = new_id()
        self.live = live
        self.protocol = protocol
        self.sends = Sends(live, protocol, self.id)
        self.ended = ""
        """Why it ended: complete, replaced, expired, slow, gone, closed."""
        self.is_through = False
        """Whether the last of its run is sent, or on its way."""
        self._encode = encode
        self._pace = pace
        self._first = first
        self._began = self._last = time.monotonic()
        self._seq = 0
        self._looks = self._began
        """When it is looked after next."""
        self._sending, self._warned = 0.0, float("-inf")
        self._is_replaced = self._is_due = self._is_expired = False
        self._at_once: AtOnce | None = None
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self._began

    def info(self) -> dict[str, Any]:
        """Return what can be said of it."""
        return {
            "connection_id": self.id,
            "protocol": self.protocol,
            "current_request_id": self.live.name,
            "start_time": round(time.time() - self.seconds, 3),
            "bytes_sent": self.sends.bytes,
            "messages_sent": self.sends.messages,
        }

    def replace(self) -> None:
        """End it, because the same client has come again."""
        self._is_replaced = True
        self.live.log.poke()

    async def deliver(self, send: Send, since: int = 0, at_once: AtOnce | None = None) -> None:
        """Send the events behind a number, until there are no more; those that come alone with `at_once`, where it says it did.

        Raises:
            BackpressureExceeded: the client took nothing for too long.

        """
        self.live.lifecycle.opened(self, is_again=since != 0)
        before = self.live.attach(self)
        if isinstance(before, Connection):
            before.replace()
        self._task, self._at_once = asyncio.current_task(), at_once
        self._look()
        try:
            await self._follow(send, since)
        except asyncio.CancelledError as error:
            if self.ended != "slow" or self._task is None or self._task.uncancel():
                raise
            raise BackpressureExceeded(f"the client took nothing for {self._pace.send:g} s") from error
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self.ended = self.ended or "gone"
            self.live.log.sent_at_once = None
            self.sends.settle()
            self.live.detach(self)
            self.live.lifecycle.closed(self)

    def _look(self) -> None:
        """Look whether a send takes too long, or a heartbeat or the end is due, and when to look next.

        One timer for each connection: two time-outs for each event would cost a tenth of it.
        """
        now, pace = time.monotonic(), self._pace
        if self._sending and now - self._looks >= pace.send / 2:
            self._sending = now  # For so long the loop was busy with something else: that is no fault of the client.
        if self._sending and now - self._sending >= pace.send:
            self.ended = "slow"
            assert self._task is not None
            self._task.cancel()
            return
        self._is_due = now - self._last >= pace.heartbeat
        self._is_expired = now - self._began >= pace.longest
        if self._is_due or self._is_expired:
            self.live.log.poke()
        beat = (now if self._is_due else self._last) + pace.heartbeat
        end = self._began + pace.longest + (pace.send if self._is_expired else 0)
        self._looks = max(now + 0.001, min((self._sending or now) + pace.send, beat, end))
        self._timer = asyncio.get_running_loop().call_later(self._looks - now, self._look)

    async def _follow(self, send: Send, since: int) -> None:
        log = self.live.log
        seq = log.place(since)
        if seq is None:
            # What is lost is said, and the rest is sent: the client decides whether that will do.
            seq = log.oldest
            await self._send(send, [make("reset", {"since": since, "first": seq + 1, "last": log.last})])
        self._seq = seq
        while events := await self._next():
            await self._send(send, events)
            if self.is_through:
                self.ended = "complete"
                return

    async def _next(self) -> list[Event]:
        """Wait for what comes next, or a heartbeat where nothing does; return nothing when it has `ended`."""
        log = self.live.log
        while True:
            if log.last <= self._seq and not log.is_ended:
                log.sent_at_once = self._send_at_once if self._at_once and self.sends.messages else None
                await log.wait(self._seq, self._is_called)
                log.sent_at_once = None
            elif self.sends.messages:  # The first go with the head of the answer.
                await asyncio.sleep(0)  # Others have their turn where this one never has to wait.
            if self._is_replaced or self._is_expired:
                self.ended = "replaced" if self._is_replaced else "expired"
                return []
            if events := self._take():
                return events
            if log.is_ended:
                self.ended = "closed" if log.is_closed else "complete"
                return []
            if self._is_due:
                self._is_due = False
                return heartbeat(self)

    def _send_at_once(self, event: Event) -> bool:
        """Send an event that comes alone, in the task that brings it: to wake this one would have it wait for all others."""
        began = time.monotonic()
        is_result = event.name == "result"
        if (is_result and began - self._last < _LONE) or event.name == LAST or self._is_called():
            return False
        piece = self._encode(event, bare=self.live.terms.bare)
        if not piece or self._at_once is None or not self._at_once(piece):
            return False
        self._seq, self._last = event.seq, time.monotonic()
        if is_result:
            self.sends.count_single(len(piece), self._last - began)
        else:
            self.sends.count({event.name: 1}, 1, len(piece), self._last - began)
        return True

    def _take(self) -> list[Event]:
        log = self.live.log
        waiting = len(log)
        events = log.take(self._seq, _LITTLE if log.pressure.is_slow else _GATHERED)
        if events:
            self._seq = events[-1].seq
            events += self._warning(waiting)
        return events

    def _is_called(self) -> bool:
        return self._is_replaced or self._is_due or self._is_expired

    async def _send(self, send: Send, events: list[Event]) -> None:
        bare = self.live.terms.bare
        encoded = [self._encode(event, bare=bare) for event in events]
        names = Counter([event.name for event in events]) if len(events) > 1 else {events[0].name: 1}
        self.is_through = LAST in names
        pieces = list(filter(None, encoded))
        if not pieces:
            return
        for event, piece in zip(events, encoded, strict=True) if len(pieces) < len(events) else ():
            names[event.name] -= not piece  # Nothing stands for it among bare records.
        count = len(pieces)
        if self._first:
            pieces.insert(0, self._first)
            self._first = b""
        size = sum(map(len, pieces))
        encoded.clear()
        events.clear()  # A client that takes nothing for long is not to hold them thrice.
        began = self._sending = time.monotonic()
        await send(pieces)
        self._sending, self._last, self._is_due = 0.0, time.monotonic(), False
        self.sends.count(names, count, size, self._last - began)

    def _warning(self, waiting: int) -> list[Event]:
        """Warn a client for which so many waited. A run faster than any client fills the buffer of one that is quick, too."""
        log = self.live.log
        if waiting <= log.buffer.threshold or not (log.pressure.is_slow or len(log) > log.buffer.threshold):
            return []
        now = time.monotonic()
        if now - self._warned < _WARNINGS or self.live.terms.bare:
            return []
        self._warned = now
        return [warning(self, waiting)]
