"""What can go wrong in delivery: by type, with whether to try again is of use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple

from transmissions.errors import NodeFailed, RunTimeout, TransmissionsError, describe

if TYPE_CHECKING:
    from collections.abc import Callable


class Recovery(NamedTuple):
    """What clients are told to do: try again so often, so many milliseconds apart; come back; or give up."""

    action: Literal["retry", "reconnect", "fail"] = "fail"
    attempts: int = 0
    delay_ms: int = 0

    def told(self) -> dict[str, Any]:
        """Return what is told of it."""
        return self._asdict() if self.attempts else {"action": self.action}


_AGAIN: Final = Recovery("retry", 2, 500)
_LATER: Final = Recovery("retry", 3, 1000)


class DeliveryError(TransmissionsError):
    """Base of them. `code` is what clients tell them apart by."""

    code: ClassVar[str] = "INTERNAL"
    category: ClassVar[str] = "other"
    retryable: ClassVar[bool] = False
    recovery: ClassVar[Recovery] = Recovery()
    status: ClassVar[int] = 500
    """The HTTP status where it happens before a stream begins."""

    def __init__(self, sentence: str, *, retry_after: float | None = None, **context: Any) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.context = context

    def told(self) -> dict[str, Any]:
        """Return what is told of it."""
        said: dict[str, Any] = {
            "type": type(self).__name__,
            "category": self.category,
            "message": str(self),
            "retryable": self.retryable,
            "error_code": self.code,
            "recovery": self.recovery.told(),
        }
        if self.retry_after is not None:
            said["retry_after_seconds"] = self.retry_after
        return said | ({"context": self.context} if self.context else {})


class BackpressureExceeded(DeliveryError):
    """A client takes nothing for too long. It is cut off; what it missed is kept for it for a while."""

    code, category, retryable, status = "LIMIT_BACKPRESSURE", "backpressure", False, 429
    recovery = Recovery("reconnect")


class PipelineFailed(DeliveryError):
    """The run failed."""

    code, category, retryable, status = "PIPELINE", "pipeline", True, 500
    recovery = _AGAIN


class DeadLetter(DeliveryError):
    """A message failed for good, and was set aside."""

    code, category, retryable, status = "PIPELINE_DEAD_LETTER", "pipeline", False, 500


class SkippedInput(DeliveryError):
    """Input was passed over, for a reason."""

    code, category, retryable, status = "PIPELINE_SKIPPED", "pipeline", False, 500


class InvalidRequest(DeliveryError):
    """What was asked for makes no sense."""

    code, category, retryable, status = "REQUEST_INVALID", "request", False, 400


class KeyUsed(InvalidRequest):
    """A key stands for one request, and this is another."""

    code, status = "REQUEST_KEY_USED", 422


class NotFound(DeliveryError):
    """There is no such thing, or it is somebody else's."""

    code, category, retryable, status = "REQUEST_NOT_FOUND", "request", False, 404


class NotReady(DeliveryError):
    """The server lacks something that its app needs."""

    code, category, retryable, status = "SERVER_NOT_READY", "server", False, 503


class TimedOut(DeliveryError):
    """Something took too long."""

    code, category, retryable, status = "NET_TIMEOUT", "timeout", True, 504
    recovery = _AGAIN

    @classmethod
    def after(cls, seconds: float) -> TimedOut:
        """Return the error of an operation that took longer than `seconds`."""
        return cls(f"operation timed out after {seconds:g}s")


class Overloaded(DeliveryError):
    """The server does not take any more, from anybody."""

    code, category, retryable, status = "LIMIT_SERVER", "limit", True, 503
    recovery = _LATER


class TooMany(DeliveryError):
    """One client has reached a limit of its own."""

    code, category, retryable, status = "LIMIT_CLIENT", "limit", True, 429
    recovery = _LATER


class SerializationFailed(DeliveryError):
    """JSON has no words for a result."""

    code, category, retryable, status = "SERIALIZATION", "serialization", False, 500


class EventTooLarge(SerializationFailed):
    """A result is larger than an event may be."""

    code, category = "LIMIT_SIZE", "too_large"


def in_words(error: BaseException, timeout: float | None, clean: Callable[[str], str]) -> DeliveryError:
    """Return what is told of the failure of a run that may take so many seconds."""
    if isinstance(error, DeliveryError):
        return error
    if isinstance(error, NodeFailed):
        wait = getattr(error.cause, "retry_after", 0.0) or None
        return PipelineFailed(clean(describe(error.cause)), retry_after=wait, node=error.node)
    if isinstance(error, RunTimeout) and timeout:
        return TimedOut.after(timeout)
    if isinstance(error, TransmissionsError):
        return PipelineFailed(clean(describe(error)))
    return PipelineFailed("a fault of the server; its log says more")
