"""Names of sessions that only this server, or another of the same token, can have made, and that say whom they were made for.

A browser's EventSource and WebSocket can send no token. With the name of a session in the query they need none: it is signed,
and lets its holder follow and begin runs for a limited time, as whoever asked for it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from typing import Final

from transmissions.api_replies import new_id

from .errors import InvalidRequest, NotFound

LASTS: Final = 3600.0
"""Seconds a session stands for a token."""
_SALT: Final = b"sessions of transmissions"
_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_SIGNED: Final = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{16})\.([0-9a-f]{8,16})\.([0-9a-f]{32})")


class Sessions:
    """Makes and reads them. A client is known by a digest of its token or address.

    Servers of one token read each other's, so that a balancer may send a session to any of them.
    """

    def __init__(self, token: str | None = None) -> None:
        # Slow on purpose: a name that leaks must not help to guess a token that somebody thought up.
        self._secret = (
            secrets.token_bytes(32) if token is None else hashlib.scrypt(token.encode(), salt=_SALT, n=2**14, r=8, p=1)
        )

    def client(self, known_by: str) -> str:
        """Return who a client is."""
        return self._digest(known_by)[:16]

    def new(self, owner: str) -> str:
        """Return the name of a new session."""
        head = f"{new_id()}.{owner}.{int(time.time()):08x}"
        return f"{head}.{self._digest(head)}"

    def check(self, given: str, owner: str) -> str:
        """Return a session's name as a client gave it; one of this server must have been made for this client.

        Raises:
            InvalidRequest: it is no name.
            NotFound: it is somebody else's.

        """
        if not _NAME.fullmatch(given):
            raise InvalidRequest("a session id is 1 to 128 letters, digits and signs of '._~-'")
        signed = _SIGNED.fullmatch(given)
        if signed and (signed[2] != owner or not self._is_ours(given)):
            raise NotFound("there is no such session")
        return given

    def owner_of(self, given: str) -> str | None:
        """Return whom a session was made for, if this server made it, and not too long ago."""
        signed = _SIGNED.fullmatch(given)
        if not signed or not self._is_ours(given) or time.time() - int(signed[3], 16) > LASTS:
            return None
        return signed[2]

    def _is_ours(self, given: str) -> bool:
        head, _, signature = given.rpartition(".")
        return hmac.compare_digest(signature, self._digest(head))

    def _digest(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode("utf-8", "surrogateescape"), "sha256").hex()[:32]
