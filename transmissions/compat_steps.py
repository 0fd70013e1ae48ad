"""A processor in the clothes of the original: what is done around its own work in a run for `--compat`.

For every message its breadcrumb is written (`tags`), its way is told, and, where messages may set settings, those it names hold
while it is worked on. At the end of a group each step sees the message the group was made from once more, with `done` true,
as the original's spawners sent it behind their items; most let it pass, some work on it.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from .compat_settings import as_before, overrides, words_of
from .errors import RunError, UsageError
from .node import is_async
from .processor import Source, is_overridden
from .supervisor import Raised, attempt
from .terms import local_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from .message import Message
    from .plan import NodePlan
    from .processor import Processor

_ON_DONE: Final = frozenset({"Choice", "NOP", "SetField", "SetText", "ShowMessage"})
"""Classes that worked on the last message of a group like on any other."""


class Surface:
    """What the steps of one run share: where lines go, and whether messages set settings."""

    def __init__(self, firsts: frozenset[str]) -> None:
        self.show: Callable[[str], None] | None = None
        self.takes_settings = False
        self._firsts = firsts

    def say(self, line: str) -> None:
        """Print a line, if lines are printed."""
        if self.show:
            self.show(f"{line}\n")

    def enter(self, node: NodePlan, message: Message) -> None:
        """Tell that a message comes to a node, and write that into it."""
        name, tags = local_name(node.path), message.get("tags")
        way = "" if node.path in self._firsts else f" [{tags or ''}] -> "
        self.say(f"|-> {way}{name} a {local_name(node.type)}")
        message["tags"] = f"{tags}.{name}" if tags else name


class Step:
    """What every wrapped processor has, in front of its own class, under names that no class of its own will have."""

    _compat_own: Any
    """The class that is wrapped."""
    _compat_node: NodePlan
    _compat_surface: Surface
    _compat_lacking: frozenset[str] = frozenset()
    """Settings without a default that no file gives, so that a message must."""

    def end_group(self, message: Message) -> Any:
        """Show the step the group's own message, then let it end the group."""
        self._compat_surface.enter(self._compat_node, message)
        message["done"] = True
        if local_name(self._compat_node.type) in _ON_DONE:
            with self._compat_told(message) as worker:
                self._compat_own.process(worker, message)
        given = self._compat_own.end_group(self, message)
        message["done"] = not self._compat_own.collapses
        return given

    @contextlib.contextmanager
    def _compat_told(self, message: Message) -> Iterator[Any]:
        """Give the processor that works on a message: this one, with the settings the message brings."""
        told = overrides(self._compat_own, message) if self._compat_surface.takes_settings else {}
        if lacking := self._compat_lacking - told.keys():
            names = " and ".join(f"'{words_of(self._compat_own)[name]['term']}'" for name in sorted(lacking))
            raise RunError(f"{self._compat_own.__name__} needs {names}: neither the settings nor the message has it")
        if not told or not self._compat_own.stateful:
            yield self._compat_changed(told) if told else self
            return
        before = self.__dict__.copy()
        self.__dict__.update(told)
        try:
            yield self
        finally:
            self.__dict__.update({name: before.get(name, getattr(self._compat_own, name, None)) for name in told})

    def _compat_changed(self, told: dict[str, Any]) -> Any:
        changed = copy.copy(self)
        changed.__dict__.update(told)
        # What is opened for the whole run must not be prepared anew.
        if not is_overridden(self._compat_own, "__aenter__"):
            self._compat_own.__post_init__(changed)
        return changed


def disguised(own: Any, node: NodePlan, surface: Surface) -> Processor:
    """Return a processor of a plan, wrapped; one that owns its stream is left as it is.

    Raises:
        UsageError: it cannot be made without settings that only messages would bring.

    """
    plain: Processor
    if is_overridden(own, "run"):
        plain = own.from_plan(node.settings)
        return plain
    lacking = frozenset(name for name in words_of(own) if name not in node.settings and not hasattr(own, name))
    made = attempt(_wrapped(own).from_plan, {**as_before(own), **node.settings, **dict.fromkeys(lacking)})
    if isinstance(made, Raised):
        if not lacking:
            raise made.error
        names = " and ".join(sorted(words_of(own)[name]["term"] for name in lacking))
        raise UsageError(f"{node.where}: {node.path} needs the setting {names}") from made.error
    made.__dict__.update(_compat_node=node, _compat_surface=surface, _compat_lacking=lacking)
    wrapped: Processor = made
    return wrapped


@cache
def _wrapped(own: Any) -> Any:
    """Return a class in front of a processor's own; its methods are of the kinds the engine looks for."""
    methods = _produce(own) if issubclass(own, Source) else _process(own)
    return type(
        own.__name__, (Step, own), {"__module__": own.__module__, "__doc__": own.__doc__, "_compat_own": own, **methods}
    )


def _process(own: Any) -> dict[str, Any]:
    # Whole batches would hide which message brings which settings.
    single = own.process if is_overridden(own, "process") else lambda self, message: own.process_batch(self, [message])

    def process(self: Any, message: Message) -> Any:
        self._compat_surface.enter(self._compat_node, message)
        with self._compat_told(message) as worker:
            return single(worker, message)

    async def process_later(self: Any, message: Message) -> Any:
        self._compat_surface.enter(self._compat_node, message)
        with self._compat_told(message) as worker:
            return await single(worker, message)

    waits = is_async(single) or is_async(getattr(own, "process_batch", None))
    return {"process": process_later if waits else process, "process_batch": None}


def _produce(own: Any) -> dict[str, Any]:
    def produce(self: Any, message: Message) -> Any:
        self._compat_surface.enter(self._compat_node, message)
        with self._compat_told(message) as worker:
            made = own.produce(worker, message)
        return _marked_later(made) if hasattr(made, "__aiter__") else _marked(made)

    async def produce_later(self: Any, message: Message) -> AsyncIterator[Message]:
        self._compat_surface.enter(self._compat_node, message)
        with self._compat_told(message) as worker:
            async with contextlib.aclosing(own.produce(worker, message)) as made:
                async for item in made:
                    yield _undone(item)

    return {"produce": produce_later if inspect.isasyncgenfunction(own.produce) else produce}


def _marked(made: Iterable[Message] | None) -> Iterator[Message]:
    return map(_undone, made or ())


async def _marked_later(made: AsyncIterator[Message]) -> AsyncIterator[Message]:
    async for item in made:
        yield _undone(item)


def _undone(came: Any) -> Any:
    for item in came if isinstance(came, list) else [came]:
        if isinstance(item, dict):  # The engine says what is wrong with anything else.
            item["done"] = False
    return came
