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


class Gate:
    """What whoever comes waits at as long as it is not set. It begins as one that is."""

    __slots__ = ("_bell", "_is_open")

    def __init__(self) -> None:
        self._bell = Bell()
        self._is_open = True

    def is_set(self) -> bool:
        """Whether nobody waits here."""
        return self._is_open

    def set(self) -> None:
        """Let all pass."""
        self._is_open = True
        self._bell.ring()

    def clear(self) -> None:
        """Have those wait who come from now on."""
        self._is_open = False

    async def wait(self) -> None:
        """Wait until it is set."""
        while not self._is_open:
            await self._bell.wait()
