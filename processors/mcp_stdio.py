"""Servers of the Model Context Protocol that are programs of this machine, as a transport for its library."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from mcp import types
from mcp.shared.message import SessionMessage

from .records import replace_surrogates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.streams.memory import MemoryObjectReceiveStream as Receiver
    from anyio.streams.memory import MemoryObjectSendStream as Sender

    from transmissions.streaming import Dialogue


@asynccontextmanager
async def connected(
    dialogue: Dialogue, odd: Callable[[bytes], None]
) -> AsyncIterator[tuple[Receiver[SessionMessage | Exception], Sender[SessionMessage]]]:
    """Return the streams of messages from and to a program, which is ended when the block is left.

    `odd` gets its lines that are no messages.
    """
    received, reading = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    writing, sent = anyio.create_memory_object_stream[SessionMessage](0)
    async with received, reading, writing, sent, dialogue, anyio.create_task_group() as group:
        group.start_soon(_receive, dialogue, received, odd)
        group.start_soon(_send, dialogue, sent)
        try:
            yield reading, writing
        finally:
            group.cancel_scope.cancel()


async def _receive(dialogue: Dialogue, received: Sender[SessionMessage | Exception], odd: Callable[[bytes], None]) -> None:
    async with received:  # Its end tells the session that the server has gone.
        async for line in dialogue.lines():
            try:
                message = _read(line)
            except (ValueError, RecursionError) as error:
                odd(line)
                await received.send(ValueError(str(error)))
            else:
                await received.send(SessionMessage(message))


def _read(line: bytes) -> types.JSONRPCMessage:
    """Return the message that a line is; half an emoji, which JSON can write and no text hold, does not make it none."""
    try:
        return types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        mended, halves = replace_surrogates(json.dumps(json.loads(line), ensure_ascii=False))
        if not halves:
            raise
        return types.jsonrpc_message_adapter.validate_json(mended, by_name=False)


async def _send(dialogue: Dialogue, sent: Receiver[SessionMessage]) -> None:
    async for one in sent:
        text = one.message.model_dump_json(by_alias=True, exclude_unset=True)
        await dialogue.send(text.encode() + b"\n")
