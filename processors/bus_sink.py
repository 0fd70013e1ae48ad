"""What sinks for messages have in common: each goes out once, as JSON, and passes on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from transmissions import Processor, RunError, UsageError, as_json

from .access import need

if TYPE_CHECKING:
    from collections.abc import Collection

    from transmissions import Message


class _Sink(Processor, ABC):
    """Sends what waits in parts, each in one go; subclasses have `send` and say how large a part is."""

    input_field: str = ""
    "Dotted path of what is sent; the whole message if empty."
    _most: int = 256

    def __post_init__(self) -> None:
        """Know of nothing sent."""
        self._sent: dict[int, Message] = {}
        self._failed: dict[int, RunError] = {}

    @abstractmethod
    async def send(self, parts: list[bytes]) -> None:
        """Send messages as JSON.

        Raises:
            RunError: not all went out.

        """

    async def process_batch(self, messages: list[Message]) -> list[Message]:
        """Send all, and let them go on."""
        for begin in range(0, len(messages), self._most):
            part = messages[begin : begin + self._most]
            try:
                await self.send([self._encoded(message) for message in part])
            except RunError as error:
                # The engine hands in each message by itself now: what went out already must not go out twice, and what
                # failed alone has failed.
                self._sent = {id(message): message for message in messages[:begin]}
                self._failed = {id(part[0]): error} if len(part) == 1 else {}
                raise
        return messages

    async def process(self, message: Message) -> Message:
        """Send one that waits alone, or that was in a batch that failed."""
        if self._sent.pop(id(message), None) is None:
            fault = self._failed.pop(id(message), None)
            if fault:
                raise fault
            await self.send([self._encoded(message)])
        return message

    def _encoded(self, message: Message) -> bytes:
        value = need(message, self.input_field) if self.input_field else message
        return as_json(value, strict=True)


def shown(url: str, schemes: Collection[str]) -> str:
    """Return a server's URL without what may be secret in it.

    Raises:
        UsageError: it is none of those that are understood.

    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise UsageError(f":url is no URL: {error}") from None
    if parts.scheme not in schemes or not (parts.hostname or parts.path):
        raise UsageError(f":url must begin with one of {', '.join(f'{scheme}://' for scheme in schemes)} and name a server")
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    return f"{parts.scheme}://{host}{port}{parts.path}"
