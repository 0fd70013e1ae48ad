"""What happens while a command runs, for whoever listens: parsed lines, matches, and the run's own beginnings and ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from transmissions.supervisor import Raised, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Listener = Callable[[Mapping[str, Any]], None]

_LOG: Final = logging.getLogger("transmissions.streaming")


class EventBus:
    """Events in order, each a dict with `type`, `seq` (from 1) and `time` (seconds since 1970).

    Listeners are called at once, in the middle of a run: they should be brief. They are called by the thread of the event
    loop, whichever thread tells of an event. The latest events are kept to be read afterwards, no more than `limit`; how many
    were told in all is `count`.
    """

    def __init__(self, limit: int = 10_000, listeners: Iterable[Listener] = ()) -> None:
        self.count = self.failed = 0
        self._kept: deque[dict[str, Any]] = deque(maxlen=limit)
        self._listeners = tuple(listeners)
        self._thread = threading.get_ident()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_over = False
        with contextlib.suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The latest events."""
        return list(self._kept)

    def close(self) -> None:
        """Tell of nothing more."""
        self._is_over = True

    def publish(self, kind: str, fields: Mapping[str, Any], at: float | None = None) -> None:
        """Tell of an event; a listener that fails is counted, and the others are told all the same."""
        at = time.time() if at is None else at
        if self._loop is None or threading.get_ident() == self._thread:
            self._tell(kind, fields, at)
            return
        with contextlib.suppress(RuntimeError):  # the loop may be gone
            self._loop.call_soon_threadsafe(self._tell, kind, fields, at)

    def _tell(self, kind: str, fields: Mapping[str, Any], at: float) -> None:
        if self._is_over:
            return
        self.count += 1
        event = {"type": kind, "seq": self.count, "time": at, **fields}
        self._kept.append(event)
        for listener in self._listeners:
            if isinstance(fault := attempt(listener, event), Raised):  # which is not the command's
                self.failed += 1
                _LOG.debug("a listener failed at %s", kind, exc_info=fault.error)
