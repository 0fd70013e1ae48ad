"""Headers that whoever runs a server wants in its answers: a pure ASGI layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def with_headers(app: ASGIApp, headers: Sequence[str]) -> ASGIApp:
    """Return an application whose answers have further headers, each `Name: value`, if there are any."""
    pairs = [
        (name.strip().lower().encode(), value.strip().encode()) for name, _, value in (one.partition(":") for one in headers)
    ]
    return _WithHeaders(app, pairs) if pairs else app


class _WithHeaders:
    def __init__(self, app: ASGIApp, headers: list[tuple[bytes, bytes]]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)
