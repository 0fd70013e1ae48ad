"""Who may talk to the API: a pure ASGI layer in front of it.

A page in somebody's browser can send requests to loopback addresses, under its own name (`Origin`) or under a name that leads
here (`Host`, called DNS rebinding). Both are refused; a name of one's own, and an origin, is allowed explicitly. Beyond that a
client needs the token, or what the application takes in its place.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final

from .api_replies import Refusal, new_id, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from .api_replies import Refuse

OPEN: Final = frozenset({"/healthz"})
"""What may be asked without a token: whether the server lives."""

_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]*)?")
"""A name, or an address in brackets, and a port; names in other letters come as they are registered, in these."""

HEADERS: Final = 1 << 15
"""Bytes of a request's path and headers."""


class Guard:
    """Lets those requests through that come from where they may, with the token."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str | None,
        names: Collection[str] = (),
        origins: Collection[str] = (),
        admits: Callable[[Scope], bool] = lambda _: False,
        refuse: Refuse = refused,
    ) -> None:
        self._app = app
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        self._admits = admits
        self._refuse = refuse
        self._token = None if token is None else token.encode()
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] in {"http", "websocket"}:
            try:
                _check_form(scope)
                self._check(scope, _headers(scope))
            except Refusal as refusal:
                await self._refuse(refusal, new_id())(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._is_ours(host):
            raise Refusal(403, f"no server of the name '{_shown(host)}' is here; `--allow-host` lets one in")
        origin = headers.get(b"origin")
        if origin is not None and not self._is_invited(origin.decode("latin-1").lower(), host.lower()):
            raise Refusal(403, "requests from pages of other origins are refused")
        if scope["path"] not in OPEN and not self._is_allowed(headers.get(b"authorization", b""), scope):
            raise Refusal(401, "a token is needed: `Authorization: Bearer TOKEN`", {"WWW-Authenticate": "Bearer"})

    def _is_invited(self, origin: str, host: str) -> bool:
        return origin.partition("://")[2] == host or origin in self._origins

    def _is_ours(self, host: str) -> bool:
        name = _name_of(host)
        return name is not None and (name in self._names or _is_address(name))

    def _is_allowed(self, authorization: bytes, scope: Scope) -> bool:
        if self._token is None:
            return True
        if not authorization:
            return self._admits(scope)
        scheme, _, given = authorization.partition(b" ")
        return hmac.compare_digest(given.strip(), self._token) and scheme.lower() == b"bearer"


def _check_form(scope: Mapping[str, Any]) -> None:
    if sum(name == b"host" for name, _ in scope["headers"]) > 1:
        raise Refusal(400, "a request has one Host", {"Connection": "close"})
    size = len(scope["path"]) + sum(len(name) + len(value) for name, value in scope["headers"])
    if size > HEADERS:
        raise Refusal(431, f"the headers are larger than {HEADERS} bytes", {"Connection": "close"})


def _headers(scope: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Return the headers by lower-case name; of two by one name the first counts."""
    return dict(reversed(scope["headers"]))


def _name_of(host: str) -> str | None:
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower().removesuffix(".") if found else None


def _is_address(name: str) -> bool:
    """Whether a host is no name but an address: one that leads elsewhere would not have led here."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _shown(host: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in host[:100])
