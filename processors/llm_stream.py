"""Replies of language models piece by piece: ChatStream."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from time import monotonic
from typing import TYPE_CHECKING, Any

from transmissions import Source

from .llm_asking import _Asking
from .llm_model import ModelError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable

    from transmissions import Message

    from .llm_model import Model

_Piece = str | dict[str, Any]


class ChatStream(_Asking, Source):
    """Ask a language model, and send its reply piece by piece, as it is written.

    The question is found as Chat finds it. For each piece of text there is a message `{type: "text", text}`, and one
    `{type: "done"}` at the end, with the provider's whole `message` where its protocol has one (Anthropic's has). A reply that
    breaks off is an error, even if text came, and so is a refusal, but one in such a message is its `stop_reason`. One that was
    cut off at `maxTokens` tells so there with either protocol: `{type: "done", message: {stop_reason: "length"}}` is all that
    OpenAI's has of it. A run that ends before the reply does, because whoever listened went away, ends the request. The server
    is asked for nothing, and no key is needed, before the first message is here.

    ```turtle
    :ask a :ChatStream ; :provider "anthropic" ; :model "claude-sonnet-5-5" ; :messagesField "messages" ; :maxTokens 4096 .
    ```
    """

    _model: Model | None = None

    async def __aexit__(self, *exc: object) -> None:
        if self._model is not None:
            await self._model.close()

    async def produce(self, message: Message) -> AsyncIterator[Message]:
        """Yield the pieces of one reply."""
        question = self.question(message)
        if self._model is None:
            self._model = await self.open_model()
        size, done = 0, {}
        async with aclosing(self._in_time(self._model.stream(question))) as pieces:
            async for piece in pieces:
                if isinstance(piece, dict):
                    done = {"message": piece}
                    continue
                size += len(piece.encode("utf-8", "replace"))
                if size > self.max_bytes:
                    raise ModelError(f"{self.where}: the reply is larger than {self.max_bytes} bytes")
                yield {"type": "text", "text": piece}
        yield {"type": "done", **done}

    async def _in_time(self, reply: AsyncGenerator[_Piece]) -> AsyncGenerator[_Piece]:
        """Yield the pieces of a reply while the model takes no longer than it may; how long others take does not count."""
        left, began = self.timeout / 1000, monotonic()
        async with aclosing(reply):
            while (piece := await self._within(left, anext(reply, None))) is not None:
                left -= monotonic() - began
                yield piece
                began = monotonic()

    async def _within(self, seconds: float, next_one: Awaitable[_Piece | None]) -> _Piece | None:
        try:
            # Were it open while a piece is away, it would end what is done then.
            async with asyncio.timeout(max(0.0, seconds)):
                return await next_one
        except TimeoutError as error:
            raise ModelError(f"{self.where}: the reply was not whole within {self.timeout / 1000:g} s") from error
