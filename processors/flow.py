"""Processors that steer the stream: loops, collections, calls and ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal

from transmissions import (
    MISSING,
    Dynamic,
    Processor,
    Range,
    RunError,
    Source,
    TransmissionName,
    Unit,
    as_text,
    get_field,
    remove_field,
    set_field,
)

from .access import need, without

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from transmissions import Message


class ForEach(Source):
    """Send one message for each item of a list.

    Reads the list at the dotted path `forEach`. Every item's message is a copy of the incoming one without that list, with
    `currentItem` and `eachCounter` (from 0). The items form a group: at its end Accumulate and Unfork see the incoming message.

    ```turtle
    :each a :ForEach ; :forEach "order.lines" ; :limit 100 .
    ```
    """

    for_each: str = "forEach"
    "Dotted path of the list."
    remove: str = ""
    "`true` takes the list out of the incoming message too; any other text is one more field the items go without."
    limit: Annotated[int, Range(ge=0)] = 0
    "How many items are taken at most; 0 takes all."
    delay: Annotated[float, Range(ge=0), Unit("ms")] = 0
    "How long to wait before each item, so that what is behind is not overrun; see RateLimiter for a measured pace."

    def produce(self, message: Message) -> Iterator[Message] | AsyncIterator[Message]:
        """Yield a message for each item."""
        return self._slowly(message) if self.delay else self._items(message)

    async def _slowly(self, message: Message) -> AsyncIterator[Message]:
        for item in self._items(message):
            await asyncio.sleep(self.delay / 1000)
            yield item

    def _items(self, message: Message) -> Iterator[Message]:
        items = need(message, self.for_each)
        if not isinstance(items, list | tuple):
            raise RunError(f"the field '{self.for_each}' is not a list but a {type(items).__name__}")
        # Carrying the list along in every item would cost the square of its length.
        rest = without(message, self.for_each)
        if self.remove not in {"", "true", "false"}:
            rest = without(rest, self.remove)
        for counter, item in enumerate(items[: self.limit or None]):
            yield {**rest, "currentItem": item, "eachCounter": counter}
        if self.remove not in {"", "false"}:
            remove_field(message, self.for_each)


class Fork(Source):
    """Send a message several times, as a group.

    Each copy carries `forkN`, counting from 0. The copies go down the same pipe one after the other; for different ways use
    a `:FanOut` in the pipe.

    ```turtle
    :thrice a :Fork ; :forks 3 .
    ```
    """

    forks: Annotated[int, Range(ge=0)] = 2
    "How many copies are sent."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield the copies."""
        for number in range(self.forks):
            yield {**message, "forkN": number}


class Unfork(Processor):
    """Put one message in the place of a group: the one the group was made from.

    Whatever ForEach, Fork or another source made of a message is dropped here, after the steps in between have worked on it.
    What they collected (see Accumulate) is in the message that goes on.

    ```turtle
    :loop a :Transmission ; :pipe ( :each :collect :UF ) .
    :each a :ForEach .
    :collect a :Accumulate .
    :UF a :Unfork .
    ```
    """

    collapses = True
    stateful = True

    def process(self, message: Message) -> None:
        """Drop an item of the group."""

    def end_group(self, message: Message) -> list[Message]:
        """Let the group's own message go on."""
        return [message]


class Accumulate(Processor):
    """Collect a field of all messages of a group, and attach the collection to the group's own message.

    Reads `sourceField` of every message and lets it go on unchanged; messages without the field are passed over. At the end
    of the group the collection is written to `targetField` of the message the group was made from, where Unfork or the
    end of an outer loop finds it. Outside any group, one message with the collection follows the last message.

    ```turtle
    :titles a :Accumulate ; :sourceField "currentItem.title" ; :targetField "titles" ; :accumulatorType "array" .
    ```
    """

    stateful = True

    label: str = ""
    "The name under which the whiteboard of the run shows the latest collection, too; no two nodes share one."
    accumulator_type: Literal["string", "array", "object"] = "string"
    "`string` joins texts without a separator, `array` makes a list, and so does `object`."
    source_field: str = "currentItem"
    "Dotted path of what is collected."
    target_field: str = "accumulate"
    "Dotted path the collection is written to."

    def __post_init__(self) -> None:
        """Begin empty."""
        self._items: list[Any] = []

    def process(self, message: Message) -> Message:
        """Collect from one message."""
        value = get_field(message, self.source_field, MISSING)
        if value is not MISSING:
            self._items.append(value)
        return message

    def end_group(self, message: Message) -> None:
        """Write the collection into the group's message."""
        set_field(message, self.target_field, self._take())

    def finish(self) -> Iterator[Message]:
        """Yield what no group took."""
        if self._items:
            rest: Message = {}
            set_field(rest, self.target_field, self._take())
            yield rest

    def _take(self) -> str | list[Any]:
        items, self._items = self._items, []
        collection = "".join(map(as_text, items)) if self.accumulator_type == "string" else items
        if self.label:
            self.context.whiteboard[self.label] = collection
        return collection


class GOTO(Processor):
    """Run another transmission of the app on the message, and go on with all it gives.

    A field `gotoTarget` of the message wins over the setting, so that the data can choose the way. The transmission must be
    declared in the same app.

    ```turtle
    :call a :GOTO ; :gotoTarget "clean-up" .
    ```
    """

    goto_target: Annotated[str, Dynamic(), TransmissionName()] = ""
    "Name of the transmission."

    async def process(self, message: Message) -> list[Message]:
        """Call the transmission."""
        target = self.dynamic(message, "goto_target")
        if not target:
            raise RunError("no transmission to go to: set :gotoTarget, or the field 'gotoTarget' in the message")
        return await self.context.call(str(target), message)


class NOP(Processor):
    """Let every message through unchanged.

    ```turtle
    :N a :NOP .
    ```
    """

    test: str = ""
    "A text for the log, to see that messages come by."

    def process(self, message: Message) -> Message:
        """Pass the message on."""
        if self.test:
            self.context.log.info("%s", self.test)
        return message


class DeadEnd(Processor):
    """Drop every message on purpose.

    ```turtle
    :DE a :DeadEnd .
    ```
    """

    def process(self, message: Message) -> None:
        """Drop the message."""


class Halt(Processor):
    """End the run at the first message that comes here, cleanly: sources stop, and what is already on its way arrives.

    ```turtle
    :H a :Halt .
    ```
    """

    def process(self, message: Message) -> None:
        """Ask the engine to drain the run."""
        self.context.halt(f"halted by {self.context.node}")
