"""How tasks wait for one another here: an `asyncio.Event` takes 800 bytes, and each connection would have several."""

from __future__ import annotations

import asyncio


class Bell:
    """Wakes all who wait at this moment; whoever comes later waits for the next time."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: tuple[asyncio.Future[None], ...] = ()

    async def wait(self) -> None:
        """Wait until it rings."""
        future = asyncio.get_running_loop().create_future()
        self._waiting = (*self._waiting, future)
        await future

    def ring(self) -> None:
        """Wake them."""
        if self._waiting:
            waiting, self._waiting = self._waiting, ()
            for future in waiting:
                if not future.done():
                    future.set_result(None)
