"""The end of a run, which its client is told once: when it comes, or when it does not come though it is due."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from transmissions.errors import RunTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_LOG: Final = logging.getLogger(__name__)
PATIENCE: Final = 5.0
"""Seconds a run has for its teardown when it was told to end."""


class Ending:
    """Has the end told. Some runs cannot be stopped, such as those with a call in a thread: no client is to wait for them."""

    def __init__(self, name: str, tell: Callable[[BaseException | None], Awaitable[None]]) -> None:
        self._name = name
        self._tell = tell
        self._is_told = False
        self._line = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def come(self, error: BaseException | None) -> None:
        """Tell it, with what the run failed with, unless it is told; return when it is."""
        async with self._line:
            if not self._is_told:
                self._is_told = True
                await self._tell(error)

    def is_due(self, seconds: float = 0.0) -> None:
        """Give the run so long, and time for its teardown, before its end is told without it."""
        self.close()
        self._timer = asyncio.get_running_loop().call_later(seconds + PATIENCE, self.give_up)

    def give_up(self) -> None:
        """Tell it now."""
        if not self._is_told:
            _LOG.warning("run %s does not end; its client is told that it has", self._name)
            self._task = asyncio.create_task(self.come(RunTimeout("the run took too long")))

    def close(self) -> None:
        """Wait for it no more."""
        if self._timer is not None:
            self._timer.cancel()
