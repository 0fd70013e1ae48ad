"""Runs over a WebSocket: several on one socket, each begun, paused, resumed, cancelled and asked after by its request id.

A client's message is a JSON object with `action`: `run`, `pause`, `resume`, `cancel`, `status` or `ping`. Three shapes are
read, and answered in: `{action, request_id, data}`, `{action, requestId, …}` with everything at the top, and
`{request_type, data}`. What the server sends is `{message_type, timestamp, data}`, with `request_id` in `data`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from starlette.websockets import WebSocketDisconnect, WebSocketState

from .connection import Connection, Pace
from .envelope import as_message, encode, now
from .errors import BackpressureExceeded, DeliveryError, InvalidRequest, NotFound
from .http import ABORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.websockets import WebSocket

    from .live import LiveRun

    Begin = Callable[[dict[str, Any], str, str], tuple[LiveRun, int | None]]

_NOT_DATA: Final = {"action", "request_type", "requestId", "sessionId", "timestamp"}
ACTIONS: Final = ("run", "pause", "resume", "cancel", "status", "ping")


class Socket:
    """One WebSocket and the runs on it."""

    def __init__(self, websocket: WebSocket, begin: Begin, pace: Pace, names: dict[str, str], actions: frozenset[str]) -> None:
        self._websocket = websocket
        self._begin = begin
        self._pace = pace
        self._names = names
        self._actions = actions
        self._line = asyncio.Lock()
        self._live: dict[str, LiveRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Talk until one side closes."""
        await self._websocket.accept()
        operations = [*ACTIONS, *sorted(self._actions)]
        await self._say(
            "welcome", {**self._names, "server_time": now(), "protocol_version": "1.0", "supported_operations": operations}
        )
        try:
            while True:
                await self._hear(await self._websocket.receive())
        except WebSocketDisconnect:
            pass
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hear(self, message: Any) -> None:
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        if message.get("text") is None:
            return  # a binary frame says nothing here
        asked: dict[str, Any] = {}
        try:
            asked = _parse(message["text"])
            await self._do(asked)
        except DeliveryError as error:
            told = error.told()
            kind = "unknown_request" if told["error_code"] == "REQUEST_UNKNOWN" else "validation_error"
            await self._say("error", {**_echo(asked), "message": str(error), "error": told, "error_type": kind})

    async def _do(self, asked: dict[str, Any]) -> None:
        action = asked["action"]
        if action == "ping":
            await self._say("pong", _echo(asked))
        elif action in {"run", *self._actions}:
            self._run(asked)
        elif action == "status" and not asked["request_id"]:
            await self._say("status", {**self._names, "runs": [live.status() for live in self._live.values()]})
        elif action in ACTIONS:
            await self._control(action, asked)
        else:
            raise _Unknown(f"there is no action '{action[:64]}'; there are {', '.join(ACTIONS)}")

    def _run(self, asked: dict[str, Any]) -> None:
        request_id = asked["request_id"] or uuid.uuid4().hex
        if request_id in self._live and not self._live[request_id].is_over:
            raise InvalidRequest(f"a run '{request_id[:64]}' is at work on this socket")
        live, since = self._begin(asked["data"], request_id, str(asked.get("since") or ""))
        self._live[request_id] = live
        task = asyncio.create_task(self._deliver(live, since, _echo(asked) | {"request_id": request_id}))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _control(self, action: str, asked: dict[str, Any]) -> None:
        live = self._live.get(asked["request_id"])
        if live is None:
            raise NotFound(f"there is no run '{asked['request_id'][:64]}' on this socket")
        if action != "status":
            getattr(live, action)()
        await self._say(action if action == "status" else f"{action}_ack", {**_echo(asked), **live.status()})

    async def _deliver(self, live: LiveRun, since: int | None, echo: dict[str, Any]) -> None:
        connection = Connection(live, "websocket", as_message, self._pace)
        head = encode(echo)[1:-1]

        async def send(data: bytes) -> None:
            for one in data.splitlines():
                # What was asked under a name is answered under it: in front of the event's own fields.
                await self._send(one.replace(b'"data": {', b'"data": {' + head + b", ", 1) if head else one)

        try:
            await connection.deliver(send, since)
        except BackpressureExceeded:
            abort = self._websocket.scope.get("extensions", {}).get(ABORT)
            if abort:
                abort()

    async def _say(self, kind: str, data: dict[str, Any]) -> None:
        await self._send(encode({"message_type": kind, "timestamp": now(), "data": data}))

    async def _send(self, text: bytes) -> None:
        async with self._line:
            if self._websocket.application_state is WebSocketState.CONNECTED:
                with contextlib.suppress(WebSocketDisconnect):
                    await self._websocket.send({"type": "websocket.send", "text": text.decode()})


class _Unknown(InvalidRequest):
    """An action there is not."""

    code = "REQUEST_UNKNOWN"


def _parse(text: str) -> dict[str, Any]:
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"this is not JSON: {error}") from error
    if not isinstance(asked, dict):
        raise InvalidRequest("a message is a JSON object")
    action = asked.get("action") or asked.get("request_type")
    if not isinstance(action, str):
        raise InvalidRequest(f"a message needs an action: {', '.join(ACTIONS)}")
    data = asked.get("data")
    flat = {
        key: value
        for key, value in asked.items()
        if key not in {"action", "request_type", "requestId", "sessionId", "timestamp"}
    }
    return {
        **asked,
        "action": action,
        "request_id": str(asked.get("request_id") or asked.get("requestId") or (data or {}).get("request_id") or ""),
        "data": data if isinstance(data, dict) else flat,
        "is_flat": "requestId" in asked,
    }


def _echo(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the names of a request, as its sender spelt them."""
    echo = {"request_id": asked["request_id"]} if asked.get("request_id") else {}
    if asked.get("is_flat"):
        echo["requestId"] = asked["request_id"]
        echo["sessionId"] = asked.get("sessionId", "")
    return echo
