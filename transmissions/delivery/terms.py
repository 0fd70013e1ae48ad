"""How a run is delivered, and what it shares with others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .budget import Budget
from .buffer import Memory
from .lifecycle import Lifecycle
from .spool import Disk

if TYPE_CHECKING:
    from collections.abc import Callable

    from .buffer import BufferLimits
    from .live import LiveRun


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
