"""Processors that change how a stream is cut and how fast it runs: Batch, Unbatch, RateLimiter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from transmissions import Bucket, Processor, Range, RunError, Unit, set_field

from .access import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message


class RateLimiter(Processor):
    """Let no more than a number of messages pass in a second; the others wait, in order.

    A token bucket: after a pause up to `burst` messages pass at once, then they are spaced evenly.

    ```turtle
    :gently a :RateLimiter ; :rate 10 ; :burst 5 .
    ```
    """

    stateful = True

    rate: Annotated[float, Range(gt=0), Unit("messages/s")]
    "How many messages pass in a second."
    burst: Annotated[int, Range(ge=1)] = 1
    "How many may pass at once after a pause."

    def __post_init__(self) -> None:
        """Begin with a full bucket."""
        self._bucket = Bucket(self.rate, self.burst)
        self._sleep = asyncio.sleep

    async def process(self, message: Message) -> Message:
        """Wait until the message is due."""
        wait = self._bucket.take()
        if wait > 0:
            await self._sleep(wait)
        return message


class Batch(Processor):
    """Gather messages into one that carries them as a list.

    Writes the list to `targetField`. A batch never crosses the end of a group; what is left at an end is sent as it is.

    ```turtle
    :hundred a :Batch ; :size 100 .
    ```
    """

    stateful = True

    size: Annotated[int, Range(ge=1)] = 100
    "How many messages make a batch."
    target_field: str = "items"
    "Dotted path of the list."

    def __post_init__(self) -> None:
        """Begin empty."""
        self._items: list[Message] = []

    def process(self, message: Message) -> Message | None:
        """Keep the message; send the batch when it is full."""
        self._items.append(message)
        return self._take() if len(self._items) >= self.size else None

    def end_group(self, message: Message) -> Iterator[Message]:
        """Send what the group left."""
        return self.finish()

    def finish(self) -> Iterator[Message]:
        """Send what is left."""
        if self._items:
            yield self._take()

    def _take(self) -> Message:
        items, self._items = self._items, []
        batch: Message = {}
        set_field(batch, self.target_field, items)
        return batch


class Unbatch(Processor):
    """Send the messages of a batch one by one: the reverse of Batch.

    Reads the list at `sourceField`; everything else in the message is dropped.

    ```turtle
    :single a :Unbatch .
    ```
    """

    source_field: str = "items"
    "Dotted path of the list."

    def process(self, message: Message) -> list[Message]:
        """Take the batch apart."""
        items = need(message, self.source_field)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise RunError(f"the field '{self.source_field}' is not a list of messages")
        return items
