"""For tests of processors: run some through the real engine, and check what every processor must keep to."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from .context import Folders
from .errors import NodeFailed, RunError
from .plan import NodePlan, Plan, TransmissionPlan
from .problem import Where
from .processor import Processor, Source, WorksInBatches, is_overridden
from .running import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .context import Context
    from .message import Message
    from .plan import Pipe

HERE = Where("transmissions.ttl", 1, 1)
_LONGEST: Final = 60
"""Seconds a run of `assert_contract` may take."""


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


def assert_contract(
    make: Callable[[], Processor],
    messages: Sequence[Message],
    *,
    files: Mapping[str, str | bytes] | None = None,
    prepare: Callable[[Run], object] | None = None,
) -> None:
    """Check what the engine relies on, with a fresh processor each time.

    An empty stream is no fault. Everything that comes out is a dict. Messages one at a time and all at once give the same.
    A processor can be torn down when the run has failed. `messages` are left as they are.

    Each time the run has a folder of its own, in which `files` lie. `prepare` gets the run before it begins, to listen to its
    events, or to end a Source that has no end of its own: `lambda run: run.tap("Clock", 1, lambda *_: run.drain())`. A run that
    takes longer than a minute is stopped with RunTimeout.
    """
    name = type(make()).__name__
    send = partial(_send, files=files or {}, prepare=prepare)
    send([make()], [])
    results = send([make()], messages)
    strange = next((one for one in results if not isinstance(one, dict)), None)
    assert strange is None, f"{name} gives a {type(strange).__name__}; a message is a dict"
    if isinstance(make(), WorksInBatches) and is_overridden(make(), "process"):
        alone = send([_Single(inner=make())], messages)
        assert alone == results, f"{name}: process_batch gives {results!r}, and process {alone!r}"
    with contextlib.suppress(NodeFailed):
        send([make(), _Broken()], messages)


def _send(
    steps: Sequence[Processor],
    messages: Sequence[Message],
    files: Mapping[str, str | bytes],
    prepare: Callable[[Run], object] | None,
) -> list[Message]:
    with tempfile.TemporaryDirectory() as folder:
        lay_files(files, Path(folder))
        run = bench(steps, copy.deepcopy(list(messages)), Path(folder))
        run.timeout = _LONGEST
        if prepare:
            prepare(run)
        return asyncio.run(_collect(run))


def lay_files(files: Mapping[str, str | bytes], folder: Path) -> None:
    """Write files, by their paths below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


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
