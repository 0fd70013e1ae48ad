"""Processors to try things out with: NumberSource, RandomNumber and Delay."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Annotated, Final

from transmissions import Dynamic, Processor, Range, RunError, Source, Unit, set_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

_LONGEST: Final = 86_400_000
"""Milliseconds that a message may ask for: a day."""


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


class RandomNumber(Processor):
    """Put a random number from 0 to 1 into every message: a stand-in for something that is measured.

    ```turtle
    :measure a :RandomNumber ; :targetField "temperature" .
    ```
    """

    target_field: str = "value"
    "Dotted path it is written to."

    def process(self, message: Message) -> Message:
        """Write a number."""
        set_field(message, self.target_field, random.random())  # noqa: S311 - nothing is kept secret with it
        return message


class Delay(Processor):
    """Hold every message for a while, one after the other: a stand-in for slow work.

    A message that has a field `delay` says itself for how long.

    ```turtle
    :slow a :Delay ; :delay 10 .
    ```
    """

    delay: Annotated[float, Dynamic(), Range(ge=0), Unit("ms")] = 10
    "How long each message takes."

    async def process(self, message: Message) -> Message:
        """Wait."""
        delay = self.dynamic(message, "delay")
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= _LONGEST:
            raise RunError(f"the field 'delay' is no number of milliseconds from 0 to {_LONGEST} but {delay!r:.50}")
        await asyncio.sleep(delay / 1000)
        return message
