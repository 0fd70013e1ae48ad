"""Readers of lines in a pipe: a StreamProcessor class is named in Turtle as a Processor is."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from transmissions.errors import RunError, RunTimeout, UsageError
from transmissions.fields import get_field
from transmissions.processor import Processor

from .config import StreamSource
from .lines import Lines
from .processor import as_processor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from transmissions.message import Message

    from .processor import StreamProcessor


class LineStep(Processor):
    """Hand the lines of messages to a reader, and let the messages go on.

    Reads `line`, `source`, `number` and `time` as CommandSource writes them; a message without a line is not handed on. The
    reader's events are told by the run. It gets `on_complete` at the end of each program, with the exit code if the group's
    message tells it, or once at the end of a stream that is no program's; `on_error` instead if the program took too long or
    was stopped, and if the run fails. What it raises at a line is told to its `on_error`, and then a failure of this step.

    A reader that needs nothing is named in Turtle itself. One with settings stands behind a subclass of this, whose annotated
    fields they are, and whose `reader()` makes it.
    """

    stateful = True
    reads: ClassVar[type[StreamProcessor] | None] = None
    """The reader's class."""

    input_field: str = "line"
    "Dotted path of the line."

    def reader(self) -> Any:
        """Make the reader: a StreamProcessor, whatever has its methods, or a function `(line, source)`."""
        if self.reads is None:
            raise UsageError(f"{type(self).__name__} has no reader()")
        try:
            return self.reads()
        except TypeError as error:
            name = self.reads.__name__
            sentence = f"{name} cannot be made without arguments: {error}; give them in the reader() of a LineStep"
            raise UsageError(sentence) from error

    def __post_init__(self) -> None:
        """Make the reader."""
        reader = as_processor(self.reader())
        self._reader = reader.attach(self._tell) or reader
        self._batch: Any = getattr(self._reader, "process_batch", None)
        self._is_told = False

    async def process(self, message: Message) -> Message:
        """Hand one line on."""
        line = get_field(message, self.input_field)
        if isinstance(line, str):
            self._is_told = False
            source = StreamSource.STDERR if message.get("source") == StreamSource.STDERR.value else StreamSource.STDOUT
            try:
                await _settled(self._read(line, source, message))
            except Exception as error:
                await _settled(self._reader.on_error(error))
                raise
        return message

    def end_group(self, message: Message) -> Any:
        """Tell the reader how the program ended."""
        said = message.get("command")
        return self._complete(said if isinstance(said, dict) else {})

    def finish(self) -> Any:
        """Tell the reader that no more lines come."""
        return None if self._is_told else self._complete({})

    async def __aexit__(self, *exc: object) -> None:
        """Tell the reader of the run's failure."""
        if isinstance(exc[1], BaseException) and not self._is_told:
            self._is_told = True
            await _settled(self._reader.on_error(exc[1]))

    def _read(self, line: str, source: StreamSource, message: Message) -> Awaitable[None] | None:
        if self._batch is None:
            return self._reader.process_line(line, source)
        lines = Lines(source, message.get("number") or 0, [line], message.get("time") or 0.0)
        result: Awaitable[None] | None = self._batch(lines)
        return result

    async def _complete(self, said: Mapping[str, Any]) -> None:
        self._is_told = True
        if said.get("timedOut"):
            await _settled(self._reader.on_error(RunTimeout("the command took longer than it was allowed to")))
        elif said.get("stopped"):
            await _settled(self._reader.on_error(RunError("the run was stopped before the command had ended")))
        else:
            await _settled(self._reader.on_complete(said.get("exitCode")))

    def _tell(self, kind: str, fields: Mapping[str, Any], time: float) -> None:
        self.context.emit(kind, **{**fields, "time": time})


@cache
def step_of(reads: type[StreamProcessor]) -> type[LineStep]:
    """Return the step that hands lines to a reader's class, under the class's own name and docstring."""
    told = {
        name: reads.__dict__[name]
        for name in ("__doc__", "__module__", "__qualname__", "iri", "extra")
        if name in reads.__dict__
    }
    return type(reads.__name__, (LineStep,), {**told, "reads": reads})


async def _settled(result: Awaitable[None] | None) -> None:
    if result is not None and inspect.isawaitable(result):
        await result
