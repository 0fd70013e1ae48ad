"""Work for a client, as long as the client is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .extensions import GONE, gone

if TYPE_CHECKING:
    from starlette.types import Receive, Scope


class Attended:
    """Does what is in the block as long as the client of a request is there; what is left of the block then is cancelled."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._listen = scope.get("extensions", {}).get(GONE)
        self._receive = receive
        self._leaving: asyncio.Task[None] | None = None
        self._is_over = self._is_cut = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        if self._listen:
            self._listen(self._cut)
        else:
            self._leaving = asyncio.create_task(gone(self._receive))
            self._leaving.add_done_callback(self._left)

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        self._is_over = True
        if self._leaving is not None:
            self._leaving.cancel()
        else:
            self._listen(None)
        # Who else has cancelled the task means all of it.
        return self._is_cut and self._task.uncancel() == 0 and kind is asyncio.CancelledError

    def _left(self, leaving: asyncio.Task[None]) -> None:
        if not leaving.cancelled():
            leaving.exception()  # else the loop tells of it
            self._cut()

    def _cut(self) -> None:
        if not self._is_over:
            self._is_cut = self._task.cancel()
