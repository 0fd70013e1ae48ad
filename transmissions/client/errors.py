"""What goes wrong between a client and a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transmissions.errors import RunError

from .numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOO_MANY = 429
_FAULT = 500


class StreamError(RunError):
    """Base of them."""

    is_retryable = False


class Disconnected(StreamError):
    """A connection could not be made, broke, or stood still for too long."""

    is_retryable = True


class Refused(StreamError):
    """The server answered that it will not. `told` is what it said; `status` is 0 where it said so over a WebSocket."""

    def __init__(self, status: int, told: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.told = dict(told)
        sentence = str(told.get("message") or "no reason is given")
        super().__init__(f"the server refused ({status}): {sentence}" if status else f"the server refused: {sentence}")
        self.retry_after = number(told, "retry_after_seconds") if retry_after is None else retry_after
        says = told.get("retryable")
        # A fault of the request stays one, whatever it says; 429 says that it is none.
        can_pass = status == _TOO_MANY or status >= _FAULT if status else says is True
        self.is_retryable = can_pass and (says is not False)
