"""What the API answers with: JSON, and a sentence where something is refused."""

from __future__ import annotations

import json
import math
import uuid
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from .errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    return uuid.uuid4().hex


def refused(refusal: Refusal, request_id: str) -> Response:
    """Return the reply of a refusal."""
    fields = {"success": False, "requestId": request_id, "error": str(refusal), **refusal.fields}
    return reply(encode(fields), request_id, refusal.status, refusal.headers)


def reply(body: bytes, request_id: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a reply whose body is JSON already."""
    safe = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", REQUEST_ID: request_id}
    return Response(body, status, {**safe, **(headers or {})}, media_type="application/json")


def encode(value: Any) -> bytes:
    """Return a value as JSON: what JSON cannot say is text, as on the command line, and a number that is none is null.

    Raises:
        RunError: it is inside itself, or nested too deep.

    """
    try:
        return _encode(value)
    except ValueError:
        try:
            return _encode(_without_odd_numbers(value))
        except (ValueError, RecursionError) as error:
            raise _unsayable(error) from error
    except (TypeError, RecursionError) as error:
        raise _unsayable(error) from error


def _encode(value: Any) -> bytes:
    # A lone surrogate becomes \udc80, which is how JSON writes it.
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str).encode("utf-8", "backslashreplace")


def _without_odd_numbers(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_odd_numbers(item) for key, item in value.items()}
    return [_without_odd_numbers(item) for item in value] if isinstance(value, list | tuple) else value


def _unsayable(error: Exception) -> RunError:
    reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error).lower()
    return RunError(f"the result cannot be written as JSON: {reason}")
