"""The log, a rate, and the parsers that modes imply."""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from typing import TYPE_CHECKING, Any, Final, Self

from transmissions.errors import UsageError

from .config import OutputFormat, StreamingMode
from .emitters import JsonLineProcessor, YamlDocumentProcessor
from .processor import BatchProcessor, StreamProcessor, as_processor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .config import StreamingConfig, StreamSource
    from .emitters import Publish
    from .lines import Lines

_LOG: Final = logging.getLogger("transmissions.streaming")


class LoggingProcessor(StreamProcessor):
    """Writes each line to the log of this package, behind a prefix."""

    def __init__(self, prefix: str = "", level: int = logging.DEBUG) -> None:
        self._prefix = f"{prefix}: " if prefix else ""
        self._level = level

    def process_line(self, line: str, source: StreamSource) -> None:
        """Log a line."""
        _LOG.log(self._level, "%s%s: %s", self._prefix, source.value, line)


class RateLimitedProcessor(BatchProcessor):
    """Gives another processor no more than a number of lines a second, and every one of them.

    Raises:
        UsageError: the number is not above 0.

    """

    at_once = 1

    def __init__(self, inner: StreamProcessor | Callable[[str, StreamSource], Any], lines_per_second: float) -> None:
        if not lines_per_second > 0:
            raise UsageError(f"lines_per_second must be above 0, not {lines_per_second}")
        self._inner = as_processor(inner)
        self._interval = 1 / lines_per_second
        self._due = 0.0

    def attach(self, publish: Publish) -> Self:
        """Let the other processor tell events this way."""
        one = copy.copy(self)
        vars(one)["_inner"] = self._inner.attach(publish) or self._inner
        return one

    async def process_batch(self, lines: Lines) -> None:
        """Wait until the line is due."""
        now = time.monotonic()
        due = max(self._due, now)
        self._due = due + self._interval
        await asyncio.sleep(due - now)
        batch: Callable[[Lines], Any] | None = getattr(self._inner, "process_batch", None)
        result = batch(lines) if batch else self._inner.process_line(lines.text, lines.source)
        if result is not None:
            await result

    def on_complete(self, exit_code: int | None) -> Awaitable[None] | None:
        """Tell the other processor."""
        return self._inner.on_complete(exit_code)

    def on_error(self, error: BaseException) -> Awaitable[None] | None:
        """Tell the other processor."""
        return self._inner.on_error(error)


def structured(config: StreamingConfig) -> list[StreamProcessor]:
    """Return the parser that a structured mode implies."""
    if config.mode is not StreamingMode.STRUCTURED or config.format is OutputFormat.PLAIN_TEXT:
        return []
    return [JsonLineProcessor() if config.format is OutputFormat.JSON_LINES else YamlDocumentProcessor()]
