"""How plain methods are called: in the event loop while they are brief, else in a thread, and with how many lines at once."""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING, Any, Final

from .side import SideThread

if TYPE_CHECKING:
    from collections.abc import Callable

_LONG: Final = 0.01
"""Seconds that a call may hold the event loop."""
_BRIEF: Final = _LONG / 4
_QUICK: Final = 0.001
_TRUST: Final = 8
_WHO: Final = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


class Pace:
    """The calls of one reader, one after another.

    A method that waits for something - a file, a lock, a sleep - is given a thread; so is one that computes for long at a
    single line. One that computes for long at many lines gets fewer. That the system let others run in the middle of a call
    counts for nothing, or quick readers of a busy machine would lose lines.
    """

    def __init__(self, name: str, most: int | None, cap: int | None) -> None:
        self.most = most
        """Lines to take at once."""
        self._name = name
        self._cap = cap
        self._side: SideThread | None = None
        self._in_thread = False
        self._trust = self._quick = _TRUST

    async def call(self, function: Callable[[], Any], lines: int) -> Any:
        """Call what handles lines."""
        began, before = time.perf_counter(), resource.getrusage(_WHO)
        was_in_thread = self._in_thread
        result = await self.aside(function)
        spent = time.perf_counter() - began
        if was_in_thread:
            self._learn_in_thread(spent)
        elif spent > _LONG:
            self._learn(before, resource.getrusage(_WHO), lines)
        if self._cap is not None or not self._in_thread:
            self._portion(spent)
        return result

    async def aside(self, function: Callable[[], Any]) -> Any:
        """Call something else of the reader, where its lines are handled."""
        if not self._in_thread:
            return function()
        self._side = self._side or SideThread(self._name)
        return await self._side.call(function)

    def close(self) -> None:
        """Let the thread go."""
        if self._side is not None:
            self._side.close()

    def _learn(self, before: resource.struct_rusage, after: resource.struct_rusage, lines: int) -> None:
        computed = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime > _LONG
        if after.ru_nvcsw > before.ru_nvcsw or (computed and lines == 1):
            self._in_thread = True
            self._quick = self._trust
        elif computed:
            self.most = max(1, lines // 2)

    def _learn_in_thread(self, spent: float) -> None:
        if spent > _QUICK:
            self._quick = self._trust
            return
        self._quick -= 1
        if not self._quick:  # back to the loop; more is asked the next time
            self._in_thread = False
            self._trust *= 2

    def _portion(self, spent: float) -> None:
        if spent < _BRIEF and self.most is not None:
            self.most = self.most * 2 if self._cap is None else min(self._cap, self.most * 2)
        elif spent > _BRIEF and self._cap is not None and self._in_thread:
            self.most = 1
