"""What pages of other origins that are let in may send and read."""

from typing import Any, Final

from .asks import HEADERS
from .http import SHOWN

_SENT: Final = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-ID", "X-Session-ID")
RULES: Final[dict[str, Any]] = {
    "allow_methods": ["GET", "POST", "DELETE"],
    "allow_headers": [*_SENT, "X-Enable-Backpressure", *HEADERS],
    "expose_headers": [*SHOWN, "Retry-After"],
    "max_age": 600,
}
"""Arguments of starlette's CORSMiddleware."""
