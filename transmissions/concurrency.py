"""Concurrency: several workers on one node."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .message import END, Token
from .pace import clock
from .processor import Source
from .segment import Segment, keeps
from .supervisor import together

if TYPE_CHECKING:
    from .channel import Channel, Outlet
    from .message import Message
    from .node import Node

_SMALL = 32
"""Messages a worker takes at most, so that the others have something to do."""


class ConcurrentSegment(Segment):
    """One node with `concurrency` workers, each of which takes a batch, works on it and sends the result on.

    Every batch and token gets a turn when it is taken. In order, a worker waits for its turn before it sends, so no more is
    ever held than one batch for each worker. Out of order, only tokens wait: for all that was taken before them, while
    nobody takes what comes behind. A Source keeps its order, because its groups must not mix.
    """

    def __init__(self, nodes: list[Node], inlet: Channel, outlet: Outlet) -> None:
        super().__init__(nodes, inlet, outlet)
        (node,) = nodes
        self._ordered = node.plan.ordered or isinstance(node.processor, Source)
        self._most = 1 if node.processor.one_by_one else _SMALL
        self._taking = asyncio.Lock()
        self._taken = 0
        self._sent = 0
        self._ended = False
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def run(self) -> None:
        """Let the workers work until the end of the stream."""
        await together([(self.name, self._work) for _ in range(self.nodes[0].plan.concurrency)])

    async def _work(self) -> None:
        node = self.nodes[0]
        while (item := await self._take()) is not None:
            batch, number = item
            turn = OrderedOutlet(self, number) if self._ordered else self.outlet
            count, began = len(batch), clock()
            out = await node.step(batch, turn)
            self.pace.adapt(count, clock() - began)
            self.pace.gauge.look(out)
            if out:
                await turn.put_many(out)
            await self.until(number if self._ordered else 0)
            self._pass_turn()
            del item, batch, out  # Waiting for the next batch must not keep this one.
            if self.pace.is_due:
                await self.pace.breathe()

    async def _take(self) -> tuple[list[Message], int] | None:
        async with self._taking:
            while not self._ended:
                item = await self.inlet.get_many(min(self.pace.size, self._most))
                self._taken += 1
                if not isinstance(item, Token):
                    return item, self._taken - 1
                await self.until(self._taken - 1)
                if not await keeps(self.nodes[0], item, self.outlet):
                    await self.outlet.put_token(item)
                self._ended = item is END
                self._pass_turn()
        return None

    async def until(self, number: int) -> None:
        """Wait until `number` batches and tokens have been sent."""
        while self._sent < number:
            self._waiting[number] = asyncio.get_running_loop().create_future()
            await self._waiting[number]

    def _pass_turn(self) -> None:
        self._sent += 1
        waiting = self._waiting.pop(self._sent, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


class OrderedOutlet:
    """The way out for one worker, open when it is its turn."""

    __slots__ = ("_number", "_segment", "pressure")

    def __init__(self, segment: ConcurrentSegment, number: int) -> None:
        self._segment = segment
        self._number = number
        self.pressure = segment.outlet.pressure

    async def put_many(self, messages: list[Message]) -> None:
        """Send messages when it is time."""
        await self._segment.until(self._number)
        await self._segment.outlet.put_many(messages)

    async def put_token(self, token: Token) -> None:
        """Send a token when it is time."""
        await self._segment.until(self._number)
        await self._segment.outlet.put_token(token)
