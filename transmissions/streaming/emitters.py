"""Processors that tell events of lines: JSON lines, YAML documents, patterns, or every line."""

from __future__ import annotations

import copy
import json
import logging
import math
import re
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from transmissions.errors import UsageError

from .config import StreamSource
from .processor import BatchProcessor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .lines import Lines

    Publish = Callable[[str, Mapping[str, Any], float], None]
    Searched = str | re.Pattern[str]

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
        ValueError: it holds none, or more than one, or what only looks like JSON: NaN, 1e999, a trailing comma, half a pair.

    """
    try:
        value = _JSON.decode(line)
        if "\\u" in line:  # half of a surrogate pair is no text: nobody could write it
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return value


class _Emitter(BatchProcessor):
    """A processor that tells events."""

    _publish: Publish | None = None

    def attach(self, publish: Publish) -> Self:
        """Tell events this way: one for each run, as several may go on at once."""
        one = copy.copy(self)
        one.begin(publish)
        return one

    def begin(self, publish: Publish) -> None:
        """Start a run."""
        self._publish = publish

    def _tell(self, kind: str, fields: Mapping[str, Any], at: float) -> None:
        if self._publish is not None:
            self._publish(kind, fields, at)


class _LineEmitter(_Emitter, ABC):
    """A processor that tells events of each line by itself."""

    def process_batch(self, lines: Lines) -> None:
        """Tell what each line says."""
        for number, text in lines.numbered():
            for kind, fields in self._events(text):
                self._tell(kind, {"source": lines.source.value, "line": number, **fields}, lines.time)

    @abstractmethod
    def _events(self, text: str) -> Iterable[tuple[str, dict[str, Any]]]: ...


class JsonLineProcessor(_LineEmitter):
    """Parses each line as JSON, and tells each value as an event `json`; what is no JSON is counted and passed over."""

    def __init__(self, *, emit_events: bool = True, report_malformed: bool = False) -> None:
        self._emits = emit_events
        self._reports = report_malformed
        self._counts: Counter[str] = Counter()

    @property
    def parsed(self) -> int:
        """Lines that were JSON, of all runs."""
        return self._counts["parsed"]

    @property
    def malformed(self) -> int:
        """Lines that were neither JSON nor blank."""
        return self._counts["malformed"]

    def _events(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            value = parse_json(text)
        except ValueError as error:
            self._counts["malformed"] += bool(text.strip())
            if self._reports and text.strip():
                yield "malformed", {"text": text, "error": str(error)}
            return
        self._counts["parsed"] += 1
        if self._emits:
            yield "json", {"value": value}


class PatternMatchProcessor(_LineEmitter):
    """Looks for patterns anywhere in each line; every pattern that is found is an event.

    `patterns` maps event types to patterns, or lists patterns for events of type `match`. An event has `text`, `pattern`,
    `captures` (None for a group that took no part) and `groups`, those with names.

    Raises:
        UsageError: a pattern is none, or could run for ever.

    """

    def __init__(self, patterns: Mapping[str, Searched] | Iterable[Searched], *, every: bool = False) -> None:
        from transmissions.patterns import judge

        given: Any = [patterns] if isinstance(patterns, str | re.Pattern) else patterns
        named: list[tuple[str, Searched]]
        named = [*given.items()] if isinstance(given, Mapping) else [("match", one) for one in given]
        for _, pattern in named:
            text = pattern if isinstance(pattern, str) else pattern.pattern
            fault = judge(text)[1]
            if fault:
                raise UsageError(f"{fault}: {text}")
        self._patterns = [(kind, re.compile(pattern)) for kind, pattern in named]
        self._every = every

    def _events(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for kind, pattern in self._patterns:
            for found in pattern.finditer(text):
                captures = list(found.groups())
                yield kind, {"text": text, "pattern": pattern.pattern, "captures": captures, "groups": found.groupdict()}
                if not self._every:
                    break


class EventEmitter(_LineEmitter):
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
    """Parses the standard output as a stream of YAML documents; each is an event `yaml`, a broken one an event `malformed`.

    Events carry the number of the document's first line. A document of more than `limit` characters is not parsed.
    """

    def __init__(self, limit: int = 1 << 20) -> None:
        import yaml  # a missing library is told before the command starts

        self._load: Callable[[str], Any] = yaml.safe_load
        # What its constructors raise where a value is not what its tag says.
        self._faults = (yaml.YAMLError, RecursionError, ValueError, LookupError, TypeError, AttributeError)
        self._limit = limit
        self._start(1)

    def begin(self, publish: Publish) -> None:
        """Start with no document."""
        super().begin(publish)
        self._start(1)

    def process_batch(self, lines: Lines) -> None:
        """Tell of the documents that end."""
        if lines.source is not StreamSource.STDOUT:
            return
        for number, text in lines.numbered():
            if text in {"---", "..."} or text.startswith(("--- ", "---\t")):
                self._finish(lines.time)
                self._start(number)
            if text != "...":
                self._length += len(text) + 1
                self._open.append(text if self._length <= self._limit else "")

    def on_complete(self, exit_code: int | None) -> None:  # noqa: ARG002 - a contract's
        """Tell of the last document."""
        self._finish(time.time())

    def _start(self, number: int) -> None:
        self._open: list[str] = []
        self._first, self._length = number, 0

    def _finish(self, at: float) -> None:
        text = "\n".join(self._open)
        if not text.removeprefix("---").strip():
            return
        place = {"source": StreamSource.STDOUT.value, "line": self._first}
        try:
            if self._length > self._limit:
                raise ValueError(f"it has {self._length} characters, more than {self._limit}")
            self._tell("yaml", {**place, "value": self._load(text)}, at)
        except self._faults as error:
            self._tell("malformed", {**place, "text": text, "error": str(error)}, at)
