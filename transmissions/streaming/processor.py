"""What takes the lines of a command while it runs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from transmissions.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from transmissions.processor import Processor

    from .config import BufferConfig, StreamSource
    from .lines import Lines


class StreamProcessor:
    """A reader of lines; override `process_line`, or `process_batch` where it is faster to take many at once.

    Every method may be `async def`. A plain method that turns out to take long is run in a thread from then on, so that
    no reader holds up another. Each processor has a buffer of its own, gets every line of both outputs in the order of each,
    and is called by one thread at a time.
    """

    buffer: BufferConfig | None = None
    """A buffer unlike that of the other processors of the run."""
    at_once: int | None = None
    """How many lines `process_batch` takes at most; None takes what came together."""

    is_vital: ClassVar[bool] = False
    """Whether the run fails when this one is detached, as the command runs for nobody else."""

    @property
    def name(self) -> str:
        """What it is called where its failures and drops are told."""
        return type(self).__name__

    @classmethod
    def as_step(cls) -> type[Processor]:
        """Return the step of a pipe that hands lines to this class, which Turtle names as it names a Processor."""
        from .placed import step_of

        reads: Any = cls  # mypy holds classes for unhashable
        return step_of(reads)

    def attach(self, publish: Callable[[str, Mapping[str, Any], float], None]) -> StreamProcessor | None:
        """Get the way to tell events of a run, `publish(type, fields, time)`; one that is returned reads in place of this."""
        return None

    def process_line(self, line: str, source: StreamSource) -> Awaitable[None] | None:
        """Take one line, without its end."""
        raise NotImplementedError(f"{self.name} has no process_line()")

    def on_complete(self, exit_code: int | None) -> Awaitable[None] | None:
        """Know that the last line has come; `exit_code` is None if a signal ended the command."""
        return None

    def on_error(self, error: BaseException) -> Awaitable[None] | None:
        """Know of a failure: of this processor at a line, or, with no `on_complete` to come, of the whole run."""
        return None


class BatchProcessor(StreamProcessor):
    """A reader of many lines at once."""

    def process_batch(self, lines: Lines) -> Awaitable[None] | None:
        """Take lines that came together: `lines.texts`, with their source, numbers and time."""
        raise NotImplementedError(f"{self.name} has no process_batch()")


class CallableProcessor(StreamProcessor):
    """A function `(line, source)` as a processor."""

    def __init__(self, function: Callable[[str, StreamSource], Any]) -> None:
        self.process_line: Any = function
        self._name = getattr(function, "__qualname__", type(function).__name__)

    @property
    def name(self) -> str:
        """The function's name."""
        return self._name


def as_processor(given: Any) -> StreamProcessor:
    """Return a processor for what was given: one, anything with `process_line` or `process_batch`, or a function.

    Raises:
        UsageError: it is nothing of the kind.

    """
    if inspect.isclass(given):
        raise UsageError(f"{given.__name__} is a class; a stream processor is one of its objects")
    if isinstance(given, StreamProcessor):
        return given
    if hasattr(given, "process_line") or hasattr(given, "process_batch"):
        return _Adopted(given)
    if callable(given):
        return CallableProcessor(given)
    raise UsageError(f"{type(given).__name__} is no stream processor: it has no process_line(line, source)")


class _Adopted(StreamProcessor):
    """Something with the methods of a processor that is none by its class."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        for name in ("process_line", "process_batch", "on_complete", "on_error", "attach", "buffer", "at_once"):
            if hasattr(inner, name):
                setattr(self, name, getattr(inner, name))

    @property
    def name(self) -> str:
        """The class it is of."""
        return type(self._inner).__name__
