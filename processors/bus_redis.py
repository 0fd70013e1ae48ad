"""Messages into Redis, as they come: RedisSink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from transmissions import Protected, Range, Secret, Unit, UsageError

from .bus_sink import _Sink
from .redis_clients import redis_client, redis_faults, shown_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio.client import Pipeline

    from transmissions import Message


class RedisSink(_Sink):
    """Append messages as JSON to a stream of Redis, or publish them to a channel, and let them go on.

    In a stream each message is an entry with one field `dataField`. Messages that come together are sent together, all or none.
    Nobody is told whether a channel has listeners. Where the server does not answer, or refuses, it is an error: `:retry` sends
    again, over a new connection. What had arrived before the answer was lost is then there twice.

    ```turtle
    :keep a :RedisSink ; :url "redis://localhost:6379/0" ; :stream "builds" ; :maxLength 100000 ; :retry [ :attempts 5 ] .
    ```
    """

    extra = "redis"

    url: Annotated[str, Protected()] = "redis://localhost:6379/0"
    "The server, and the number of the database; `rediss://` is over TLS, `unix:///path` a socket."
    password: Annotated[Secret | None, Protected()] = None
    'Its password, `[ :env "NAME" ]`.'
    stream: Annotated[str, Protected()] = ""
    "The key of the stream."
    channel: Annotated[str, Protected()] = ""
    "The channel, instead."
    data_field: str = "data"
    "The field of an entry that holds the message."
    max_length: Annotated[int, Range(ge=0)] = 0
    "How long the stream may become, about: the oldest entries go; 0 is any length."
    timeout: Annotated[int, Range(ge=1), Unit("ms")] = 5000
    "How long to wait for a connection, and for each answer."

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        super().__post_init__()
        if bool(self.stream) == bool(self.channel):
            raise UsageError("a RedisSink needs either :stream or :channel")
        self._shown = shown_redis(self.url)

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, where messages would go."""
        yield f"sends messages to {self._shown}, {f'stream {self.stream}' if self.stream else f'channel {self.channel}'}"

    async def __aenter__(self) -> Self:
        """Make a client; it connects when there is something to send."""
        self._client = redis_client(self.url, self.password, self.timeout / 1000)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.aclose()

    async def send(self, parts: list[bytes]) -> None:
        """Send one transaction."""
        with redis_faults(self.url):
            async with self._client.pipeline(transaction=True) as pipeline:
                for data in parts:
                    self._add(pipeline, data)
                await pipeline.execute()

    def _add(self, pipeline: Pipeline, data: bytes) -> None:
        if self.stream:
            pipeline.xadd(self.stream, {self.data_field: data}, maxlen=self.max_length or None, approximate=True)
        else:
            pipeline.publish(self.channel, data)
