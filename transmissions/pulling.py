"""Pulling a source in a thread of its own, where what it reads may keep it waiting for ever."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from typing import TYPE_CHECKING, Any

from .supervisor import Raised, attempt
from .waiting import PATIENCE, GivenUp, Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .message import Message
    from .pace import Pace


class Pull:
    """Pulls an iterator in a thread, and is never more than a batch ahead of whoever takes what comes.

    The threads of the loop's own pool are few, and steps behind may need them.
    """

    def __init__(self, make: Callable[[], Iterator[Any]], pace: Pace) -> None:
        self.patience = Patience()
        self.error: BaseException | None = None
        """What the iterator raised, once there is nothing more."""
        self._make = make
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._ended = self._loop.create_future()
        self._room = threading.Condition()
        self._ready: list[Message] = []
        self._is_over = self._is_left = False
        work = contextvars.copy_context().run
        self._thread = threading.Thread(target=work, args=(self._work,), name="source", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # There is no room for one.
            self.patience.close()
            raise

    async def batch(self) -> list[Message]:
        """Return what has come, waiting while there is nothing; an empty list is the end."""
        await self._came.wait()
        with self._room:
            taken, self._ready = self._ready, []
            if not self._is_over:
                self._came.clear()
            self._room.notify()
        return taken

    async def end(self) -> None:
        """Stop pulling, and wait until the iterator is closed: nobody may tear down under it."""
        with self._room:
            self._is_left = True
            self._room.notify()
        self.patience.give_up()
        await asyncio.wait([self._ended])
        self._thread.join()
        self.patience.close()

    def _work(self) -> None:
        PATIENCE.set(self.patience)
        try:
            ending = attempt(self._pull)
            if isinstance(ending, Raised) and not (self.patience.has_ended or isinstance(ending.error, GivenUp)):
                self.error = ending.error
        finally:
            with self._room:
                self._is_over = True
            self._loop.call_soon_threadsafe(self._finish)

    def _pull(self) -> None:
        iterator = self._make()
        try:
            for message in iterator:
                self._put(message)
        finally:
            if inspect.isgenerator(iterator):
                iterator.close()

    def _put(self, message: Message) -> None:
        with self._room:
            self._room.wait_for(lambda: self._is_left or len(self._ready) < self._pace.size)
            if self._is_left:
                raise GivenUp
            self._ready.append(message)
            is_first = len(self._ready) == 1
        if is_first:
            self._loop.call_soon_threadsafe(self._came.set)

    def _finish(self) -> None:
        self._ended.set_result(None)
        self._came.set()
