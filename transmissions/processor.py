"""What an author writes: a Processor turns messages into messages, a Source turns one message into a stream.

The class is the whole declaration: its docstring's first line is the summary, its annotated fields are the settings. The
engine counts, times, retries, catches and dead-letters; a processor only does its work.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from .settings import Record, Settings
from .terms import to_term

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Iterable, Iterator, Mapping

    from .channel import Channel
    from .context import Context
    from .message import Message
    from .stream import Reader, Writer

    Result = Message | list[Message] | Iterator[Message] | None
    Produced = Iterable[Message] | AsyncIterable[Message | list[Message]]


class Processor(Settings):
    """A step of a pipe.

    Override one of

    * `process(message)`: return a message (the same, changed, or another), None to drop it on purpose, a list, or a plain
      generator for any number; `async def` where it must wait.
    * `process_batch(messages)`: the same for a list at once, where that is faster; it returns the list of results.
    * `run(reader, writer)`: own the stream, for windows and connections; see `transmissions.stream`.

    and, where needed, `finish()` for what is left at the end of the stream, `end_group(message)` for the end of the group a
    Source opened, and `__aenter__`/`__aexit__` for what must be opened and closed.

    A processor may set and remove fields of the message it gets: it is the only holder. What is inside a field may be in other
    messages too, because copies are shallow: replace it, do not change it. A processor may keep state in itself: there is one
    instance for each place in a pipe and each run.
    """

    iri: ClassVar[str] = ""
    """The class IRI in Turtle; empty means the class name in the transmissions namespace."""
    extra: ClassVar[str] = ""
    """The optional dependency group this processor needs, for the error that names it."""
    collapses: ClassVar[bool] = False
    """Whether this step ends the group it stands in: after it the stream is one level up, as with Unfork."""
    stateful: ClassVar[bool] = False
    """Whether order and completeness matter to it, so that `:concurrency` cannot apply."""
    one_by_one: ClassVar[bool] = False
    """Whether, with `:concurrency`, a worker takes a single message at a time: where most of the work is waiting for others,
    what is quick must not wait for what is slow."""
    placement: ClassVar[str] = "loop"
    """Where `process` runs: `loop`, or `thread` for work that blocks."""
    accepts: ClassVar[type[Record] | None] = None
    """What a message that begins a run with this step must look like, declared as settings are; in JSON a field has its Python
    name. A server refuses others before the run, and describes them. Such a step reads the message with `read_request`."""
    at_most: ClassVar[Mapping[str, str]] = {}
    """For lists among those fields, the setting that says how many values they may have: `{"urls": "most_urls"}`."""
    fixed: ClassVar[frozenset[str]] = frozenset()
    """Fields that no message sets, under `--compat` either: what is removed, where passwords are sent."""

    @property
    def context(self) -> Context:
        """What the processor may know of its run: folders, log, events. Set before `__aenter__`."""
        context: Context = self.__dict__["_context"]
        return context

    def attach(self, context: Context) -> None:
        """Give the processor its context; the engine does this once."""
        self.__dict__["_context"] = context

    def dynamic(self, message: Message, name: str) -> Any:
        """Return a setting marked `Dynamic`: the message's field of the same term where it has one, else the setting."""
        value = message.get(to_term(name))
        return getattr(self, name) if value is None else value

    def process(self, message: Message) -> Result | Awaitable[Result]:
        """Turn one message into none, one or many."""
        raise NotImplementedError(f"{type(self).__name__} has no process()")

    def finish(self) -> Iterable[Message] | None:
        """Yield what is left once the stream has ended."""
        return None

    def end_group(self, message: Message) -> Iterable[Message] | None:
        """Yield what belongs at the end of the group made from `message`; `message` may be changed in place.

        Called only at the step's own depth, after the last message of the group.
        """
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None


class Source(Processor):
    """A step that turns one message into a stream: a file into lines, a list into items, a command into output.

    Override `produce(message)`, as a plain or an asynchronous generator; the latter may also yield lists of messages that
    came together. What it yields forms a group: when it ends, the
    steps behind it are told so with the message it was made from (see `Processor.end_group`). The engine stops pulling when
    a run is drained, so a source may be endless.
    """

    def produce(self, message: Message) -> Produced:
        """Yield the messages made from `message`."""
        raise NotImplementedError(f"{type(self).__name__} has no produce()")


def follows(processor: Processor, protocol: type) -> bool:
    """Whether a processor follows a protocol. Python takes 20 µs to see it of a class, and a server asks for each request."""
    kind: Any = type(processor)
    return _does(kind, protocol)


@lru_cache(512)
def _does(kind: type[Any], protocol: type) -> bool:
    return issubclass(kind, protocol)


@runtime_checkable
class WorksInBatches(Protocol):
    """What takes many messages at once."""

    def process_batch(self, messages: list[Message]) -> Iterable[Message] | Awaitable[Iterable[Message] | None] | None:
        """Turn messages into messages; an error has them tried one by one."""
        ...


@runtime_checkable
class OwnsStream(Protocol):
    """What reads and writes as it likes."""

    async def run(self, reader: Reader, writer: Writer) -> None:
        """Work until the reader is at its end."""


@runtime_checkable
class MakesChannel(Protocol):
    """What is itself the channel in front of it."""

    def make_channel(self) -> Channel:
        """Return the channel."""
        ...


@runtime_checkable
class Foresees(Protocol):
    """What can say before a run what it would do."""

    def foresee(self, message: Message) -> Iterable[str]:
        """Yield lines for a dry run: what an input turns out to be, which files would be written."""
        ...


@runtime_checkable
class Retries(Protocol):
    """A Source that can try again what it once set aside with `context.reject`."""

    def retry(self, letter: dict[str, Any]) -> Iterable[Message]:
        """Yield what becomes of a dead letter: `message` is what was rejected, beside it stand the fields that were given."""
        ...


def is_overridden(processor: Processor | type[Processor], method: str) -> bool:
    """Whether a class brings a method of its own rather than the default."""
    cls: Any = processor if isinstance(processor, type) else type(processor)
    return getattr(cls, method, None) is not getattr(Processor, method, None) and hasattr(cls, method)
