"""All runs that are delivered: by request, by session, by key; how many there may be; and their end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import uuid
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .errors import InvalidRequest, NotFound, TooMany
from .live import LiveRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from transmissions.running import Run

    from .live import Terms

_SESSION: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}")


class Caps(NamedTuple):
    """How much is delivered at once."""

    streams: int = 1000
    per_client: int = 100
    """Runs for one address."""


class Hub:
    """The runs of a server.

    What a client names (its session, its key) is bound to who the client is: somebody else who knows the name finds nothing.
    """

    def __init__(self, caps: Caps) -> None:
        self.runs: dict[str, LiveRun] = {}
        self._caps = caps
        self._owners: dict[str, str] = {}
        self._sessions: dict[tuple[str, str], str] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._secret = secrets.token_bytes(32)
        self._tasks: set[asyncio.Task[None]] = set()

    def new_session(self, owner: str) -> str:
        """Return a name for a session that only this server can have made."""
        made = uuid.uuid4().hex
        return f"{made}.{self._signature(made, owner)}"

    def check_session(self, given: str, owner: str) -> str:
        """Return a session's name as a client gave it; one of this server must have been made for this client.

        Raises:
            InvalidRequest: it is no name.
            NotFound: it is somebody else's.

        """
        if not _SESSION.fullmatch(given):
            raise InvalidRequest("a session id is 1 to 128 letters, digits and signs of '._~-'")
        made, dot, signature = given.rpartition(".")
        if dot and re.fullmatch("[0-9a-f]{32}", made) and not hmac.compare_digest(signature, self._signature(made, owner)):
            raise NotFound("there is no such session")
        return given

    def begin(
        self, names: dict[str, str], owner: str, key: str, open_run: Callable[[], Run], terms: Terms
    ) -> tuple[LiveRun, bool]:
        """Begin a run, or find the one that was begun with the same key; say whether it is new.

        Raises:
            TooMany: no more runs are taken.

        """
        known = self._keys.get((owner, key)) if key else None
        if known in self.runs:
            return self.runs[known], False
        self._make_room(owner)
        live = LiveRun(names, open_run, terms)
        self.runs[live.id] = live
        self._owners[live.id] = owner
        if key:
            self._keys[owner, key] = live.id
        if names.get("session_id"):
            self._sessions[owner, names["session_id"]] = live.id
        live.start()
        return live, True

    def find(self, request_id: str, owner: str) -> LiveRun:
        """Return a run of this client.

        Raises:
            NotFound: there is none.

        """
        live = self.runs.get(request_id)
        if live is None or self._owners[request_id] != owner:
            raise NotFound(f"there is no run '{request_id[:64]}'")
        return live

    def of_session(self, session_id: str, owner: str) -> LiveRun:
        """Return the latest run of a client's session.

        Raises:
            NotFound: there is none.

        """
        request_id = self._sessions.get((owner, session_id), "")
        if request_id not in self.runs:
            raise NotFound("there is no such session")
        return self.runs[request_id]

    def of(self, owner: str) -> list[dict[str, Any]]:
        """Return what can be said of a client's runs."""
        return [live.status() for name, live in self.runs.items() if self._owners[name] == owner]

    def forget_later(self, live: LiveRun) -> None:
        """Forget a run that has ended, when its client had time to come back."""
        task = asyncio.get_running_loop().create_task(self._forget(live))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all runs."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*(live.close() for live in self.runs.values()))
        self.runs.clear()

    async def _forget(self, live: LiveRun) -> None:
        await asyncio.sleep(live.terms.grace)
        await self.remove(live)

    async def remove(self, live: LiveRun) -> None:
        """End a run and forget it."""
        await live.close()
        self.runs.pop(live.id, None)
        self._owners.pop(live.id, None)
        for table in (self._sessions, self._keys):
            for name in [name for name, request_id in table.items() if request_id == live.id]:
                del table[name]

    def _make_room(self, owner: str) -> None:
        busy = [name for name, live in self.runs.items() if not live.is_over]
        if len(busy) >= self._caps.streams:
            raise TooMany(f"{len(busy)} streams are open, and more are not taken", retry_after=1)
        if sum(self._owners[name] == owner for name in busy) >= self._caps.per_client:
            raise TooMany(f"{self._caps.per_client} streams of yours are open, and more are not taken", retry_after=1)

    def _signature(self, made: str, owner: str) -> str:
        return hmac.new(self._secret, f"{made} {owner}".encode(), hashlib.sha256).hexdigest()[:32]
