"""Functions that are called with events."""

from __future__ import annotations

import inspect
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from transmissions.errors import describe
from transmissions.supervisor import Raised, attempt, attempt_async

from .metrics import Alert, BackpressureDetector

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from .events import Event
    from .metrics import StreamMetrics

    Handler = Callable[[Any], object]

_LOG: Final = logging.getLogger(__name__)
ANY: Final = "*"
ALERT: Final = "alert"


def called_at_once(name: str, handler: Handler) -> Handler:
    """Return a handler that nobody has to wait for.

    Raises:
        TypeError: it is a coroutine function.

    """
    called: object = type(handler).__call__
    if inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(called):
        raise TypeError(f"a handler of '{name}' cannot be a coroutine function here: StreamClient takes it")
    return handler


class Handlers:
    """Handlers by name of event; `*` is for all that have no other, `alert` for what there is to worry about.

    One that fails is logged and counted, and the stream goes on.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, Handler] = {}
        self._detector = BackpressureDetector()

    def register(self, name: str, handler: Handler) -> None:
        """Have a function called with each event of a name, in place of the one before."""
        self._by_name[name] = handler

    async def handle(self, event: Event, metrics: StreamMetrics) -> None:
        """Call the handlers of an event, one after the other."""
        for handler, said in self._due(event):
            result = attempt(handler, said)
            if inspect.isawaitable(result):
                result = await attempt_async(result)
            _note(result, event, metrics)

    def handle_now(self, event: Event, metrics: StreamMetrics) -> None:
        """Call them without waiting for any."""
        for handler, said in self._due(event):
            result = attempt(handler, said)
            if inspect.isawaitable(result):
                if inspect.iscoroutine(result):
                    result.close()
                result = Raised(TypeError(f"it returned a {type(result).__name__}, for which nothing waits here"))
            _note(result, event, metrics)

    def _due(self, event: Event) -> Iterator[tuple[Handler, Event | Alert]]:
        handlers = self._by_name
        if handler := handlers.get(event.name) or handlers.get(ANY):
            yield handler, event
        for alert in self._detector.record(event, time.monotonic()):
            if handler := handlers.get(ALERT):
                yield handler, alert


def _note(result: Awaitable[object] | Any, event: Event, metrics: StreamMetrics) -> None:
    if isinstance(result, Raised):
        metrics.dropped_events += 1
        _LOG.error("a handler of '%s' failed: %s", event.name, describe(result.error))
