"""Work for a client, as long as the client is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Attended:
    """Does what is in the block as long as the client is there: when `gone` ends, what is left of the block is cancelled."""

    def __init__(self, gone: Coroutine[None, None, None]) -> None:
        self._gone = gone
        self._is_over = self._is_cut = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._leaving = asyncio.create_task(self._gone)
        self._leaving.add_done_callback(self._cut)

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        self._is_over = True
        self._leaving.cancel()
        # Who else has cancelled the task means all of it.
        return self._is_cut and self._task.uncancel() == 0 and kind is asyncio.CancelledError

    def _cut(self, leaving: asyncio.Task[None]) -> None:
        if not self._is_over and not leaving.cancelled():
            leaving.exception()
            self._is_cut = self._task.cancel()
