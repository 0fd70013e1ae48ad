"""Segments: stretches of a pipe that run as one task, between two places where messages wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .errors import NodeFailed
from .message import END, GroupEnd, Token
from .pace import Pace, clock
from .stream import Reader, Writer
from .supervisor import FAULTS, is_cancelled

if TYPE_CHECKING:
    from .channel import Channel, Outlet
    from .message import Message
    from .node import Node
    from .processor import OwnsStream

_RARELY = 4
"""A step is looked at in one of so many batches for each step there is."""


class Segment:
    """A run of nodes that call each other directly, a step at a time over a batch.

    Working step by step keeps the clock readings to two for a step and batch. A step that makes many messages of one sends
    them on before it makes more, so a batch never grows.
    """

    processes = 1
    """How many work on what follows."""

    def __init__(self, nodes: list[Node], inlet: Channel, outlet: Outlet) -> None:
        self.nodes = nodes
        self.inlet = inlet
        self.outlet = outlet
        self.pace = Pace()
        self._probe = 0
        self._longest = 0
        for node in nodes:
            node.pace.gauge = self.pace.gauge
        last = len(nodes) - 1
        steps = [(number, node.step, Rest(self, number + 1) if number < last else outlet) for number, node in enumerate(nodes)]
        self._tails = [steps[number:] for number in range(len(nodes) + 1)]

    @property
    def name(self) -> str:
        """The paths of its nodes."""
        return ", ".join(node.plan.path for node in self.nodes) or "a pipe without steps"

    async def run(self) -> None:
        """Work until the end of the stream."""
        pace = self.pace
        while True:
            item = await self.inlet.get_many(pace.size)
            if isinstance(item, Token):
                await self.pass_on(0, item)
                if item is END:
                    return
                continue
            count, began = len(item), clock()
            await self.flow(0, item)
            pace.adapt(count, clock() - began)
            del item  # Waiting for the next batch must not keep this one.
            if pace.is_due:
                await pace.breathe()

    async def flow(self, start: int, batch: list[Message]) -> None:
        """Send a batch through the steps from `start` on, and out.

        Each step is looked at for big messages where a batch is longer than any before, and now and then where it is not.
        """
        gauge, probe, is_longest = self.pace.gauge, self._probe, len(batch) > self._longest
        if is_longest:
            self._longest = len(batch)
        for number, step, rest in self._tails[start]:
            batch = await step(batch, rest)
            if is_longest or number == probe:
                gauge.look(batch)
            if not batch:
                break
        self._probe = probe + 1 if probe + 1 < _RARELY * len(self.nodes) else 0
        if batch:
            await self.outlet.put_many(batch)

    async def pass_on(self, start: int, token: Token) -> None:
        """Send a token through the steps from `start` on, and out, unless a step keeps it."""
        for number in range(start, len(self.nodes)):
            if await keeps(self.nodes[number], token, Rest(self, number + 1)):
                return
        await self.outlet.put_token(token)


class Rest:
    """The rest of a segment, as an outlet for the step before it."""

    __slots__ = ("_segment", "_start", "pressure")

    def __init__(self, segment: Segment, start: int) -> None:
        self._segment = segment
        self._start = start
        self.pressure = segment.outlet.pressure

    async def put_many(self, messages: list[Message]) -> None:
        """Send messages through the rest."""
        await self._segment.flow(self._start, messages)

    async def put_token(self, token: Token) -> None:
        """Send a token through the rest."""
        await self._segment.pass_on(self._start, token)


async def keeps(node: Node, token: Token, rest: Outlet) -> bool:
    """Let a node do what a token asks of it; return whether the token ends there."""
    if token is END:
        await node.finish(rest)
    elif isinstance(token, GroupEnd) and token.depth == node.plan.depth:
        # What collapses sends the group's message on; branches that do so side by side must not share it.
        collapses = node.processor.collapses
        message = token.message.copy() if collapses else token.message
        await node.end_group(message, rest, is_broken=token.is_broken)
        return collapses
    return False


class StreamSegment(Segment):
    """A processor that owns its stream: it reads and writes as it likes, in a task of its own.

    A failure of `run` ends the run whatever the policy, because there is no one message it failed on.
    """

    async def run(self) -> None:
        """Run the processor; what it leaves unread is dropped and counted."""
        node = self.nodes[0]
        reader = Reader(self.inlet.get_many, self._read, self.outlet.put_token)
        try:
            await cast("OwnsStream", node.processor).run(reader, Writer(self._write))
        except NodeFailed:
            raise
        except FAULTS as error:
            if is_cancelled(error):
                raise
            failure = node.failure(error)
            raise failure from failure.cause
        while left := await reader.batch():
            node.counts.dropped += len(left)
        await self.outlet.put_token(END)

    def _read(self, count: int) -> None:
        self.nodes[0].counts.received += count

    async def _write(self, messages: list[Message]) -> None:
        await self.outlet.put_many(self.nodes[0].leaving(messages))
