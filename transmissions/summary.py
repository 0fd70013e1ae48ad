"""The last lines of a run: what came in, what went out, what did not, and where it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .plan import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from .plan import TransmissionPlan
    from .running import Run


def words_in(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a `summary` event says in words; one of figures alone is for servers."""
    if fields.get("text") is not None:
        yield str(fields["text"])


def last_lines(run: Run, told: Sequence[str], ending: str, seconds: float) -> Iterator[str]:
    """Yield the lines. `told` is what processors tell in `summary` events, `ending` how the run ended if not as it should."""
    result, folders = run.result, run.state.folders
    counts = [run.state.counts[node.path] for node in run.plan.nodes()]
    came = sum(_came_in(run, entry) for entry in run.plan.entries())
    # What processors tell is in the words of their subject, and stands for what the engine counts.
    parts = [
        *(told or (f"{came} message{'' if came == 1 else 's'} in", f"{result.sent} out")),
        f"{sum(count.failed for count in counts) - run.state.passed_up} failed",
        f"{seconds:.2f} s",
    ]
    where = f" -> {shown(folders.output)}" if _has_files(folders.output) else ""
    yield f"{run.plan.app}: {ending}{', '.join(parts)}{where}"
    if not (result.sent or told or ending or result.dead):
        yield from _where_all_went(run)
    if result.dead:
        others = ", behind those of earlier runs" if run.state.letters.is_behind_others else ""
        yield f"{result.dead} set aside, with the reasons, in {shown(run.state.letters.path)}{others}"
    if result.skipped:
        yield f"{result.skipped} skipped"
    yield from _what_overflowed(run)
    if ending.startswith("stopped"):
        yield "what is written is complete"


def _came_in(run: Run, entry: TransmissionPlan) -> int:
    """Count what the first node of a pipe took in, or, if it is a source, what it found."""
    if not entry.pipe:
        return len(run.messages)
    first = entry.pipe[0]
    counts = run.state.counts[next(walk(entry.pipe)).path]
    is_source = len(entry.pipe) > 1 and entry.pipe[1].depth > first.depth
    return counts.sent if is_source else counts.received


def _where_all_went(run: Run) -> Iterator[str]:
    """Say where messages were dropped, or which source gave none: on purpose, or for want of a `return` or `yield`."""
    counts = [(node.path, run.state.counts[node.path]) for node in run.plan.nodes()]
    places = ", ".join(f"{path} ({count.dropped})" for path, count in counts if count.dropped)
    silent = next((path for path, count in counts if count.received and not count.sent), "")
    if places:
        yield f"nothing came out: dropped by {places}"
    elif silent:
        yield f"nothing came out: {silent} gave nothing"


def _what_overflowed(run: Run) -> Iterator[str]:
    """Say which buffers let go of messages because they were full."""
    lost = [(channel.name, channel.snapshot().get("dropped", 0)) for channel in run.state.channels.values()]
    places = ", ".join(f"{name} ({count})" for name, count in lost if count)
    if places:
        yield f"dropped for want of room: {places}"


def _has_files(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False


def shown(path: Path) -> str:
    """Return a path as people in the working directory would write it."""
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else f"./{near}"
