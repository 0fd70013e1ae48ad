"""The client for programs that do not use asyncio: its connections live in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Self

from .clients import StreamClient
from .errors import StreamError
from .handlers import called_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from .events import Event, Summary
    from .handlers import Handlers
    from .metrics import StreamMetrics
    from .stream import Stream

    Do = Callable[[Coroutine[Any, Any, Any]], Any]


class SyncStreamClient:
    """As `StreamClient`. Handlers are called in the thread that reads, and may pause or cancel."""

    def __init__(self, base_url: str = "http://localhost:8080", **options: Any) -> None:
        self._client = StreamClient(base_url, **options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; whoever reads in another thread is told."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def register_handler(self, event: str, handler: Callable[[Any], object]) -> None:
        """Have a function called with each event of a name; `*` is any other, `alert` what there is to worry about."""
        self._client.register_handler(event, called_at_once(event, handler))

    def stream(self, app: str, message: Mapping[str, Any] | None = None, *, session_id: str = "", key: str = "") -> SyncStream:
        """Begin a run of an app when the first event is read."""
        return self._synced(self._client.stream(app, message, session_id=session_id, key=key))

    def stream_at(
        self, path: str, message: Mapping[str, Any] | None = None, *, session_id: str = "", key: str = ""
    ) -> SyncStream:
        """Begin a run at an endpoint: what has `/stream`, `/sse` and `/ws` below it."""
        return self._synced(self._client.stream_at(path, message, session_id=session_id, key=key))

    def crawl(
        self,
        urls: Iterable[str],
        options: Mapping[str, Any] | None = None,
        *,
        path: str = "/crawl",
        session_id: str = "",
        key: str = "",
    ) -> SyncStream:
        """Fetch pages: for each URL there is one `Result` or one `Failure`."""
        return self._synced(self._client.crawl(urls, options, path=path, session_id=session_id, key=key))

    def deep_search(
        self,
        query: str,
        options: Mapping[str, Any] | None = None,
        *,
        path: str = "/deepsearch",
        session_id: str = "",
        key: str = "",
    ) -> SyncStream:
        """Search the web, and fetch what is found."""
        return self._synced(self._client.deep_search(query, options, path=path, session_id=session_id, key=key))

    def follow(self, request_id: str, since: int = 0) -> SyncStream:
        """Follow a run that was begun before."""
        return self._synced(self._client.follow(request_id, since))

    def run(self, app: str, message: Mapping[str, Any] | None = None) -> Summary | None:
        """Run an app to its end, calling the handlers, and return the summary."""
        with self.stream(app, message) as stream:
            return stream.run()

    def control(self, request_id: str, action: str) -> dict[str, Any]:
        """Pause, resume or cancel a run, and return its state."""
        state: dict[str, Any] = self._do(self._client.control(request_id, action))
        return state

    def status(self, request_id: str) -> dict[str, Any]:
        """Return the state of a run."""
        state: dict[str, Any] = self._do(self._client.status(request_id))
        return state

    def _synced(self, stream: Stream) -> SyncStream:
        return SyncStream(stream, self._do, self._client.handlers, lambda: self._loop is not None)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        with self._lock:
            waiting = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            return waiting.result()
        except CancelledError:
            raise StreamError("the client was closed") from None
        except BaseException:
            waiting.cancel()  # after Ctrl-C nobody waits for it any more
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="stream client", daemon=True)
            self._thread.start()
        return self._loop

    async def _end(self) -> None:
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.close()
        await asyncio.get_running_loop().shutdown_asyncgens()


class SyncStream:
    """An iterator of events. `do` has a coroutine done, and waits for it, while the client `is_open`."""

    def __init__(self, stream: Stream, do: Do, handlers: Handlers, is_open: Callable[[], bool]) -> None:
        self._stream = stream
        self._do = do
        self._handlers = handlers
        self._is_open = is_open
        self._ready: deque[Event] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while not self._ready:
            try:
                self._ready.extend(self._do(self._stream.step()))
            except StopAsyncIteration:
                raise StopIteration from None
        event = self._ready.popleft()
        began = time.perf_counter()
        self._handlers.handle_now(event, self.metrics)
        self.metrics.update_processing_time((time.perf_counter() - began) * 1000)
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def metrics(self) -> StreamMetrics:
        """What was measured."""
        return self._stream.metrics

    @property
    def summary(self) -> Summary | None:
        """What became of the run, when it has ended."""
        return self._stream.summary

    @property
    def request_id(self) -> str:
        """The name of the run at the server."""
        return self._stream.request_id

    def run(self) -> Summary | None:
        """Read to the end, and return the summary."""
        for _ in self:
            pass
        return self.summary

    def pause(self) -> dict[str, Any]:
        """Have the run wait, and return its state."""
        return self._state(self._stream.pause())

    def resume(self) -> dict[str, Any]:
        """Have it go on, and return its state."""
        return self._state(self._stream.resume())

    def cancel(self) -> dict[str, Any]:
        """Have it end, and return its state."""
        return self._state(self._stream.cancel())

    def close(self) -> None:
        """Leave the run; the server ends it if nobody comes back for it."""
        self._ready.clear()
        if self._is_open():
            self._do(self._stream.aclose())

    def _state(self, work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        state: dict[str, Any] = self._do(work)
        return state
