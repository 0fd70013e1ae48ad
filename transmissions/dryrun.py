"""`--dry-run`: what a run would read, do and write, without doing it.

A processor that knows more before it runs says so in `foresee(message)`, which returns lines: what an input turns out to be,
which files would be written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .buffer import Buffer
from .channel import Channel
from .outputs import is_free
from .processor import Foresees
from .progress import readable_bytes
from .summary import shown
from .terms import local_name
from .transmission import Transmission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .message import Message
    from .node import Node
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
        yield from _segments(transmission.segments)
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


def _segments(segments: Sequence[Segment]) -> Iterator[str]:
    for segment in segments:
        if isinstance(segment.inlet, Buffer):
            yield f"  | {_buffer(segment.inlet)}"
        elif segment is not segments[0]:
            yield f"  | at most {segment.inlet.items} messages"
        if segment.processes > 1:
            yield f"  | {segment.processes} processes"
        if segment.nodes:
            yield f"  {' > '.join(map(_node, segment.nodes))}"


def _buffer(buffer: Buffer) -> str:
    limits = buffer.settings
    return f"buffer {buffer.name}: {readable_bytes(limits.max_buffer_size)}, {limits.max_items} messages, {limits.overflow}"


def _node(node: Node) -> str:
    plan = node.plan
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
