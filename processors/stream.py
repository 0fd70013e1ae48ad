"""The two utilities this project began with: a monitor of a stream, and a buffer in it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Annotated, Any

from transmissions import Buffer, BufferSettings, Processor, Range, Unit, size_of

if TYPE_CHECKING:
    from typing import Self

    from transmissions import Message


class StreamMonitor(Processor):
    """Measure a stream that passes through unchanged.

    Every `reportInterval`, and once at the end, the figures go to the log as structured fields and to subscribers of the event
    `metrics`:

    * `throughput`, bytes in a second since the start, and `instantThroughput`, in the interval since the last report;
    * `chunksProcessed` and `chunkRate`, messages, and messages in a second since the start;
    * `bytesProcessed` and `averageChunkSize`, bytes of payload;
    * `backpressureEvents`, how often what follows made the stream wait, and `lastBackpressure`, in milliseconds since 1970.

    ```turtle
    :watch a :StreamMonitor ; :reportInterval 1000 .
    ```
    """

    stateful = True

    report_interval: Annotated[int, Range(ge=10), Unit("ms")] = 5000
    "How often the figures are reported."
    sample: Annotated[int, Range(ge=1)] = 1
    "One message in this many is weighed and stands for the others; 1 weighs every one and is exact."
    size_field: str | None = None
    "The dotted path of a field that says how many bytes a message counts; without it the message is weighed."

    def __post_init__(self) -> None:
        """Begin at zero."""
        self._chunks = self._bytes = self._unweighed = 0
        self._began = self._reported = time.perf_counter()
        self._bytes_reported = 0
        self._instant = 0.0
        self._ticker: asyncio.Task[None] | None = None

    def process_batch(self, messages: list[Message]) -> list[Message]:
        """Count messages and pass them on."""
        self._chunks += len(messages)
        if self.sample == 1:
            self._bytes += sum(map(self._size_of, messages))
        else:
            first = (self.sample - self._unweighed) % self.sample
            self._bytes += self.sample * sum(map(self._size_of, messages[first :: self.sample]))
            self._unweighed = (self._unweighed + len(messages)) % self.sample
        return messages

    def _size_of(self, message: Message) -> int:
        return size_of(message, self.size_field)

    def process(self, message: Message) -> Message:
        """Count one message and pass it on."""
        return self.process_batch([message])[0]

    def snapshot(self) -> dict[str, Any]:
        """Return the figures as they are now; `instantThroughput` is that of the last full interval."""
        seconds = time.perf_counter() - self._began
        pressure = self.context.pressure
        return {
            "throughput": self._bytes / seconds if seconds else 0.0,
            "instantThroughput": self._instant,
            "chunksProcessed": self._chunks,
            "bytesProcessed": self._bytes,
            "chunkRate": self._chunks / seconds if seconds else 0.0,
            "averageChunkSize": self._bytes / self._chunks if self._chunks else 0.0,
            "backpressureEvents": pressure.events,
            "lastBackpressure": pressure.last,
        }

    def report(self, *, final: bool = False) -> None:
        """Close an interval and tell its figures."""
        now = time.perf_counter()
        self._instant = (self._bytes - self._bytes_reported) / (now - self._reported) if now > self._reported else 0.0
        self._reported, self._bytes_reported = now, self._bytes
        figures = self.snapshot() | {"final": final}
        self.context.log.info(
            "%s: %d messages, %.1f kB/s, now %.1f kB/s, %d waits",
            self.context.node,
            figures["chunksProcessed"],
            figures["throughput"] / 1000,
            self._instant / 1000,
            figures["backpressureEvents"],
            extra={"event": "metrics", "node": self.context.node, **figures},
        )
        self.context.emit("metrics", **figures)

    async def __aenter__(self) -> Self:
        """Begin to report."""
        self._began = self._reported = time.perf_counter()
        self._ticker = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Report for the last time."""
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
        self.report(final=True)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.report_interval / 1000)
            self.report()


class StreamBufferManager(Processor, BufferSettings):
    """Buffer a stream between what is in front and what is behind, which then work at the same time.

    It is the channel between two tasks, not a step in one: nothing is copied. Every message is weighed (the payload in
    bytes), and the buffer never holds more than `maxBufferSize` and `maxItems`. Subscribers are told `pause`, `resume`,
    `drain`, `overflow` and `drop`. Its figures are among those of the run, under `buffers`: `pauseCount`, `resumeCount`,
    `maxBufferUsage`, `currentBufferSize`, `overflowEvents`, `lastPauseTime`, `totalPauseDuration`, `dropped`,
    `bufferUtilization` (percent).

    ```turtle
    :smooth a :StreamBufferManager ; :maxBufferSize 2097152 ; :highWaterMark 0.9 ; :overflow "DropOldest" .
    ```
    """

    stateful = True

    def make_channel(self) -> Buffer:
        """Make the buffer; the engine lays it in front of this step."""
        return Buffer(self.context.node, self, self.context.emit)

    def process_batch(self, messages: list[Message]) -> list[Message]:
        """Pass on what comes out of the buffer."""
        return messages

    def process(self, message: Message) -> Message:
        """Pass a message on."""
        return message
