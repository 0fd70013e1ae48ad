"""What the parts of workers have in common: the batches worked on here, keys in use, the bell that tells of a change."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from .frames import decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .accounts import Account
    from .channel import Outlet, Pressure
    from .message import Message, Token

_LOOKED_AT: Final = 1000
"""Files of a folder whose sizes are looked at."""


class Batch:
    """Messages on their way through workers."""

    __slots__ = ("account", "error", "gave", "gave_packed", "is_done", "keys", "messages", "packed", "weight")

    def __init__(self) -> None:
        self.messages: list[Message] = []
        """If they are worked on here."""
        self.packed: list[bytes] = []
        """If they were sent to a process."""
        self.weight = 0
        """Bytes sent, or when it is done, bytes of results that came."""
        self.keys: list[Any] = []
        self.is_done = False
        self.gave: list[Message] = []
        """What the messages became here."""
        self.gave_packed: list[memoryview] = []
        """What they became in a process: one part, or none."""
        self.account: Account | None = None
        self.error: BaseException | None = None

    def __len__(self) -> int:
        return len(self.messages) + len(self.packed)


class Desk:
    """What the parts of workers tell each other: that something has changed, that a batch is done, that all is lost."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.here: deque[Batch] = deque()
        """What is worked on in this process."""
        self.keys: set[Any] = set()
        """Those of the messages that are worked on."""
        self.held = 0
        """Bytes of results that wait for their turn."""
        self.pace = 0.0
        """Seconds a message takes, about."""
        self._failure: BaseException | None = None
        self._waiting: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        """Have everybody look whether what they wait for has come."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        while not holds():
            if self._failure:
                raise self._failure
            self._waiting.append(asyncio.get_running_loop().create_future())
            await self._waiting[-1]

    def settle(self, batch: Batch, seconds: float) -> None:
        """Take a batch that is done, after so many seconds."""
        each = seconds / (len(batch) or 1)
        self.pace = 0.8 * self.pace + 0.2 * each if self.pace else each
        self.keys.difference_update(batch.keys)
        batch.is_done = True
        batch.messages, batch.packed = [], []
        batch.weight = sum(map(len, batch.gave_packed))
        self.held += batch.weight
        self.ring()

    def do_here(self, batch: Batch) -> None:
        """Work on a batch here that a process gave back."""
        batch.messages, batch.packed = [decode(data) for data in batch.packed], []
        self.here.append(batch)
        self.ring()

    def fail(self, error: BaseException) -> None:
        """End the run with an error that is about no batch."""
        self._failure = error
        self.ring()


class Gather:
    """The end of the inner pipe in this process: takes what a batch becomes."""

    def __init__(self, pressure: Pressure) -> None:
        self.pressure = pressure
        self._results: list[Message] = []
        self._marked = asyncio.Event()

    async def put_many(self, messages: list[Message]) -> None:
        """Take results."""
        self._results += messages

    async def put_token(self, token: Token) -> None:  # noqa: ARG002 - there is only one at a time
        """Notice that all results have come."""
        self._marked.set()

    async def what_becomes_of(self, messages: list[Message], mark: Token, head: Outlet) -> list[Message]:
        """Send messages in at the head of the pipe, and a token behind them; return what comes out in front of that."""
        self._marked.clear()
        if messages:
            await head.put_many(messages)
        await head.put_token(mark)
        await self._marked.wait()
        results, self._results = self._results, []
        return results


def size_at(path: Path) -> int:
    """Return about how many bytes there are to read at a path: those of a file, or of the files right in a folder."""
    try:
        files = islice(path.iterdir(), _LOOKED_AT) if path.is_dir() else (path,)
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0
