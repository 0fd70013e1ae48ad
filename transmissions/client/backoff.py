"""How long to wait before trying again: ever longer, and by chance, so that not all clients of a server come back at once."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

_NAMES: Final = ("NetworkError", "TimeoutError", "ConnectionError", "TemporaryFailure")
_LONGEST: Final = 300.0
"""Seconds a server can have a client wait."""


class Backoff(NamedTuple):
    """Times are in seconds."""

    tries: int = 5
    """How often to try again without getting anywhere."""
    base: float = 1.0
    cap: float = 30.0

    def ceiling(self, attempt: int) -> float:
        """Return how long to wait at most before an attempt; the first is 1."""
        return min(self.base * 2.0 ** min(attempt - 1, 60), self.cap)

    def delay(self, attempt: int, retry_after: float = 0.0) -> float:
        """Return how long to wait: anything up to the ceiling, or what the server asks for and a little more."""
        if retry_after > 0:
            return min(retry_after, _LONGEST) + random.uniform(0, min(1.0, self.base))  # noqa: S311 - no secret hangs on it
        return random.uniform(0, self.ceiling(attempt))  # noqa: S311


def is_retryable(error: BaseException) -> bool:
    """Whether trying again may help: the error says so itself, or is one of connections and time-outs."""
    says = getattr(error, "is_retryable", None)
    if isinstance(says, bool):
        return says
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    said = f"{type(error).__name__}: {error}"
    return any(name in said for name in _NAMES)
