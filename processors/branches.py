"""Which messages of a conversation belong to the way it went, and which to ways it left: edited prompts, repeated answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .conversation import ChatMessage, Conversation


class Tree(NamedTuple):
    """How a conversation branches. Messages are named by their position in the archive."""

    total: int
    path: frozenset[int] | None = None
    """The messages on the way it went; None where there is no other."""
    parents: tuple[int, ...] = ()
    """The position of each message's parent, -1 at a root; empty where there is only one way."""
    forks: frozenset[int] = frozenset()
    """Messages with more than one child; -1 for several roots."""

    @property
    def left(self) -> int:
        """How many messages are on ways that were left."""
        return 0 if self.path is None else self.total - len(self.path)


def look(conversation: Conversation) -> Tree:
    """Return how a conversation branches.

    The way it went ends with the message the archive names, or else with the last leaf in time. A message whose parent is
    not in the archive follows the one before it.
    """
    messages = conversation["messages"]
    if not _has_parents(messages):
        return Tree(len(messages))
    known = [(message["id"], message.get("parent"), message["created"]) for message in messages]
    count = len(known)
    positions: dict[str, int] = {}
    for position, (identifier, _, _) in enumerate(known):
        if identifier:
            positions.setdefault(identifier, position)  # Of several with one id the first is meant.
    parents = tuple(_parent_of(position, parent, positions) for position, (_, parent, _) in enumerate(known))
    if parents == tuple(range(-1, count - 1)):
        return Tree(count)
    children = [0] * (count + 1)
    for parent in parents:
        children[parent] += 1
    leaves = [position for position in range(count) if not children[position]]
    if not leaves:
        return Tree(count)
    last = positions.get(conversation["leaf"], max(leaves, key=lambda position: (known[position][2], position)))
    path = _way_up(last, parents)
    if len(path) == count:
        return Tree(count)
    forks = frozenset(position if position < count else -1 for position, number in enumerate(children) if number > 1)
    return Tree(count, path, parents, forks)


def _has_parents(messages: Iterable[ChatMessage]) -> bool:
    for message in messages:  # noqa: SIM110 - `any` over a generator takes three times as long, and every conversation is asked
        if "parent" in message:
            return True
    return False


def _parent_of(position: int, parent: str | None, positions: dict[str, int]) -> int:
    if parent == "":
        return -1
    found = positions.get(parent or "", position)
    return position - 1 if found == position else found


def _way_up(last: int, parents: tuple[int, ...]) -> frozenset[int]:
    way: set[int] = set()
    while last >= 0 and last not in way:
        way.add(last)
        last = parents[last]
    return frozenset(way)
