"""How a run is delivered, and what it shares with others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .budget import Budget
from .buffer import DynamicBuffer, Memory
from .eventlog import EventLog
from .lifecycle import Lifecycle
from .pressure import Pressure
from .spool import Disk, Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from .buffer import BufferLimits
    from .live import LiveRun

_KEPT: Final = 2048
"""Bytes of events that were sent, kept in memory; older ones are in a file."""


class Terms(NamedTuple):
    """How a run is delivered."""

    buffer: BufferLimits
    may_drop: bool = True
    """Whether events that are not essential may be left out."""
    ring: int = 128
    """Events that were sent, kept in memory."""
    replay: int = 16 << 20
    """Bytes of older ones kept in a file."""
    grace: float = 30.0
    """Seconds a client has to come back."""
    bare: bool = False
    """Whether results are sent as they are, without an envelope."""
    failure: Callable[[str], object] | None = None
    """What is sent then of a failed run, by what went wrong; None for nothing."""
    budget: Budget = Budget()
    """What the client asked to be spent at most."""
    counted: tuple[str, int] | None = None
    """A field of the first message that is a list, and how many there are."""
    warnings: tuple[str, ...] = ()
    """What the client is told about what it asked for."""


class Surroundings(NamedTuple):
    """What runs share, and who is told of their ends."""

    lifecycle: Lifecycle
    memory: Memory
    disk: Disk
    """Where events that were sent are kept."""
    ended: Callable[[LiveRun], object]
    """Called when a run has ended; its events may still wait."""
    gone: Callable[[LiveRun], object]
    """Called when nobody came back for what is left."""

    @classmethod
    def none(cls) -> Surroundings:
        """Return those of a run on its own."""
        return cls(Lifecycle(), Memory(), Disk(), lambda _: None, lambda _: None)


def log_of(terms: Terms, around: Surroundings, dropped: Callable[[], object]) -> EventLog:
    """Return what a run's events go to."""
    limits = terms.buffer
    kept = Kept(terms.ring, min(_KEPT, limits.memory), terms.replay, around.disk)
    pressure = Pressure(limits.slow_send / 1000)
    buffer, may_drop = DynamicBuffer(limits), terms.may_drop
    return EventLog(buffer, pressure, kept, may_drop=may_drop, bare=terms.bare, memory=around.memory, dropped=dropped)
