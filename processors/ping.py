"""A message every so often: Ping."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from transmissions import Range, Source, Unit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from transmissions import Message


class Ping(Source):
    """Send a message at regular intervals, a number of times or until the run is drained.

    Each is a copy of the incoming one with `ping`: its `count` (from 1), `timestamp` (ISO 8601, UTC), `payload` and `status`;
    `pingStatus`, which is `running` and in the last one `complete`; and `pingComplete`, true in the last one. A message whose
    field `kill` is `killSignal` is not answered. What is late is sent at once, and the next one is in time again.

    ```turtle
    :beat a :Ping ; :interval 1000 ; :count 60 ; :payload "still here" .
    ```
    """

    interval: Annotated[float, Range(ge=0), Unit("ms")] = 5000
    "How long after one message the next is sent; the first comes after an interval, too."
    count: Annotated[int, Range(ge=0)] = 0
    "How many are sent; 0 is for ever."
    payload: Any = "ping"
    "What each carries."
    kill_signal: str = "STOP"
    "What stands in the field `kill` of a message that starts nothing."

    async def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield the messages."""
        if message.get("kill") == self.kill_signal:
            return
        clock = asyncio.get_running_loop().time
        began, number = clock(), 0
        while not self.count or number < self.count:
            number += 1
            await asyncio.sleep(began + number * self.interval / 1000 - clock())
            yield self._ping(message, number)

    def _ping(self, message: Message, number: int) -> Message:
        is_last = number == self.count
        status = "complete" if is_last else "running"
        now = datetime.now(UTC).isoformat()
        ping = {"count": number, "timestamp": now, "payload": self.payload, "status": status}
        return {**message, "ping": ping, "pingStatus": status, "pingComplete": is_last}
