"""The records of a session, brought together into messages, however far apart they stand and however large the file."""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING, Any, Final

from .spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .spool import Slice

Part = list[Any]
"""What a record adds to one message: `[kind, payload]`, both JSON values."""

SKIPPED: Final = -1
_HELD: Final = 64
"""How many unfinished messages are kept in memory; what waits beyond goes to a file."""


class Tally:
    """How many blocks and attachments the records hold, and what of them is not shown."""

    def __init__(self) -> None:
        self.blocks: dict[str, int] = {}
        self.attachments = 0
        self.skipped: dict[str, dict[str, int]] = {}

    def block(self, kind: str) -> None:
        """Count a block."""
        self.blocks[kind] = self.blocks.get(kind, 0) + 1

    def skip(self, kind: str, outcome: str) -> None:
        """Count what is left out."""
        outcomes = self.skipped.setdefault(kind, {})
        outcomes[outcome] = outcomes.get(outcome, 0) + 1

    def leave_out(self, kind: str, outcome: str) -> None:
        """Count a record otherwise that was counted as a block before."""
        self.blocks[f"record {kind}"] -= 1
        self.skip(f"block record {kind}", outcome)

    def counts(self, messages: int) -> dict[str, Any]:
        """Return what was counted, as the common model has it."""
        blocks = {kind: number for kind, number in self.blocks.items() if number}
        return {"messages": messages, "blocks": blocks, "attachments": self.attachments, "files": 0}


class Plan:
    """Which message each part of each record belongs to; messages are numbered in the order they begin."""

    def __init__(self) -> None:
        self._owners = array("i")
        self._sizes = array("i")

    def __len__(self) -> int:
        return len(self._sizes)

    def open(self) -> int:
        """Begin a message and return its number."""
        self._sizes.append(0)
        return len(self._sizes) - 1

    def add(self, number: int) -> None:
        """Say that the next part belongs to a message that has begun."""
        self._owners.append(number)
        self._sizes[number] += 1

    def skip(self) -> None:
        """Say that the next record is left out whole."""
        self._owners.append(SKIPPED)

    def drop(self, place: int) -> int:
        """Leave out a record of one part that was added before, at `place` in the order of parts; return its message."""
        number, self._owners[place] = self._owners[place], SKIPPED
        self._sizes[number] -= 1
        return number

    @property
    def place(self) -> int:
        """Where the next part will stand in the order of parts."""
        return len(self._owners)

    def assemble(self, records: Iterable[Any], split: Callable[[Any], list[Part]]) -> Iterator[tuple[int, list[Part]]]:
        """Yield every message's number and parts, in order. `split` must take records apart as it did for the plan."""
        waiting = _Waiting(array("i", self._sizes))
        owners = iter(self._owners)
        for record in records:
            first = next(owners)
            if first == SKIPPED:
                continue
            for at, part in enumerate(split(record)):
                waiting.put(next(owners) if at else first, part)
            yield from waiting.take()
        yield from waiting.take()


class _Waiting:
    """Messages that have begun and still lack parts."""

    def __init__(self, left: array[int]) -> None:
        self._left = left
        self._next = 0
        self._held: dict[int, list[Part]] = {}
        self._aside: dict[int, list[Slice]] = {}
        self._spool: Spool | None = None

    def put(self, number: int, part: Part) -> None:
        """Add a part to a message."""
        self._held.setdefault(number, []).append(part)
        self._left[number] -= 1
        if len(self._held) > _HELD:
            self._set_aside()

    def take(self) -> Iterator[tuple[int, list[Part]]]:
        """Yield the messages that are whole, up to the first that is not."""
        while self._next < len(self._left) and not self._left[self._next]:
            aside = [json.loads(place.read()) for place in self._aside.pop(self._next, ())]
            yield self._next, aside + self._held.pop(self._next, [])
            self._next += 1

    def _set_aside(self) -> None:
        self._spool = self._spool or Spool()
        for number, parts in self._held.items():
            places = [self._spool.put(json.dumps(part).encode("ascii")) for part in parts]
            self._aside.setdefault(number, []).extend(places)
        self._held = {}
