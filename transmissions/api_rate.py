"""How often one address may ask: a pure ASGI layer in front of a server's others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from .api_guard import OPEN
from .api_replies import Refusal, new_id, refused
from .bucket import Bucket
from .delivery.extensions import cut_off, gone

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .api_replies import Refuse
    from .server_settings import RateLimit

_KNOWN: Final = 10_000
"""Addresses that are remembered; a bucket that is full again is no loss."""


def limited(app: ASGIApp, limit: RateLimit | None, refuse: Refuse = refused) -> ASGIApp:
    """Return an application that takes requests as often as a limit allows, if there is one."""
    return _RateLimited(app, limit, refuse) if limit else app


class _RateLimited:
    """Takes requests as often as a limit allows. Whether the server lives may be asked at any time."""

    def __init__(self, app: ASGIApp, limit: RateLimit, refuse: Refuse) -> None:
        self._app = app
        self._reply = refuse
        self._limit = limit
        self._buckets: dict[str, Bucket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, at once or later, or refuse it."""
        if scope["type"] in {"http", "websocket"} and scope["path"] not in OPEN:
            bucket = self._bucket((scope.get("client") or ("",))[0])
            most = self._limit.burst / self._limit.rate if self._limit.action == "delay" else 0
            if bucket.wait > most:
                await self._refuse(bucket.wait, scope, receive, send)
                return
            if wait := bucket.take():
                await asyncio.sleep(wait)
        await self._app(scope, receive, send)

    def _bucket(self, address: str) -> Bucket:
        found = self._buckets.get(address)
        if found is None:
            if len(self._buckets) >= _KNOWN:
                self._forget()
            found = self._buckets[address] = Bucket(self._limit.rate, self._limit.burst)
        return found

    def _forget(self) -> None:
        self._buckets = {address: one for address, one in self._buckets.items() if not one.is_full}
        for address in list(self._buckets)[: len(self._buckets) - _KNOWN // 2]:
            del self._buckets[address]

    async def _refuse(self, wait: float, scope: Scope, receive: Receive, send: Send) -> None:
        if self._limit.action == "drop" and scope["type"] == "http":
            cut_off(scope)
            await gone(receive)
            return
        sentence = f"{self._limit.rate:g} requests a second are taken from one address, and more are not"
        refusal = Refusal(429, sentence, {"Retry-After": str(max(1, round(wait)))})
        await self._reply(refusal, new_id())(scope, receive, send)
