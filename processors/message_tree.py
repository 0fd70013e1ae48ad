"""A conversation that is kept as a tree of nodes, some of which hold a message: put in order, whatever its links say."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from .conversation import as_text
from .spool import Mapped, Slice, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from .conversation import ChatMessage


class Turn(NamedTuple):
    """One message as the archive has it, and where it stands."""

    number: int
    id: str
    parent: str
    """The id of the nearest message above; empty at a root."""
    above: int
    """The number of that message; -1 at a root."""
    message: Any
    answer: Any = None
    """The message that holds the result of the call in this one."""
    answers: bool = False
    """Whether its content is the result of a call above."""
    forks: bool = False
    """Whether more than one message follows it."""


class MessageTree:
    """The nodes of one conversation. Messages are kept in memory, or in a temporary file where `spools` says so.

    `add` every node, then `arrange` them once. A node whose parent is not there is a root, unless another node lists it as a
    child; a circle is cut where it is met first. So every message comes once, after the one it follows.
    """

    def __init__(self, spools: bool = False) -> None:
        self._spool = Spool() if spools else None
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []
        self._parents: dict[int, int] = {}
        self._children: dict[int, list[int]] = {}
        self._held: dict[int, Any] = {}
        self._ids: dict[int, str] = {}
        self._strays: dict[int, str] = {}
        self._above: dict[int, int] = {}
        self._forks: frozenset[int] = frozenset()
        self._answers: dict[int, int] = {}
        self._answering: frozenset[int] = frozenset()
        self._left: frozenset[int] = frozenset()
        self.first_time = self.last_time = ""
        """When the first and the last message were written."""
        self.order: list[int] = []
        """The nodes that hold a message, parents before their children."""

    def __len__(self) -> int:
        return len(self.order)

    def add(self, key: str, parent: Any, children: Any, message: Any, identifier: Any = None, time: str = "") -> int:
        """Add a node, and return its number. `message` is None where it holds none; `identifier` is the message's own id."""
        if time:
            self.first_time = min(time, self.first_time or time)
            self.last_time = max(time, self.last_time)
        number = self._number(key)
        if number in self._parents:
            number = self._number(f"{key}~{len(self._keys)}")
        self._parents[number] = self._number(as_text(parent)) if parent not in (None, "") else -1
        if children.__class__ is list and children:
            self._children[number] = [self._number(as_text(child)) for child in children]
        if message is not None:
            self._held[number] = self._keep(message)
            if identifier.__class__ is str and identifier and identifier != key:
                self._ids[number] = identifier
        return number

    def _number(self, key: str) -> int:
        number = self._numbers.setdefault(key, len(self._keys))
        if number == len(self._keys):
            self._keys.append(key)
        return number

    def _keep(self, message: Any) -> Any:
        return message if self._spool is None else self._spool.put(json.dumps(message).encode("ascii"))

    def arrange(self) -> None:
        """Put the nodes in order."""
        self._settle_parents()
        self._drop_twin_ids()
        for number in self._walk(self._sorted_children()):
            parent = self._parents[number]
            self._above[number] = parent if parent in self._held else self._above.get(parent, -1)
            if number in self._held:
                self.order.append(number)
        self._children.clear()
        self._find_forks()

    def _find_forks(self) -> None:
        seen: set[int] = set()
        forks: set[int] = set()
        for number in self.order:
            above = self._above[number]
            (forks if above in seen else seen).add(above)
        self._forks = frozenset(forks)

    def _settle_parents(self) -> None:
        listed: dict[int, int] = {}
        for parent, children in self._children.items():
            for child in children:
                if child != parent and parent in self._parents:
                    listed.setdefault(child, parent)
        for number, parent in self._parents.items():
            if parent == number or parent not in self._parents:
                self._parents[number] = listed.get(number, -1)
                if parent not in (-1, number) and number not in listed:
                    self._strays[number] = self._keys[parent]

    def _drop_twin_ids(self) -> None:
        """Let a message go by the key of its node where another has its id."""
        taken = set(self._numbers)
        for number, identifier in list(self._ids.items()):
            if identifier in taken:
                del self._ids[number]
            taken.add(identifier)

    def _sorted_children(self) -> dict[int, list[int]]:
        """Return the children of each node: those it lists first, in its order."""
        found: dict[int, list[int]] = {}
        placed: set[int] = set()
        for parent, children in self._children.items():
            for child in children:
                if self._parents.get(child) == parent and child not in placed:
                    placed.add(child)
                    found.setdefault(parent, []).append(child)
        for number, parent in self._parents.items():
            if parent >= 0 and number not in placed:
                found.setdefault(parent, []).append(number)
        return found

    def _walk(self, children: dict[int, list[int]]) -> Iterator[int]:
        seen: set[int] = set()
        roots = [number for number, parent in self._parents.items() if parent < 0]
        for root in chain(roots, list(self._parents)):
            if root in seen:
                continue
            self._parents[root] = -1
            waiting = [root]
            while waiting:
                number = waiting.pop()
                if number not in seen:
                    seen.add(number)
                    yield number
                    waiting.extend(reversed(children.get(number, ())))

    def pair(self, calls: dict[int, str], results: dict[int, str], fits: Callable[[str, str], bool]) -> frozenset[int]:
        """Give each call the first message of results that follows it directly, where the names of their tools fit.

        Return the messages that were given to calls.
        """
        for number in self.order:
            above = self._above[number]
            if number in results and above in calls and above not in self._answers and fits(calls[above], results[number]):
                self._answers[above] = number
        self._answering = frozenset(self._answers.values())
        return self._answering

    def leave_out(self, numbers: Collection[int]) -> None:
        """Tell nothing of some messages: what follows them follows what is above them."""
        for number in self._above:  # those above come first
            if self._above[number] in numbers:
                self._above[number] = self._above[self._above[number]]
        self._left = frozenset(numbers)
        self.order = [number for number in self.order if number not in numbers]
        self._find_forks()

    def id_of(self, number: int) -> str:
        """Return the id of a message."""
        return self._ids.get(number) or self._keys[number]

    def leaf(self, key: Any) -> str:
        """Return the id of the message at a node, or of the nearest one above; empty where the node is not known."""
        number = self._numbers.get(as_text(key), -1)
        if number not in self._parents:
            return ""
        number = number if number in self._held and number not in self._left else self._above[number]
        return self.id_of(number) if number >= 0 else ""

    def turns(self) -> Iterator[Turn]:
        """Yield the messages in order."""
        for number in self.order:
            above = self._above[number]
            answer = self._answers.get(number)
            yield Turn(
                number,
                self.id_of(number),
                self.id_of(above) if above >= 0 else self._strays.get(number, ""),
                above,
                self._read(number),
                None if answer is None else self._read(answer),
                number in self._answering,
                number in self._forks,
            )

    def _read(self, number: int) -> Any:
        held = self._held[number]
        return json.loads(held.read()) if isinstance(held, Slice) else held

    def told(self, tell: Callable[[Iterable[Turn]], Iterator[ChatMessage]]) -> list[ChatMessage] | Told:
        """Return the messages as `tell` makes them from the turns; each time anew where they do not fit in memory."""
        return list(tell(self.turns())) if self._spool is None else Told(self, tell)


class Told(Mapped):
    """The messages of a tree that does not fit in memory."""

    __slots__ = ("_tell", "_tree")

    def __init__(self, tree: MessageTree, tell: Callable[[Iterable[Turn]], Iterator[ChatMessage]]) -> None:
        self._tree = tree
        self._tell = tell

    def __len__(self) -> int:
        return len(self._tree)

    def __iter__(self) -> Iterator[Any]:
        return self._tell(self._tree.turns())


def nodes_of(mapping: Any) -> Iterator[tuple[str, Any]]:
    """Yield the key and the value of each node, whether they are an object, a list, or pairs in a file."""
    if mapping.__class__ is dict:
        yield from mapping.items()
        return
    for place, item in enumerate(mapping):
        if item.__class__ is list and len(item) == 2 and item[0].__class__ is str:  # noqa: PLR2004 - a pair
            yield item[0], item[1]
        else:
            yield as_text(item.get("id") if item.__class__ is dict else None) or f"node-{place}", item
