"""A transmission at work: its pipe laid out as segments, and the tasks that run them.

How a run behaves. Code that differs from this is a bug.

*Start.* All processors are made, then set up (`__aenter__`) in the order of the pipe, then the tasks start, then the first
messages enter. If one cannot be set up, those before it are torn down and nothing has moved.

*End.* When the input has ended, END passes through every segment. Each node first gives what `finish()` yields, and END
follows behind it; so when END leaves the pipe, everything has. Then the tasks are over and all processors are torn down
(`__aexit__`), the last of the pipe first. Transmissions that were called are ended in the same way before that.

*Failure.* A message that fails is handled by its node's policy. If that is to stop, or if anything fails that is not about one
message (`run()`, a full buffer that says so, a dead letter that cannot be written), every task of the run is cancelled where
it waits, all processors are torn down with the error, and the error is raised: a NodeFailed names node, place and message.
What had left a sink stays; what was on its way is lost, and the exit code says so. A failing teardown is a failure too; behind
another failure it is only logged.

A source that fails on the way, where the policy is to go on, still ends its group, for those who collect; the message it was
made from has failed, so the step that collapses the group gives nothing in its place.

*Cancellation.* Like a failure, with CancelledError. Threads cannot be stopped and are waited for. A task that a processor
started is the processor's own; it ends it in `__aexit__`. One of the run's that is cancelled though the run is not has failed.

*Drain.* Sources stop between two messages, asynchronous ones where they wait. What they have not begun is counted as
dropped; the groups they leave are closed. Everything that has left a source goes its way to the end, calls included, and then
the run ends as if the input had.

*Bounds.* Between tasks wait at most 1,024 messages or about two megabytes, or what a declared buffer says; in a segment is one
batch, at most half as much. Whoever writes waits. Only a group's own message and what processors themselves keep come on top.
"""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, cast

from .buffer import Buffer, BufferSettings
from .channel import WEIGHT, Channel
from .concurrency import ConcurrentSegment
from .fork import FanOut, Merge, Route, predicate
from .node import ends_groups
from .plan import ForkPlan, WorkersPlan
from .processor import MakesChannel, OwnsStream, follows
from .segment import Segment, StreamSegment
from .services import TransmissionServices
from .sources import AsyncSourceNode, SourceNode
from .steps import make_node
from .supervisor import is_cancelled, together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .channel import Outlet
    from .node import Node
    from .plan import NodePlan, Pipe, TransmissionPlan
    from .services import Feed
    from .state import RunState

_LOG = logging.getLogger(__name__)


class Transmission:
    """One pipeline. It is laid out from its end to its beginning, because everything is made with what is behind it."""

    def __init__(self, plan: TransmissionPlan, state: RunState, outlet: Outlet, trail: tuple[str, ...] = ()) -> None:
        self.plan = plan
        self.state = state
        self.services = TransmissionServices(state, (*trail, plan.name))
        self.nodes: list[Node] = []
        self.segments: list[Segment] = []
        self.head = self._lay(plan.pipe, outlet, set(), plan.name)
        """Where messages go in."""

    async def run(self, feed: Feed) -> None:
        """Set up, work until `feed` has put END and it has come through, tear down."""
        opened: list[Node] = []
        reason: BaseException | None = None
        try:
            for node in self.nodes:
                await node.open()
                opened.append(node)
            await self._work(feed)
            await self.services.close()
        except BaseException as error:
            reason = error
            self.services.lose()
            raise
        finally:
            await self.services.abort()
            await self._tear_down(opened, reason)

    async def _work(self, feed: Feed) -> None:
        try:
            works = [(segment.name, segment.run) for segment in self.segments]
            await together([*works, (self.plan.name, partial(feed, self.head))])
        except BaseExceptionGroup as group:
            cause = first_cause(group)
            raise cause from cause.__cause__

    async def _tear_down(self, nodes: list[Node], reason: BaseException | None) -> None:
        faults = [(node, fault) for node in reversed(nodes) if (fault := await node.close(reason))]
        for node, fault in faults[0 if reason else 1 :]:
            _LOG.error("%s could not be closed: %s", node.plan.path, fault)
        if faults and reason is None:
            node, fault = faults[0]
            if is_cancelled(fault):
                raise fault
            failure = node.failure(fault)
            raise failure from failure.cause

    def _lay(self, pipe: Pipe, outlet: Outlet, caring: set[int], name: str) -> Outlet:
        """Lay out a pipe in front of `outlet` and return where it takes messages.

        `caring` holds the depths of nodes behind that want to know where a group ends; those of this pipe are added.
        """
        waiting: list[Node] = []
        for step in reversed(list(self._unshared(pipe))):
            if isinstance(step, ForkPlan | WorkersPlan):
                behind = self._segment(waiting, outlet) if waiting else outlet
                outlet = self._fork(step, behind, caring) if isinstance(step, ForkPlan) else self._workers(step, behind, caring)
                waiting = []
                continue
            node = self._make(step, caring)
            if waiting and (_is_alone(node) or isinstance(node, AsyncSourceNode)):
                outlet, waiting = self._segment(waiting, outlet), []
            waiting.insert(0, node)
            if _is_alone(node) or _has_buffer(node):
                outlet, waiting = self._segment(waiting, outlet), []
        if waiting or not pipe:
            outlet = self._segment(waiting, outlet, name)
        return outlet

    def _unshared(self, pipe: Pipe) -> Iterator[NodePlan | ForkPlan | WorkersPlan]:
        """Yield the steps of a pipe; workers that would be this process alone are as if they were not there."""
        for step in pipe:
            if isinstance(step, WorkersPlan) and (step.processes == 1 or len(self.services.trail) > 1 or not _has_processes()):
                yield from step.pipe
            else:
                yield step

    def _workers(self, plan: WorkersPlan, outlet: Outlet, caring: set[int]) -> Outlet:
        from .worker_desk import Gather
        from .workers import WorkersSegment

        gather = Gather(outlet.pressure)
        head = self._lay(plan.pipe, gather, set(caring), plan.path)
        # Work of some length is divided here: what waits is to be little.
        inlet = Channel(plan.path, 32 * plan.processes, WEIGHT // 4)
        self.segments.insert(0, WorkersSegment(plan, inlet, outlet, head, gather, self.state))
        self.state.watch(inlet)
        return inlet

    def _make(self, plan: NodePlan, caring: set[int]) -> Node:
        node = make_node(plan, self.state.load(plan), self.services)
        if isinstance(node, SourceNode):
            node.marks_groups = plan.depth + 1 in caring
        if ends_groups(type(node.processor)):
            caring.add(plan.depth)
        self.nodes.insert(0, node)
        return node

    def _segment(self, nodes: list[Node], outlet: Outlet, name: str = "") -> Channel:
        """Make the segment of some nodes, and the channels in front of it; return the first of these."""
        channels = _channels(nodes[0]) if nodes else []
        if not channels:
            channels = [Channel(nodes[0].plan.path if nodes else name)]
        for channel in reversed(channels):
            self.segments.insert(0, _kind(nodes)(nodes, channel, outlet))
            self.services.pressures.update({node.plan.path: outlet.pressure for node in nodes})
            self.state.watch(channel)
            outlet, nodes = channel, []
        return channels[0]

    def _fork(self, plan: ForkPlan, outlet: Outlet, caring: set[int]) -> Outlet:
        behind = frozenset(caring)
        unmatched = plan.kind == "first" and all(branch.condition for branch in plan.branches)
        merge = Merge(outlet, len(plan.branches) + unmatched, plan.depth)
        ways: list[Outlet] = []
        for number in range(len(plan.branches), 0, -1):
            inside = set(behind)
            ways.insert(0, self._lay(plan.branches[number - 1].pipe, merge, inside, f"{plan.path}/{number}"))
            caring |= inside
        if plan.kind == "all":
            return FanOut(ways)
        tests = [predicate(branch.condition) if branch.condition else None for branch in plan.branches]
        if unmatched:
            ways.append(self._segment([], merge, f"{plan.path}/rest"))
            tests.append(None)
        return Route(list(zip(tests, ways, strict=True)))


def _is_alone(node: Node) -> bool:
    return node.plan.concurrency > 1 or follows(node.processor, OwnsStream)


def _has_buffer(node: Node) -> bool:
    return node.plan.buffer is not None or follows(node.processor, MakesChannel)


def _channels(node: Node) -> list[Channel]:
    """Return the declared buffers in front of a node, first to last."""
    channels: list[Channel] = []
    if node.plan.buffer is not None:
        buffer = Buffer(node.plan.path, BufferSettings.from_plan(node.plan.buffer), node.processor.context.emit)
        channels.append(buffer)
    if follows(node.processor, MakesChannel):
        channels.append(cast("MakesChannel", node.processor).make_channel())
    for channel in channels:
        if isinstance(channel, Buffer):
            channel.where = node.plan.where
    return channels


def _kind(nodes: list[Node]) -> type[Segment]:
    if nodes and follows(nodes[0].processor, OwnsStream):
        return StreamSegment
    return ConcurrentSegment if nodes and nodes[0].plan.concurrency > 1 else Segment


def _has_processes() -> bool:
    """Whether another process could do anything while this one works."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return os.name == "posix" and processors > 1


def first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended a group of tasks; what followed from it comes later in the group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
