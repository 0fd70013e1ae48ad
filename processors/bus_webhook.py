"""Messages to a URL, as they come: WebhookSink."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Annotated, Final

from transmissions import Protected, Range, Secret

from .bus_sink import _Sink
from .egress import take_apart
from .fetch import Door, Request
from .fetch_errors import FetchError
from .fetching import _FetchingWithHeaders, check_status, check_url
from .http_client import merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .fetch import Reply

_TAKEN: Final = 200
_REDIRECTED: Final = 300


class WebhookSink(_FetchingWithHeaders, _Sink):
    """Send messages as JSON to a URL by POST, and let them go on.

    The body is the message, or its field `inputField`; with `batch` above 1 it is always a list, of as many messages as wait
    just then. With `signatureKey` the header `signatureHeader` has `sha256=` and the hexadecimal HMAC-SHA256 of the body, as
    GitHub signs. A reply that is no success is an error, and so is none: `:retry` sends it again, and waits as long as a
    `Retry-After` asks for; `:onError` says what then. A request that has failed may have arrived all the same. Redirects are
    not followed. Where a slow server must not slow the run, put a `:buffer` in front whose overflow drops the oldest.

    ```turtle
    :tell a :WebhookSink ;
        :url "https://example.org/hooks/build" ; :signatureKey [ :env "HOOK_KEY" ] ;
        :buffer [ :maxItems 1000 ; :overflow "DropOldest" ] ;
        :retry [ :attempts 5 ] ; :onError "skip" .
    ```
    """

    url: Annotated[str, Protected()]
    "Where to. As it is yours, it may lead into a private network."
    batch: Annotated[int, Range(ge=1, le=256)] = 1
    "How many messages may go in one request; none is kept waiting for others."
    signature_key: Annotated[Secret | None, Protected()] = None
    'The key that bodies are signed with, `[ :env "NAME" ]`.'
    signature_header: Annotated[str, Protected()] = "X-Hub-Signature-256"
    "The header with the signature."

    def __post_init__(self) -> None:
        """Refuse what is no URL."""
        super().__post_init__()
        _Sink.__post_init__(self)
        check_url("url", self.url)
        self._most = self.batch
        self._key = self.signature_key.reveal().encode() if self.signature_key else b""

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, where messages would go."""
        yield f"sends messages to {take_apart(self.url).shown}"

    def _open(self) -> Door:
        return Door(timeout=self.timeout / 1000, max_bytes=self.max_bytes, redirects=0)

    async def send(self, parts: list[bytes]) -> None:
        """Send one request."""
        body = b"[" + b",".join(parts) + b"]" if self.batch > 1 else parts[0]
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers[self.signature_header] = "sha256=" + hmac.new(self._key, body, hashlib.sha256).hexdigest()
        request = Request(self.url, "POST", merged(headers, self._public, self._secret), body)
        check_accepted(await self._door.fetch(request, trusted=True))


def check_accepted(reply: Reply) -> None:
    """Check that a server has taken what it was sent; it does not where it leads elsewhere.

    Raises:
        FetchError: it has not.

    """
    check_status(reply)
    if not _TAKEN <= reply.status < _REDIRECTED:
        raise FetchError(
            f"{take_apart(reply.url).shown} answered {reply.status} {reply.reason}: it does not take messages here"
        )
