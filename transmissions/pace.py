"""How much a segment or a source takes at once: as much as is quick and small, and never so much that others wait.

Batches make an engine fast, and long batches make it late and large. So a batch doubles from one message up to 512 as long
as it stays below 5 ms and about a megabyte.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from .channel import ITEMS, WEIGHT
from .message import glance, keep_messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .message import Message

BUDGET: Final = 0.005
"""Seconds one batch may hold the loop, about."""
_YIELD: Final = BUDGET / 2
_LOOKS: Final = 2
_ONE_EACH: Final = WEIGHT // 2
_FORGETS: Final = 3
"""The biggest message counts an eighth less with each look: forgotten in a few dozen, not in two."""
_COLLECTION: Final = 10_000
"""Objects more than before, at which Python shall look for cyclic garbage."""
_LOCK: Final = threading.Lock()
_before: Final[list[tuple[int, int, int]]] = []
"""The thresholds found by each run at work. Only the first one's are not ours, and it is taken from the end, so comes last."""

clock = time.perf_counter


class Gauge:
    """The size in bytes of the biggest message seen lately, about."""

    __slots__ = ("weight",)

    def __init__(self) -> None:
        self.weight = 1

    def look(self, messages: list[Message]) -> None:
        """Glance at the last of what is on its way, unless batches are of one message already; forget a little."""
        seen = glance(messages[-1], WEIGHT) if messages and self.weight <= _ONE_EACH else 1
        self.weight = max(seen, self.weight - (self.weight >> _FORGETS))


class Pace:
    """The size of the next batch. All paces of a segment share one gauge."""

    __slots__ = ("_held", "gauge", "size")

    def __init__(self) -> None:
        self.size = 1
        self.gauge = Gauge()
        self._held = 0.0

    def adapt(self, count: int, seconds: float) -> None:
        """Set the next size after `count` messages took `seconds` all the way."""
        by_time = int(BUDGET * count / seconds) if seconds > 0 else ITEMS
        self.size = min(ITEMS, self.size * 2, by_time, WEIGHT // self.gauge.weight) or 1
        self._held += seconds

    @property
    def is_due(self) -> bool:
        """Whether this task has worked for so long that others should run."""
        return self._held > _YIELD

    async def breathe(self) -> None:
        """Let other tasks run."""
        self._held = 0.0
        await asyncio.sleep(0)

    def take(self, iterator: Iterator[Any], out: list[Message]) -> bool:
        """Fill `out` up to `size` messages, less when they come slowly; return whether there may be more.

        At least one is taken. What came before the iterator raised stays in `out`.

        Raises:
            TypeError: something is not a message; what came before it stays in `out`.

        """
        had = len(out)
        more = self._fill(iterator, out)
        keep_messages(out, had)
        if more:
            self.gauge.look(out)
        return more

    def _fill(self, iterator: Iterator[Any], out: list[Message]) -> bool:
        latest = clock() + BUDGET
        goal = max(self.size, len(out) + 1)
        step = self.size // _LOOKS or 1
        while (room := goal - len(out)) > 0:
            part = min(step, room)
            out.extend(islice(iterator, part))
            if len(out) + room < goal + part:
                return False
            if clock() > latest:
                break
        return True


class RareCollections:
    """Lets Python look for cyclic garbage less often, as long as the block is at work.

    By default it does so whenever 700 objects more are alive than before. Batches on their way cross that all the time, and
    nothing is found: it costs a run of trivial steps 5 %. Runs may overlap and end in any order: the last one to end leaves
    things as the first one found them.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        with _LOCK:
            _before.append(gc.get_threshold())
            first, *others = _before[-1]
            gc.set_threshold(max(first, _COLLECTION) if first else first, *others)

    def __exit__(self, *_: object) -> None:
        with _LOCK:
            gc.set_threshold(*_before.pop())
