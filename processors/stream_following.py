"""What sources of somebody else's streams have in common: they come back when a connection is lost, more and more slowly."""

from __future__ import annotations

import asyncio
import json
import random
import re
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

from transmissions import Processor, Range, RunError, Unit

from .egress import take_apart
from .fetch import Door, FetchError, Request
from .fetch_errors import Refused
from .fetching import _FetchingByURL, refused
from .http_client import merged
from .media_types import media_type

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    from transmissions import Message

    from .fetch import Answer

NOTHING_MORE: Final = 204
"""The status that says so."""
_WORTH_ANOTHER: Final = {408, 425, 429, 500, 502, 503, 504}
"""Statuses that may be different the next time."""
_FAILED: Final = 300
"""From here on there is no stream: a redirect that was not followed leads nowhere."""
_EVER: Final = 1 << 62
"""A stream has no end: its records are bounded, each by itself."""
_LINE: Final = re.compile(rb"\r\n|\n|\r")
_sleep = asyncio.sleep


class TurnedAway(Refused):
    """A server said no, and would say so again."""


def turned_away(sentence: str, status: int, headers: Mapping[str, str]) -> FetchError:
    """Return the error for a reply of failure: it is TurnedAway where the next one would be the same."""
    error = refused(sentence, headers)
    return error if status in _WORTH_ANOTHER else TurnedAway(str(error))


def value_in(text: str) -> Any:
    """Return the value that a text of JSON is, and any other as it is: the numbers that are none are no JSON."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(word: str) -> None:
    raise ValueError(word)


class Place:
    """How far a stream was followed: what came `last`, how it was `lost`, and how often it was `tried` since."""

    def __init__(self) -> None:
        self.last: Any = None
        self.lost: FetchError | None = None
        self.tried = 0
        self.wait: int | None = None
        """The first wait in milliseconds, where the server has said one."""


class Lines:
    """Takes the lines out of bytes that come in pieces, each as soon as it is whole; a line is at most `most` bytes."""

    def __init__(self, shown: str, most: int) -> None:
        self.shown = shown
        self._most = most
        self._begun: list[bytes] = []
        self._size = 0
        self._is_returned = False

    @property
    def rest(self) -> bytes:
        """What is left behind the last end."""
        return b"".join(self._begun)

    def take(self, piece: bytes) -> list[bytes]:
        """Return the lines a piece completes, without their ends.

        Raises:
            RunError: one is too large.

        """
        data = piece.removeprefix(b"\n") if self._is_returned else piece
        self._is_returned = piece.endswith(b"\r")
        first, *more = _LINE.split(data)
        self._begun.append(first)
        self._size += len(first)
        if max(self._size, *map(len, more), 0) > self._most:
            raise RunError(f"a line of {self.shown} is larger than {self._most} bytes")
        if not more:
            return []
        lines = [self.rest, *more[:-1]]
        self._begun, self._size = [more[-1]], len(more[-1])
        return lines


class _Returning(Processor):
    """Comes back to a server."""

    attempts: Annotated[int, Range(ge=0)] = 5
    "How often a connection that is lost or refused is tried again before it is an error; what arrives sets the count to 0."
    delay: Annotated[int, Range(ge=0), Unit("ms")] = 1000
    "How long to wait before the first of them; each wait is twice as long as the one before, a part of it left to chance."
    max_delay: Annotated[int, Range(ge=0), Unit("ms")] = 30_000
    "The longest wait."

    async def follow(self, once: Callable[[Place], AsyncGenerator[Message]], *, returns: bool) -> AsyncGenerator[Message]:
        """Yield what one connection after the other gives, until one comes to its end; one that is lost raises FetchError.

        Raises:
            FetchError: it was lost for good.

        """
        place = Place()
        while True:
            async with aclosing(_until_lost(once, place)) as messages:
                async for message in messages:
                    place.tried = 0
                    yield message
            if place.lost is None:
                return
            if not returns:
                raise place.lost
            await self._wait(place, place.lost)

    async def _wait(self, place: Place, error: FetchError) -> None:
        place.tried += 1
        if isinstance(error, Refused) or place.tried > self.attempts:
            raise error
        first = self.delay if place.wait is None else place.wait
        wait = min(first * 2 ** min(place.tried - 1, 20), self.max_delay) / 1000
        asked = min(error.retry_after or (place.wait or 0) / 1000, self.max_delay / 1000)
        await _sleep(max(asked, wait * random.uniform(0.5, 1)))  # noqa: S311 - so that not all come at once


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
    async def _connected(
        self, url: str, trusted: bool, accept: str, kinds: re.Pattern[str], headers: dict[str, str]
    ) -> AsyncIterator[tuple[Answer, Lines]]:
        request = Request(url, headers=merged({"Accept": accept}, self._public, self._secret, headers))
        async with self._door.stream(request, trusted=trusted) as answer:
            if answer.status >= _FAILED:
                sentence = f"{take_apart(url).shown} answered {answer.status} {answer.reason}"
                raise turned_away(sentence, answer.status, answer.headers)
            kind = media_type(answer.headers.get("content-type", ""))
            if answer.status != NOTHING_MORE and not kinds.fullmatch(kind):
                raise TurnedAway(f"{take_apart(url).shown} is no stream of {accept} but of {kind or 'no type'}")
            yield answer, Lines(take_apart(answer.url).shown, self.max_record)
