"""All runs that are delivered: by request, by session, by key; how many there may be; and their end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .buffer import FOR_ALL, Memory
from .errors import KeyUsed, NotFound, Overloaded, TooMany
from .lifecycle import ConnectionClosed, Lifecycle
from .live import LiveRun
from .sessions import Sessions
from .spool import Disk
from .terms import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions.running import Run

    from .terms import Terms


_KEPT: Final = 1000
"""Runs that have ended and are kept for clients that come back; each is tens of KB, and blocks of the file they share."""
_LOOKED_AT: Final = 64
"""The oldest of these, of which one is forgotten."""


class Caps(NamedTuple):
    """How much is delivered at once."""

    streams: int = 1000
    per_client: int = 100
    """Runs for one address."""
    sockets: int = 100
    """WebSockets for one address."""
    memory: int = FOR_ALL
    """Bytes that may wait for all clients together."""


class Client(NamedTuple):
    """Who asks."""

    owner: str
    """A digest of its token or address: what is begun for it is found by it alone."""
    address: str = ""


class Asked(NamedTuple):
    """A run as it is asked for."""

    names: dict[str, str]
    """At least `request_id`."""
    open_run: Callable[[], Run]
    terms: Terms
    key: str = ""
    """The same run is meant by whoever asks with the same key."""
    clean: Callable[[str], str] = str
    digest: bytes = b""
    """Of the message, if the key means no other; nothing asks for what was begun with it."""


class _Begun(NamedTuple):
    """What is known of a run beyond itself."""

    client: Client
    digest: bytes
    names: list[tuple[str, str, str]]
    """What it may be found by: kind of name, owner and name."""


class Hub:
    """The runs of a server.

    What a client names (its request, its session, its key) is bound to who the client is: somebody else who knows the name
    finds nothing, and may use the same.
    """

    def __init__(self, caps: Caps, token: str | None = None) -> None:
        self.runs: dict[str, LiveRun] = {}
        """By the names nobody chose."""
        self.sessions = Sessions(token)
        self.lifecycle = Lifecycle()
        self.is_draining = False
        self._caps = caps
        self._around = Surroundings(self.lifecycle, Memory(caps.memory), Disk(), self._ended, self._gone)
        self._begun: dict[str, _Begun] = {}
        self._found: dict[tuple[str, str, str], str] = {}
        """The latest run by each name."""
        self._busy: Counter[str] = Counter()
        self._at_work: set[str] = set()
        self._over: dict[str, None] = {}
        """Those that have ended, in that order but for those that were read when one was to be forgotten."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.lifecycle.listen(lambda _: self._changed.set(), ConnectionClosed)

    @property
    def streams(self) -> int:
        """How many runs are at work."""
        return len(self._at_work)

    @property
    def fullness(self) -> float:
        """How many that is of those there may be, from 0 to 1."""
        return len(self._at_work) / self._caps.streams

    @property
    def waiting_bytes(self) -> int:
        """The bytes that wait for all clients."""
        return self._around.memory.used

    def begin(self, asked: Asked, client: Client) -> tuple[LiveRun, bool]:
        """Begin a run, or find the one that was begun with the same key; say whether it is new.

        Raises:
            KeyUsed: it was begun with another message.
            Overloaded: no more runs are taken.
            TooMany: no more runs of this client are taken.

        """
        known = self._found.get(("key", client.owner, asked.key)) if asked.key else None
        if known is not None:
            if asked.digest and self._begun[known].digest != asked.digest:
                raise KeyUsed("another message was sent with this Idempotency-Key")
            return self.runs[known], False
        self._make_room(client)
        live = LiveRun(asked.names, asked.open_run, asked.terms, self._around, asked.clean)
        session, app = asked.names.get("session_id", ""), asked.names.get("stream_type", "")
        kinds = {"request": live.name, f"session in {app}": session, "key": asked.key}
        names = [(kind, client.owner, name) for kind, name in kinds.items() if name]
        self.runs[live.id] = live
        self._begun[live.id] = _Begun(client, asked.digest, names)
        self._found |= dict.fromkeys(names, live.id)
        self._at_work.add(live.id)
        self._busy[client.address] += 1
        live.start()
        return live, True

    def has(self, request_id: str, client: Client) -> bool:
        """Whether a client's request of this name is known."""
        return ("request", client.owner, request_id) in self._found

    def find(self, name: str, client: Client) -> LiveRun:
        """Return a run of this client, by its request id or the name nobody chose.

        Raises:
            NotFound: there is none.

        """
        live = self.runs.get(self._found.get(("request", client.owner, name), name))
        if live is None or self._begun[live.id].client.owner != client.owner:
            raise NotFound(f"there is no run '{name[:64]}'")
        return live

    def of_session(self, session_id: str, app: str, client: Client) -> LiveRun:
        """Return the latest run of an app in a client's session: a page may run several.

        Raises:
            NotFound: there is none.

        """
        found = self._found.get((f"session in {app}", client.owner, session_id))
        if found is None:
            raise NotFound("there is no run of this app in the session, or none any more")
        return self.runs[found]

    def of(self, client: Client) -> list[dict[str, Any]]:
        """Return what can be said of a client's runs."""
        return [live.status() for name, live in self.runs.items() if self._begun[name].client.owner == client.owner]

    async def drain(self, seconds: float) -> None:
        """Take no more runs, stop the sources of those there are, and give them a time to end; then cancel them."""
        self.is_draining = True
        for live in tuple(self.runs.values()):
            live.drain("shutdown")
        await self._quiet(seconds)
        for live in tuple(self.runs.values()):
            live.cancel()
        await self._quiet(1.0)
        for live in (self.runs[name] for name in self._at_work):
            live.ending.give_up()
        await self._quiet(1.0)

    async def close(self) -> None:
        """End all runs."""
        await asyncio.gather(*(self._remove(live) for live in tuple(self.runs.values())), return_exceptions=True)

    async def _quiet(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._at_work or self.lifecycle.connections:
                    self._changed.clear()
                    await self._changed.wait()

    def _ended(self, live: LiveRun) -> None:
        if live.id in self._at_work:
            self._at_work.discard(live.id)
            self._changed.set()
            address = self._begun[live.id].client.address
            self._busy[address] -= 1
            if not self._busy[address]:
                del self._busy[address]
            self._over[live.id] = None
            self._forget()

    def _forget(self) -> None:
        """Keep no more of those that have ended than there is memory for: what was read goes first, then what is old."""
        while len(self._over) > _KEPT and (live := self._most_forgettable()):
            del self._over[live.id]
            self._gone(live)

    def _most_forgettable(self) -> LiveRun | None:
        unread: LiveRun | None = None
        for name in tuple(islice(self._over, _LOOKED_AT)):
            live = self.runs[name]
            if live.is_attached:
                self._over[name] = self._over.pop(name)  # behind all others, which it would hide
            elif live.log.taken == live.log.last:
                return live
            else:
                unread = unread or live
        return unread

    def _gone(self, live: LiveRun) -> None:
        task = asyncio.get_running_loop().create_task(self._remove(live))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _remove(self, live: LiveRun) -> None:
        await live.close()
        self._ended(live)
        if self.runs.pop(live.id, None) is None:
            return
        self._over.pop(live.id, None)
        for name in self._begun.pop(live.id).names:
            if self._found.get(name) == live.id:
                del self._found[name]

    def _make_room(self, client: Client) -> None:
        if self.is_draining:
            raise Overloaded("the server is ending, and takes no more streams", retry_after=5)
        if len(self._at_work) >= self._caps.streams:
            raise Overloaded(f"{len(self._at_work)} streams are open, and more are not taken", retry_after=1)
        if self._busy[client.address] >= self._caps.per_client:
            raise TooMany(f"{self._caps.per_client} streams of yours are open, and more are not taken", retry_after=1)
