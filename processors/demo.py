"""Processors to try things out with: NumberSource and Delay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from transmissions import Processor, Range, Source, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message


class NumberSource(Source):
    """Send a number of made-up messages, as fast as they are taken.

    Each is a copy of the incoming message with `number` (from 0) and a text of `payloadSize` characters in `content`.

    ```turtle
    :numbers a :NumberSource ; :count 1000 ; :payloadSize 1024 .
    ```
    """

    count: Annotated[int, Range(ge=0)] = 10
    "How many messages are sent."
    payload_size: Annotated[int, Range(ge=0), Unit("bytes")] = 0
    "How much text each carries."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield the messages."""
        text = "x" * self.payload_size
        for number in range(self.count):
            yield {**message, "number": number, "content": text}


class Delay(Processor):
    """Hold every message for a while, one after the other: a stand-in for slow work.

    ```turtle
    :slow a :Delay ; :delay 10 .
    ```
    """

    delay: Annotated[float, Range(ge=0), Unit("ms")] = 10
    "How long each message takes."

    async def process(self, message: Message) -> Message:
        """Wait."""
        await asyncio.sleep(self.delay / 1000)
        return message
