"""What sources of somebody else's streams have in common: they come back when a connection is lost, more and more slowly."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

from transmissions import Processor, Range, RunError, Unit

from .egress import take_apart
from .fetch import Door, FetchError, Request
from .fetching import _FetchingByURL, refused
from .http_client import merged
from .media_types import media_type

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from transmissions import Message

    from .fetch import Answer

NOTHING_MORE: Final = 204
"""The status that says so."""
_FAILED: Final = 400
_WORTH_ANOTHER: Final = {408, 425, 429, 500, 502, 503, 504}
_EVER: Final = 1 << 62
"""A stream has no end: its records are bounded, each by itself."""
_LINE: Final = re.compile(rb"\r\n|\n|\r(?!\Z)")


class Refused(FetchError):
    """A server said no, and would say so again."""


class Place:
    """How far a stream was followed: what came `last`, and how it was `lost`, if it was."""

    def __init__(self) -> None:
        self.last: Any = None
        self.lost: FetchError | None = None


class _Returning(Processor):
    """Comes back to a server."""

    attempts: Annotated[int, Range(ge=0)] = 5
    "How often a connection that is lost or refused is tried again before it is an error; what arrives sets the count to 0."
    delay: Annotated[int, Range(ge=0), Unit("ms")] = 1000
    "How long to wait before the first of them; each wait is twice as long as the one before, a part of it left to chance."
    max_delay: Annotated[int, Range(ge=0), Unit("ms")] = 30_000
    "The longest wait."
    _tried: int = 0
    _asked: int | None = None
    """The first wait in milliseconds, where the server has said one."""

    async def follow(self, once: Callable[[Place], AsyncGenerator[Message]], *, returns: bool) -> AsyncGenerator[Message]:
        """Yield what one connection after the other gives, until one comes to its end; one that is lost raises FetchError.

        Raises:
            FetchError: it was lost for good.

        """
        place = Place()
        while True:
            async with aclosing(_until_lost(once, place)) as messages:
                async for message in messages:
                    self._tried = 0
                    yield message
            if place.lost is None:
                return
            if not returns:
                raise place.lost
            await self._wait_after(place.lost)

    async def _wait_after(self, error: FetchError) -> None:
        self._tried += 1
        if isinstance(error, Refused) or self._tried > self.attempts:
            raise error
        first = self.delay if self._asked is None else self._asked
        wait = min(first * 2 ** min(self._tried - 1, 20), self.max_delay) / 1000
        asked = min(error.retry_after or 0.0, self.max_delay / 1000)
        await asyncio.sleep(max(asked, wait * random.uniform(0.5, 1)))  # noqa: S311 - so that not all come at once

    def asked_to_wait(self, milliseconds: int) -> None:
        """Know how long the server wants to be left alone."""
        self._asked = milliseconds


async def _until_lost(once: Callable[[Place], AsyncGenerator[Message]], place: Place) -> AsyncGenerator[Message]:
    place.lost = None
    try:
        async with aclosing(once(place)) as messages:
            async for message in messages:
                yield message
    except FetchError as error:
        place.lost = error


class _Following(_FetchingByURL, _Returning):
    """Follows a stream over HTTP; `timeout` is how long it may be silent."""

    max_record: Annotated[int, Range(ge=1), Unit("bytes")] = 16 * 2**20
    "How large one record may be."

    def _open(self) -> Door:
        return Door(timeout=self.timeout / 1000, max_bytes=_EVER, redirects=self.max_redirects, allow=self.allow)

    @asynccontextmanager
    async def _connected(self, url: str, trusted: bool, accept: str, headers: dict[str, str]) -> AsyncIterator[Answer]:
        request = Request(url, headers=merged({"Accept": accept}, self._public, self._secret, headers))
        async with self._door.stream(request, trusted=trusted) as answer:
            if answer.status >= _FAILED:
                error = refused(f"{take_apart(url).shown} answered {answer.status} {answer.reason}", answer.headers)
                raise error if answer.status in _WORTH_ANOTHER else Refused(str(error))
            kind = media_type(answer.headers.get("content-type", ""))
            if answer.status != NOTHING_MORE and kind not in {accept, "application/json", "application/jsonl"}:
                raise Refused(f"{take_apart(url).shown} is no stream of {accept} but of {kind or 'no type'}")
            yield answer

    async def _lines(self, answer: Answer) -> AsyncGenerator[bytes]:
        """Yield the lines of a body, without their ends, and what is left behind the last end."""
        rest = b""
        async for piece in answer.pieces:
            *lines, rest = _LINE.split(rest + piece)
            for line in lines:
                yield line
            if len(rest) > self.max_record:
                raise RunError(f"a line of {take_apart(answer.url).shown} is larger than {self.max_record} bytes")
        if rest:
            yield rest.removesuffix(b"\r")
