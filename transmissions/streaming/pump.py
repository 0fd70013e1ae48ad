"""Reads what a command writes, as it comes, and hands it on a piece at a time."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Final

from .outlets import widen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .config import StreamSource
    from .outlets import Readable

_SMALLEST: Final = 1 << 15
_LARGEST: Final = 1 << 17
"""Bytes asked for at once: more gains nothing, less costs a call each. Half of what a pipe holds, and of what a busy one
is made to hold, so that the command fills one half while the other is read; who takes all there is keeps it waiting."""
_SWEEP: Final = 64
"""Pieces read at most when nothing is waited for any more: more than a pipe holds."""
_SMALL: Final = 2048
_MANY_SMALL: Final = 32
"""Pieces of so few bytes that come one after the other before an outlet that may rest is left alone after each."""
_LOOK: Final = 0.02
"""Seconds between looks at outlets whose end nothing tells of."""


class Pump:
    """Watches outlets in the event loop; nothing is read while it is paused, so that the command waits in its writes.

    Where nobody waits for lines, `rest` is how many seconds it leaves an outlet alone that gives little at a time: to be woken
    for each write of a busy command costs more than everything else.
    """

    def __init__(
        self,
        outlets: Sequence[Readable],
        take: Callable[[StreamSource, bytes], None],
        size: int | None = None,
        rest: float = 0.0,
    ) -> None:
        self._take = take
        self._size = size or _SMALLEST
        self._largest = _LARGEST
        self._is_wide = False
        self._open = list(outlets)
        self._rest = rest
        self._small = 0
        self._is_paused = True
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._heard = 0.0
        """When something came, or could come again."""

    def resume(self) -> None:
        """Read on."""
        if self._is_paused:
            self._is_paused = False
            self._heard = self._loop.time()
            for outlet in self._open:
                self._watch(outlet)
            if not self._open:
                self._ended.set()

    def pause(self) -> None:
        """Read nothing for now."""
        if not self._is_paused:
            self._is_paused = True
            for outlet in self._open:
                self._loop.remove_reader(outlet.descriptor)

    async def drained(self, patience: float) -> None:
        """Wait for the end of all outputs, once the command has exited.

        What it left behind in the background may hold them open: after `patience` seconds without a byte they are given up.
        """
        self._heard = self._loop.time()
        while not self._ended.is_set():
            self.sweep()
            left = self._heard + patience - self._loop.time()
            if left <= 0 and not self._is_paused:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._ended.wait()

    def sweep(self) -> None:
        """Read what is there now."""
        for outlet in [] if self._is_paused else list(self._open):
            for _ in range(_SWEEP):
                if not self._read(outlet) or self._is_paused:
                    break

    def close(self) -> None:
        """Read no more."""
        self.pause()
        while self._open:
            self._open.pop().close()

    def _watch(self, outlet: Readable) -> None:
        if outlet in self._open and not self._is_paused:
            self._loop.add_reader(outlet.descriptor, self._hear, outlet)

    def _hear(self, outlet: Readable) -> None:
        if self._read(outlet) and self._small > _MANY_SMALL:
            self._loop.remove_reader(outlet.descriptor)
            self._loop.call_later(self._rest, self._watch, outlet)

    def _read(self, outlet: Readable) -> bool:
        """Read a piece; return whether there may be more."""
        try:
            source, data = outlet.read(self._size)
        except BlockingIOError:
            return False
        if data:
            self._heard = self._loop.time()
            if len(data) == self._size < self._largest:
                self._hurry()
            self._small = self._small + 1 if self._rest and (len(data) < _SMALL or self._small > _MANY_SMALL) else 0
            self._take(source, data)
            return True
        self._loop.remove_reader(outlet.descriptor)
        self._open.remove(outlet)
        outlet.close()
        if not self._open:
            self._ended.set()
        return False

    def _hurry(self) -> None:
        """Ask for more at once, of pipes that hold more; many of them are more than the system grants."""
        if not self._is_wide:
            self._is_wide = True
            granted = [widen(outlet.descriptor, 2 * _LARGEST) for outlet in self._open]
            self._largest = _LARGEST if all(granted) else _SMALLEST
        self._size = min(2 * self._size, self._largest)


async def write_input(descriptor: int, data: bytes) -> None:
    """Write a command's input while it runs; a command that does not want it is no failure."""
    os.set_blocking(descriptor, False)
    loop = asyncio.get_running_loop()
    view = memoryview(data)
    with contextlib.suppress(BrokenPipeError):
        while view:
            try:
                view = view[os.write(descriptor, view) :]
            except BlockingIOError:
                await _writable(loop, descriptor)


async def _writable(loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    ready = asyncio.Event()
    loop.add_writer(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(descriptor)
