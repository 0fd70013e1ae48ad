"""`--dry-run`: what a run would read, do and write, without doing it.

A processor that knows more before it runs says so in `foresee(message)`, which returns lines: what an input turns out to be,
which files would be written.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from .buffer import Buffer
from .channel import Channel
from .fork import branches_in_words, fork_in_words
from .outputs import is_free
from .plan import ForkPlan, NodePlan, WorkersPlan
from .processor import Foresees
from .progress import readable_bytes
from .summary import shown
from .terms import local_name
from .transmission import Transmission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .message import Message
    from .node import Node
    from .plan import Pipe
    from .running import Run
    from .segment import Segment


def describe(run: Run, *, refuses: bool) -> Iterator[str]:
    """Yield the lines that describe a run that has not begun; if it `refuses`, a folder with other files is not for it."""
    yield f"{run.plan.app}  {run.plan.folder}"
    yield "\nbegins with"
    for message in run.messages:
        yield from _message(message, run.state.folders.roots)
    for entry in run.plan.entries():
        transmission = Transmission(entry, run.state, Channel())
        yield f"\n{entry.name}"
        yield from _Layout(transmission.segments).lines(entry.pipe, "  ")
        for node in transmission.nodes:
            yield from _foreseen(node, run.messages)
    yield "\nwrites"
    yield f"  {_folder(run.state.folders.output, refuses=refuses)}"
    yield f'  {shown(run.state.letters.path)}  what fails under :onError "deadLetter"'
    for metrics in run.plan.metrics:
        yield f"  {metrics.get('to', '-')}  metrics ({metrics.get('format', 'json')})"


def _message(message: Message, roots: Sequence[Path]) -> Iterator[str]:
    if not message:
        yield "  an empty message"
    for name, value in message.items():
        about = f"  ({_kind_of(Path(value))})" if isinstance(value, str) and Path(value) in roots else ""
        yield f"  {name} = {value}{about}"


def _kind_of(path: Path) -> str:
    return "a folder" if path.is_dir() else f"a file of {readable_bytes(path.stat().st_size)}"


class _Layout:
    """The segments of a transmission in the order of its pipe, and as far as they have been told."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._first = segments[0]
        self._left = deque(segments)
        self._told = {node.plan.path: segment for segment in segments for node in segment.nodes}

    def lines(self, pipe: Pipe, margin: str) -> Iterator[str]:
        """Yield the steps that run together in one line, what is between such lines, and the branches of forks."""
        row: list[str] = []
        for step in pipe:
            between = [] if isinstance(step, ForkPlan | WorkersPlan) else list(self._up_to(step))
            if row and (between or not isinstance(step, NodePlan)):
                yield f"{margin}{' > '.join(row)}"
                row = []
            yield from (f"{margin}| {line}" for line in between)
            if isinstance(step, NodePlan):
                row.append(_node(step))
            elif isinstance(step, WorkersPlan):
                yield from self.lines(step.pipe, margin)
            else:
                yield from self._fork(step, margin)
        if row:
            yield f"{margin}{' > '.join(row)}"

    def _fork(self, fork: ForkPlan, margin: str) -> Iterator[str]:
        yield f"{margin}{fork_in_words(fork)}"
        for words, pipe in branches_in_words(fork):
            yield f"{margin}  {words}"
            yield from self.lines(pipe, f"{margin}    ")

    def _up_to(self, step: NodePlan) -> Iterator[str]:
        """Yield what waits in front of a node, if its segment begins with it."""
        own = self._told[step.path]
        while own in self._left:
            segment = self._left.popleft()
            if isinstance(segment.inlet, Buffer):
                yield _buffer(segment.inlet)
            elif segment is not self._first and (segment.nodes or segment.processes > 1):
                yield f"at most {segment.inlet.items} messages"
            if segment.processes > 1:
                yield f"{segment.processes} processes"


def _buffer(buffer: Buffer) -> str:
    limits = buffer.settings
    return f"buffer {buffer.name}: {readable_bytes(limits.max_buffer_size)}, {limits.max_items} messages, {limits.overflow}"


def _node(plan: NodePlan) -> str:
    more = [f"x{plan.concurrency}"] if plan.concurrency > 1 else []
    more += [f"on error: {plan.on_error}"] if plan.on_error != "stop" else []
    return f"{plan.path.partition('/')[2]} ({', '.join([local_name(plan.type), *more])})"


def _foreseen(node: Node, messages: Sequence[Message]) -> Iterator[str]:
    if isinstance(node.processor, Foresees):
        lines = dict.fromkeys(line for message in messages for line in node.processor.foresee(message.copy()))
        yield from (f"  {node.plan.path.partition('/')[2]}: {line}" for line in lines)


def _folder(folder: Path, *, refuses: bool) -> str:
    is_refused = refuses and not is_free(folder)
    state = "holds other files, refused without --force" if is_refused else "there already" if folder.exists() else "new"
    return f"{shown(folder)}  ({state})"
