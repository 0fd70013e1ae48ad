"""For tests of processors: run some through the real engine, and check what every processor must keep to."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .context import Folders
from .errors import NodeFailed, RunError
from .plan import NodePlan, Plan, TransmissionPlan
from .problem import Where
from .processor import Processor, Source, WorksInBatches, is_overridden
from .running import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .context import Context
    from .message import Message
    from .plan import Pipe

HERE = Where("transmissions.ttl", 1, 1)


def through(processors: Processor | Sequence[Processor], messages: Iterable[Message], **node: Any) -> list[Message]:
    """Send messages through processors, as a pipe of their own, and return what leaves it.

    Further arguments are fields of every `NodePlan`: `concurrency=4`, `on_error="skip"`. Files go to a temporary folder.

    Raises:
        NodeFailed: a processor raised.

    """
    steps = [processors] if isinstance(processors, Processor) else list(processors)
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_collect(bench(steps, list(messages), Path(folder), **node)))


def bench(processors: Sequence[Processor], messages: Sequence[Message], folder: Path, **node: Any) -> Run:
    """Return a run of processors that were made already, to enter; the nodes are `test/Class`, `test/Class-2` and so on."""
    pipe, made = lay_out(processors, **node)
    transmission = TransmissionPlan("test", "", True, pipe, HERE)
    plan = Plan("test", str(folder), (), (transmission,))
    return Run(plan, messages, Folders(folder, folder, folder), folder / "dead-letters.ndjson", lambda one: made[one.path])


def lay_out(processors: Sequence[Processor], **node: Any) -> tuple[Pipe, dict[str, Processor]]:
    """Return a pipe of processors with its depths, and the processors by path."""
    made: dict[str, Processor] = {}
    pipe: list[NodePlan] = []
    depth = 0
    for processor in processors:
        name = type(processor).__name__
        same = sum(type(other) is type(processor) for other in made.values())
        path = f"test/{name}-{same + 1}" if same else f"test/{name}"
        made[path] = processor
        pipe.append(NodePlan(path, name, "", {}, HERE, {}, depth, **node))
        depth = max(0, depth + isinstance(processor, Source) - processor.collapses)
    return tuple(pipe), made


async def _collect(run: Run) -> list[Message]:
    async with run:
        return [message async for message in run]


def assert_contract(make: Callable[[], Processor], messages: Sequence[Message]) -> None:
    """Check what the engine relies on, with a fresh processor each time.

    An empty stream is no fault. Everything that comes out is a dict. Messages one at a time and all at once give the same.
    A processor can be torn down when the run has failed. `messages` are left as they are.
    """
    name = type(make()).__name__
    through(make(), [])
    results = through(make(), copy.deepcopy(list(messages)))
    strange = next((one for one in results if not isinstance(one, dict)), None)
    assert strange is None, f"{name} gives a {type(strange).__name__}; a message is a dict"
    if isinstance(make(), WorksInBatches) and is_overridden(make(), "process"):
        alone = through(_Single(inner=make()), copy.deepcopy(list(messages)))
        assert alone == results, f"{name}: process_batch gives {results!r}, and process {alone!r}"
    with contextlib.suppress(NodeFailed):
        through([make(), _Broken()], copy.deepcopy(list(messages)))


class _Broken(Processor):
    """Fail on every message, behind the processor that is tested."""

    def process(self, message: Message) -> Message:
        """Fail."""
        raise RunError(f"broken on purpose by {len(message)} fields")


class _Single(Processor):
    """Give another processor its messages one at a time."""

    inner: Processor

    def attach(self, context: Context) -> None:
        """Attach both."""
        super().attach(context)
        self.inner.attach(context)

    def process(self, message: Message) -> Any:
        """Pass one message."""
        return self.inner.process(message)

    def finish(self) -> Any:
        """Pass the end of the stream."""
        return self.inner.finish()

    async def __aenter__(self) -> Self:
        """Set the other up."""
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Tear the other down."""
        await self.inner.__aexit__(*exc)
