"""Branches: where a pipe forks, by copy or by condition, and where the branches join again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .channel import Pressure
from .comparison import compare
from .fields import MISSING, get_field
from .message import GroupEnd, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .channel import Outlet
    from .message import Message
    from .plan import ForkPlan, Pipe

    Predicate = Callable[[Message], bool]


class FanOut:
    """Sends every message down all branches: a shallow copy down each but the last, which gets the message itself."""

    def __init__(self, branches: Sequence[Outlet]) -> None:
        self.branches = branches
        self.pressure = _pressure_of(branches)

    async def put_many(self, messages: list[Message]) -> None:
        """Send messages down all branches."""
        for branch in self.branches[:-1]:
            await branch.put_many([message.copy() for message in messages])
        await self.branches[-1].put_many(messages)

    async def put_token(self, token: Token) -> None:
        """Send a token down all branches; where they join it becomes one again.

        All get the same one, so that what each branch collects for the group ends in one message.
        """
        for branch in self.branches:
            await branch.put_token(token)


class Route:
    """Sends every message down the first branch whose condition it meets. The last branch takes the rest."""

    def __init__(self, branches: Sequence[tuple[Predicate | None, Outlet]]) -> None:
        self.branches = branches
        self.pressure = _pressure_of([outlet for _, outlet in branches])

    async def put_many(self, messages: list[Message]) -> None:
        """Send each message down its branch."""
        parts: list[list[Message]] = [[] for _ in self.branches]
        for message in messages:
            parts[self._choose(message)].append(message)
        for part, (_, outlet) in zip(parts, self.branches, strict=True):
            if part:
                await outlet.put_many(part)

    async def put_token(self, token: Token) -> None:
        """Send a token down all branches; where they join it becomes one again."""
        for _, outlet in self.branches:
            await outlet.put_token(token)

    def _choose(self, message: Message) -> int:
        return next(number for number, (takes, _) in enumerate(self.branches) if takes is None or takes(message))


class Merge:
    """Where branches join: messages pass as they come, a token once all branches have delivered it.

    A branch that has delivered waits for the others. The end of a group that was opened inside a branch is that branch's own
    and passes at once.
    """

    def __init__(self, outlet: Outlet, branches: int, depth: int) -> None:
        self.outlet = outlet
        self.pressure = outlet.pressure
        self._branches = branches
        self._depth = depth
        self._arrived = 0
        self._gate: asyncio.Future[None] | None = None

    async def put_many(self, messages: list[Message]) -> None:
        """Pass messages on."""
        await self.outlet.put_many(messages)

    async def put_token(self, token: Token) -> None:
        """Pass a token on with the last branch that delivers it."""
        if isinstance(token, GroupEnd) and token.depth > self._depth:
            await self.outlet.put_token(token)
            return
        if self._gate is None:
            self._gate = asyncio.get_running_loop().create_future()
        gate = self._gate
        self._arrived += 1
        if self._arrived < self._branches:
            await asyncio.shield(gate)
            return
        self._arrived, self._gate = 0, None
        await self.outlet.put_token(token)
        gate.set_result(None)


def _pressure_of(branches: Sequence[Outlet]) -> Pressure:
    """Return what counts for a node in front of a fork: the waits of all branches."""
    together = Pressure()
    for branch in branches:
        branch.pressure.watchers.append(together)
    return together


def predicate(condition: dict[str, Any]) -> Predicate:
    """Return the test a branch's condition stands for: `{"field": …, "operator": …, "value": …}`."""
    field, relation, value = condition["field"], condition["operator"], condition["value"]
    return lambda message: compare(relation, get_field(message, field, MISSING), value)


def fork_in_words(fork: ForkPlan) -> str:
    """Say which of its branches a fork sends a message down."""
    return f"{fork.path.partition('/')[2]}  {'to all of' if fork.kind == 'all' else 'to the first that fits of'}"


def branches_in_words(fork: ForkPlan) -> Iterator[tuple[str, Pipe]]:
    """Yield the number of each branch, with its condition, and its pipe."""
    for number, branch in enumerate(fork.branches, 1):
        yield f"{number}: {' '.join(str(value) for value in (branch.condition or {}).values())}".rstrip(), branch.pipe
