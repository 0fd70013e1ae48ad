"""How long a server takes to begin an answer, by endpoint: a pure ASGI layer around its routes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .lifecycle import Answered

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .lifecycle import Lifecycle


class Timed:
    """Tells of every answer. An endpoint is known by the path it was declared at: what clients put into paths is no label."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = getattr(scope.get("route"), "path", "other")
                self._lifecycle.tell(Answered(path, message["status"], time.monotonic() - began))
            await send(message)

        await self._app(scope, receive, noting)
