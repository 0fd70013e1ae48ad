"""A whole stream in one request: HTTPSink."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from transmissions import Protected, as_json

from .access import need
from .bus_webhook import check_accepted
from .egress import take_apart
from .fetch import Request
from .fetch_errors import BrokenOff, TimedOut
from .fetching import _FetchingWithHeaders, check_url
from .http_client import merged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from transmissions import Message, Reader, Writer

    from .fetch import Door

_NDJSON: Final = {"Content-Type": "application/x-ndjson; charset=utf-8"}


class HTTPSink(_FetchingWithHeaders):
    """Send the whole stream to a URL in one request, as lines of JSON, while it comes, and let the messages go on.

    Each line is the message, or its field `inputField`. The request begins with the first message and ends with the stream; a
    stream without any makes none. The body is chunked, and as long as the server takes nothing the pipe in front waits, at
    most `timeout`. A message goes on when the connection has taken it; whether the server has taken all, its answer says at
    the end: one that is no success, comes before the end or does not come is an error of the run, and what arrived has
    arrived. Where each message must be answered for, WebhookSink asks for that. Redirects are not followed.

    ```turtle
    :forward a :HTTPSink ; :url "https://collector.example.org/events" ;
        :secretHeaders [ :name "Authorization" ; :prefix "Bearer " ; :value [ :env "COLLECTOR_KEY" ] ] .
    ```
    """

    stateful = True

    url: Annotated[str, Protected()]
    "Where to. As it is yours, it may lead into a private network."
    method: Annotated[Literal["POST", "PUT"], Protected()] = "POST"
    "How it is sent."
    input_field: str = ""
    "Dotted path of what is sent; the whole message if empty."

    def __post_init__(self) -> None:
        """Refuse what is no URL."""
        super().__post_init__()
        check_url("url", self.url)

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, where messages would go."""
        yield f"sends messages to {take_apart(self.url).shown}"

    async def run(self, reader: Reader, writer: Writer) -> None:
        """Send messages as they come, and then read the answer."""
        first = await reader.batch()
        if not first:
            return
        request = Request(self.url, self.method, merged(_NDJSON, self._public, self._secret))
        async with _Pouring(self._door, request, self.timeout / 1000) as body:
            messages = first
            while messages:
                await body.give(b"".join(map(self._line, messages)))
                await writer.write_many(messages)
                messages = await reader.batch()
            await body.end()

    def _line(self, message: Message) -> bytes:
        return as_json(need(message, self.input_field) if self.input_field else message, strict=True) + b"\n"


class _Pouring:
    """A request while its body is sent."""

    def __init__(self, door: Door, request: Request, timeout: float) -> None:
        self._shown = take_apart(request.url).shown
        self._timeout = timeout
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._asking = asyncio.create_task(door.pour(request, self._body()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._asking.cancel()
        await asyncio.gather(self._asking, return_exceptions=True)

    async def give(self, piece: bytes) -> None:
        """Have a piece sent, and wait until it was taken.

        Raises:
            FetchError: it was not, or the server has answered already.

        """
        self._pieces.put_nowait(piece)
        taken = asyncio.create_task(self._pieces.join())
        try:
            await asyncio.wait({taken, self._asking}, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            taken.cancel()
        if self._asking.done():
            reply = self._asking.result()
            check_accepted(reply)
            raise BrokenOff(f"{self._shown} answered {reply.status} {reply.reason} before the stream had ended")
        if not taken.done():
            raise TimedOut(f"{self._shown} took nothing for {self._timeout:g} s")

    async def end(self) -> None:
        """End the body, and read what the server says of it.

        Raises:
            FetchError: it has not taken it, or says nothing.

        """
        self._pieces.put_nowait(None)
        await asyncio.wait({self._asking}, timeout=self._timeout)
        if not self._asking.done():
            raise TimedOut(f"{self._shown}: no answer within {self._timeout:g} s")
        check_accepted(self._asking.result())

    async def _body(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece
            self._pieces.task_done()
