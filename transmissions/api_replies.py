"""What the API answers with: JSON, and a sentence where something is refused."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from .json_text import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Refuse = Callable[["Refusal", str], Response]
    """Makes the reply of a refusal to a request of a name."""

REQUEST_ID: Final = "X-Request-Id"


class Refusal(Exception):
    """A request that is answered with a status and a sentence instead of a result."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None, **fields: Any) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})
        self.fields = fields


def new_id() -> str:
    """Return a name for a request that nobody can choose or guess; it can be the name of a folder."""
    return secrets.token_hex(16)


def refused(refusal: Refusal, request_id: str) -> Response:
    """Return the reply of a refusal."""
    fields = {"success": False, "requestId": request_id, "error": str(refusal), **refusal.fields}
    return reply(as_json(fields), request_id, refusal.status, refusal.headers)


def reply(body: bytes, request_id: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a reply whose body is JSON already."""
    safe = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", REQUEST_ID: request_id}
    return Response(body, status, {**safe, **(headers or {})}, media_type="application/json")
