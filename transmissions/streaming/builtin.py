"""The processors of lines that everybody needs: JSON lines, YAML documents, patterns, events, the log, a rate."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from transmissions.errors import UsageError

from .config import OutputFormat, StreamingMode
from .processor import BatchProcessor, StreamProcessor, as_processor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .config import StreamingConfig, StreamSource
    from .lines import Lines

    Publish = Callable[[str, Mapping[str, Any], float], None]

_LOG: Final = logging.getLogger("transmissions.streaming")


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


_JSON: Final = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def parse_json(line: str) -> Any:
    """Return the one JSON value a line holds; blanks may stand around it, and the last of equal keys counts.

    Raises:
        ValueError: it holds none, or more than one, or what only looks like JSON: NaN, 1e999, a trailing comma.

    """
    try:
        return _JSON.decode(line)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


class _Emitter(BatchProcessor):
    """A processor that tells events."""

    _publish: Publish | None = None

    def attach(self, publish: Publish) -> None:
        """Tell events this way."""
        self._publish = publish

    def process_batch(self, lines: Lines) -> None:
        """Tell what each line says."""
        for number, text in lines.numbered():
            for kind, fields in self._events(text):
                if self._publish is not None:
                    self._publish(kind, {"source": lines.source.value, "line": number, **fields}, lines.time)

    def _events(self, text: str) -> Iterable[tuple[str, dict[str, Any]]]:
        raise NotImplementedError


class JsonLineProcessor(_Emitter):
    """Parses each line as JSON, and tells each value as an event `json`; what is no JSON is counted and passed over."""

    def __init__(self, *, emit_events: bool = True, report_malformed: bool = False) -> None:
        self.parsed = self.malformed = 0
        self._emits = emit_events
        self._reports = report_malformed

    def _events(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            value = parse_json(text)
        except ValueError as error:
            self.malformed += 1 if text.strip() else 0
            if self._reports and text.strip():
                yield "malformed", {"text": text, "error": str(error)}
            return
        self.parsed += 1
        if self._emits:
            yield "json", {"value": value}


class PatternMatchProcessor(_Emitter):
    """Looks for patterns anywhere in each line; every pattern that is found is an event.

    `patterns` maps event types to patterns, or lists patterns for events of type `match`. An event has `text`, `pattern`,
    `captures` (None for a group that took no part) and `groups`, those with names.

    Raises:
        UsageError: a pattern is none, or could run for ever.

    """

    def __init__(self, patterns: Mapping[str, str] | Iterable[str], *, every: bool = False) -> None:
        from transmissions.patterns import judge

        named = [*patterns.items()] if isinstance(patterns, Mapping) else [("match", one) for one in patterns]
        for _, pattern in named:
            fault = judge(pattern)[1]
            if fault:
                raise UsageError(f"{fault}: {pattern}")
        self._patterns = [(kind, re.compile(pattern)) for kind, pattern in named]
        self._every = every

    def _events(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for kind, pattern in self._patterns:
            for found in pattern.finditer(text):
                captures = list(found.groups())
                yield kind, {"text": text, "pattern": pattern.pattern, "captures": captures, "groups": found.groupdict()}
                if not self._every:
                    break


class EventEmitter(_Emitter):
    """Tells each line as an event of one type.

    Raises:
        UsageError: the type is empty.

    """

    def __init__(self, event_type: str) -> None:
        if not event_type:
            raise UsageError("an EventEmitter needs an event type")
        self._type = event_type

    def _events(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        yield self._type, {"text": text}


class YamlDocumentProcessor(_Emitter):
    """Parses the standard output as a stream of YAML documents; each is an event `yaml`, a broken one an event `malformed`."""

    def __init__(self) -> None:
        import yaml  # a missing library is told before the command starts

        self._load: Callable[[str], Any] = yaml.safe_load
        self._fault = yaml.YAMLError
        self._open: list[str] = []

    def _events(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if text.startswith("---"):
            yield from self._document()
        self._open.append(text)

    def on_complete(self, exit_code: int | None) -> None:
        """Tell of the last document."""
        for kind, fields in self._document():
            if self._publish is not None:
                self._publish(kind, fields, time.time())

    def _document(self) -> Iterator[tuple[str, dict[str, Any]]]:
        text, self._open = "\n".join(self._open), []
        if not text.strip(" \n-"):
            return
        try:
            yield "yaml", {"value": self._load(text)}
        except (self._fault, RecursionError, ValueError) as error:
            yield "malformed", {"text": text, "error": str(error)}


class LoggingProcessor(StreamProcessor):
    """Writes each line to the log of this package, behind a prefix."""

    def __init__(self, prefix: str = "", level: int = logging.DEBUG) -> None:
        self._prefix = f"{prefix}: " if prefix else ""
        self._level = level

    def process_line(self, line: str, source: StreamSource) -> None:
        """Log a line."""
        _LOG.log(self._level, "%s%s: %s", self._prefix, source.value, line)


class RateLimitedProcessor(StreamProcessor):
    """Gives another processor no more than a number of lines a second, and every one of them.

    Raises:
        UsageError: the number is not above 0.

    """

    def __init__(self, inner: StreamProcessor | Callable[[str, StreamSource], Any], lines_per_second: float) -> None:
        if lines_per_second <= 0:
            raise UsageError(f"lines_per_second must be above 0, not {lines_per_second}")
        self._inner = as_processor(inner)
        self._interval = 1 / lines_per_second
        self._due = 0.0

    async def process_line(self, line: str, source: StreamSource) -> None:
        """Wait until the line is due."""
        now = time.monotonic()
        self._due = max(self._due, now)
        await asyncio.sleep(self._due - now)
        self._due += self._interval
        result = self._inner.process_line(line, source)
        if result is not None:
            await result


def structured(config: StreamingConfig) -> list[StreamProcessor]:
    """Return the parser that a structured mode implies."""
    if config.mode is not StreamingMode.STRUCTURED or config.format is OutputFormat.PLAIN_TEXT:
        return []
    return [JsonLineProcessor() if config.format is OutputFormat.JSON_LINES else YamlDocumentProcessor()]
