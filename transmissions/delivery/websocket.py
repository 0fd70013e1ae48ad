"""Runs over a WebSocket: several on one socket, each begun, paused, resumed, cancelled and asked after by its request id.

A client's message is a JSON object with `action`: `run`, `pause`, `resume`, `cancel`, `status` or `ping`. Three shapes are
read: `{action, request_id, data}`, `{request_type, data}`, and `{action, requestId, …}` with everything at the top. What the
server sends is `{message_type, timestamp, data}`, with `request_id` in `data`; who has everything at the top is answered so,
with `event` for `message_type`. A run whose events go to a socket no more, though it has not ended, is `detached`: `reason`
says why.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.websockets import WebSocketDisconnect, WebSocketState

from transmissions.api_replies import new_id
from transmissions.json_text import as_json

from .bare import ends_well
from .connection import Connection, Pace
from .dialects import ACTIONS, echo, parse
from .envelope import PROTOCOL, Event, as_message, now
from .errors import BackpressureExceeded, DeliveryError, InvalidRequest, NotFound
from .extensions import NOW, TEXTS, cut_off

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.websockets import WebSocket

    from .live import LiveRun

    Begin = Callable[[dict[str, Any], str, str], tuple[LiveRun, int]]

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
FAILED: Final = 1011
_IDLE: Final = 300.0
"""Seconds a socket may stay open with no run on it and no message from the client."""
_REMEMBERED: Final = 64
"""Runs that have ended and can still be asked after."""


class Socket:
    """One WebSocket and the runs on it. `begin` takes a message, a request id and a number.

    `names` go with the welcome; that of the `app` among them is an action as `run` is.
    """

    def __init__(self, websocket: WebSocket, begin: Begin, pace: Pace, names: dict[str, str]) -> None:
        self._websocket = websocket
        self._begin = begin
        self._pace = pace
        self._names = names
        self._line = asyncio.Lock()
        self._live: dict[str, LiveRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None
        self._is_over = False

    async def serve(self) -> None:
        """Talk until one side closes."""
        await self._websocket.accept()
        try:
            await self._say("welcome", self._welcome())
            while (message := await self._next()) is not None:
                await self._hear(message)
        except (WebSocketDisconnect, BackpressureExceeded):
            pass
        finally:
            self._is_over = True
            self._unwatch()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _welcome(self) -> dict[str, Any]:
        operations = [*ACTIONS, self._names["app"]]
        return {**self._names, "server_time": now(), "protocol_version": PROTOCOL, "supported_operations": operations}

    async def close_when_idle(self, code: int, reason: str) -> None:
        """End the socket when the events of its runs are sent."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._close(code, reason)

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(self._pace.send), self._line:
                await self._websocket.close(code, reason)
        except TimeoutError:
            cut_off(self._websocket.scope)
        except (WebSocketDisconnect, RuntimeError):
            pass  # It is closed already.

    async def _next(self) -> Any:
        self._watch()
        message = await self._websocket.receive()
        self._unwatch()
        return None if message["type"] == "websocket.disconnect" else message

    def _watch(self) -> None:
        """Close the socket in a while, unless a run begins or its client says something."""
        self._unwatch()
        if not self._tasks and not self._is_over:
            self._idle = asyncio.get_running_loop().call_later(_IDLE, self._leave)

    def _unwatch(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        self._start(self._close(GOING_AWAY, "nothing was asked for"))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._watch()

    async def _hear(self, message: Any) -> None:
        if message.get("text") is None:
            return  # a binary frame says nothing here
        asked: dict[str, Any] = {}
        try:
            asked = parse(message["text"])
            await self._do(asked)
        except DeliveryError as error:
            if isinstance(error, BackpressureExceeded):
                raise
            told = error.told()
            kind = "unknown_request" if told["error_code"] == "REQUEST_UNKNOWN" else "validation_error"
            await self._answer(asked, "error", {"message": str(error), "error": told, "error_type": kind})

    async def _do(self, asked: dict[str, Any]) -> None:
        action = asked["action"]
        if action == "ping":
            await self._answer(asked, "pong", {})
        elif action in {"run", self._names["app"]}:
            self._run(asked)
        elif action == "status" and not asked["request_id"]:
            await self._answer(asked, "status", {**self._names, "runs": [live.status() for live in self._live.values()]})
        elif action in ACTIONS:
            await self._control(action, asked)
        else:
            raise _Unknown(f"there is no action '{action[:64]}'; there are {', '.join(ACTIONS)}")

    def _run(self, asked: dict[str, Any]) -> None:
        request_id = asked["request_id"] or new_id()
        if request_id in self._live and not self._live[request_id].log.is_ended:
            raise InvalidRequest(f"a run '{request_id}' is at work on this socket")
        live, since = self._begin(asked["data"], request_id, asked["since"])
        self._remember(request_id, live)
        self._start(self._deliver(live, since, asked | {"request_id": request_id}))

    def _remember(self, request_id: str, live: LiveRun) -> None:
        self._live[request_id] = live
        ended = [name for name, one in self._live.items() if one.log.is_ended]
        for name in ended[: max(0, len(ended) - _REMEMBERED)]:
            del self._live[name]

    async def _control(self, action: str, asked: dict[str, Any]) -> None:
        live = self._live.get(name := asked["request_id"])
        if live is None:
            raise NotFound(f"there is no run '{name}' on this socket" if name else f"{action} needs the request_id of a run")
        if action != "status":
            getattr(live, action)()
        await self._answer(asked, action if action == "status" else f"{action}_ack", live.status())

    async def _deliver(self, live: LiveRun, since: int, asked: dict[str, Any]) -> None:
        connection = Connection(live, "websocket", _encoding(asked), self._pace)

        async def send(pieces: list[bytes]) -> None:
            async with self._line:
                await self._put(pieces)

        now = self._websocket.scope["extensions"].get(NOW)

        def sent(text: bytes) -> bool:
            return not self._line.locked() and now(text)

        try:
            await connection.deliver(send, since, sent if now else None)
            if connection.ended != "complete":
                await self._answer(asked, "detached", {"reason": connection.ended, "last_event": live.log.taken})
            elif live.terms.bare and self._tasks == {asyncio.current_task()}:
                # Nothing in bare records says that they were the last.
                await (self._close(NORMAL, "that is all") if ends_well(live) else self._close(FAILED, "the run failed"))
        except BackpressureExceeded:
            cut_off(self._websocket.scope)
        except (WebSocketDisconnect, OSError, RuntimeError):
            pass  # The socket is gone; whoever listens to it is told.

    async def _answer(self, asked: dict[str, Any], kind: str, data: dict[str, Any]) -> None:
        """Send what a message is answered, in its shape and with its names."""
        await self._say(kind, data | echo(asked), is_flat=bool(asked.get("is_flat")))

    async def _say(self, kind: str, data: dict[str, Any], *, is_flat: bool = False) -> None:
        """Send a message that is no event.

        Raises:
            BackpressureExceeded: the client takes nothing; it is cut off.

        """
        said = (
            {"event": kind, "timestamp": now(), **data} if is_flat else {"message_type": kind, "timestamp": now(), "data": data}
        )
        try:
            async with asyncio.timeout(self._pace.send):
                await self._send(as_json(said))
        except TimeoutError as error:
            cut_off(self._websocket.scope)
            raise BackpressureExceeded(f"the client took nothing for {self._pace.send:g} s") from error

    async def _send(self, text: bytes) -> None:
        async with self._line:
            await self._put([text])

    async def _put(self, texts: list[bytes]) -> None:
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect
        send_texts = self._websocket.scope["extensions"].get(TEXTS)
        if send_texts is not None:
            await send_texts(texts)
            return
        for text in texts:
            await self._websocket.send({"type": "websocket.send", "text": text.decode()})


class _Unknown(InvalidRequest):
    """An action there is not."""

    code = "REQUEST_UNKNOWN"


def _encoding(asked: dict[str, Any]) -> Callable[..., bytes]:
    """Return what makes messages of the events of a run, with the names of its request and in its shape."""
    names = echo(asked)
    first = {name: value for name, value in names.items() if name != "request_id"}  # `metadata` has that of its own
    return partial(_encoded, as_json(names)[1:-1], as_json(first)[1:-1], is_flat=asked["is_flat"])


def _encoded(head: bytes, first_head: bytes, event: Event, *, is_flat: bool, bare: bool = False) -> bytes:
    return as_message(event, first_head if event.name == "metadata" else head, bare=bare, is_flat=is_flat)
