"""Messages to NATS, as they come: NATSSink."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

from transmissions import Protected, Range, RunError, Secret, Unit, UsageError

from .bus_sink import _Sink, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nats.aio.client import Client

    from transmissions import Message

_LOG: Final = logging.getLogger(__name__)
_NO_ANSWER: Final = (ValueError, TypeError, AttributeError)
"""What the library falls over where a server tells something else of itself than servers of NATS do."""
_SCHEMES: Final = ("nats", "tls", "ws", "wss")


class NATSSink(_Sink):
    """Publish messages as JSON to a subject of NATS, and let them go on.

    Messages that come together are sent together, and the server has taken them when they go on. NATS itself keeps nothing: who
    does not listen gets nothing. With `:jetStream true` each is acknowledged by the stream that keeps it, which must be
    there. Where the server does not answer, or refuses, it is an error: `:retry` sends again, over a new connection. What had
    arrived before is then there twice.

    ```turtle
    :announce a :NATSSink ; :url "nats://localhost:4222" ; :subject "builds.lines" ; :jetStream true ; :retry [ :attempts 5 ] .
    ```
    """

    extra = "nats"

    url: Annotated[str, Protected()] = "nats://localhost:4222"
    "The server; `tls://` is over TLS, or not at all."
    subject: Annotated[str, Protected()]
    "What messages are published to."
    token: Annotated[Secret | None, Protected()] = None
    'A token to log in with, `[ :env "NAME" ]`.'
    user: Annotated[str, Protected()] = ""
    "A user to log in as, instead."
    password: Annotated[Secret | None, Protected()] = None
    "The user's password."
    jet_stream: bool = False
    "Whether a stream of JetStream keeps the messages, and says so."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 5000
    "How long to wait for a connection, and for each answer."

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        super().__post_init__()
        self._shown = shown(self.url, _SCHEMES)
        self._client: Client | None = None
        self._is_connecting = False
        if not self.subject or any(one.isspace() or one in "*>" for one in self.subject):
            raise UsageError(
                f"nothing can be published to the subject {self.subject!r}: it has blanks or wildcards, or is empty"
            )

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, where messages would go."""
        yield f"sends messages to {self._shown}, subject {self.subject}"

    async def __aexit__(self, *exc: object) -> None:
        await self._leave()

    async def send(self, parts: list[bytes]) -> None:
        """Publish, and wait until the server has it all."""
        from nats.errors import Error

        try:
            await self._publish(await self._connected(), parts)
        except (Error, OSError, TimeoutError, asyncio.InvalidStateError, *_NO_ANSWER) as error:
            await self._leave()
            raise RunError(f"{self._shown}: {_said(error)}") from error

    async def _publish(self, client: Client, parts: list[bytes]) -> None:
        seconds = self.timeout / 1000
        if self.jet_stream:
            context = client.jetstream(timeout=seconds)
            await asyncio.gather(*(context.publish(self.subject, data) for data in parts))
            return
        for data in parts:
            await client.publish(self.subject, data)
        await client.flush(seconds)  # type: ignore[arg-type]  # it is handed to asyncio, which takes any number

    async def _connected(self) -> Client:
        if self._client is None or not self._client.is_connected:
            await self._leave()
            secrets: dict[str, Any] = {"token": self.token.reveal()} if self.token else {}
            if self.user:
                secrets = {"user": self.user, "password": self.password.reveal() if self.password else ""}
            self._client = _new_client(self.url)  # closed by whoever gets the error, if it does not come to a connection
            self._is_connecting = True
            async with asyncio.timeout(self.timeout / 1000):
                await self._client.connect(self.url, allow_reconnect=False, error_cb=self._note, **secrets)
            self._is_connecting = False
        return self._client

    async def _leave(self) -> None:
        client, self._client = self._client, None
        self._is_connecting = False
        if client is not None:
            await client.close()

    async def _note(self, error: Exception) -> None:
        # The library would go round all servers for two minutes; to try again is the engine's. Later on, whatever it is, the
        # next message to send meets it.
        if self._is_connecting:
            raise error
        _LOG.debug("%s: %s", type(error).__name__, error)


def _new_client(url: str) -> Client:
    from nats.aio.client import Client
    from nats.errors import Error

    class Guarded(Client):
        """Logs in over TLS only: the library does without where a server does not ask for it, whatever the URL says."""

        def _connect_command(self) -> bytes:
            if not self._server_info.get("tls_required"):
                raise Error("it does not speak TLS")
            return super()._connect_command()

    return Guarded() if urlsplit(url).scheme == "tls" else Client()


def _said(error: BaseException) -> str:
    return str(error).partition("\n")[0] or ("it does not answer" if isinstance(error, TimeoutError) else type(error).__name__)
