"""Clients of Redis, and of what speaks as it does (Valkey): made, and their faults told, in one way."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from transmissions import RunError, UsageError

from .bus_sink import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio import Redis

    from transmissions import Secret

_SCHEMES: Final = ("redis", "rediss", "unix")


def shown_redis(url: str) -> str:
    """Return a server's URL without what may be secret in it.

    Raises:
        UsageError: it is none.

    """
    found = shown(url, _SCHEMES)
    path = urlsplit(url).path.strip("/")
    if path and not path.isdecimal() and not url.startswith("unix:"):  # The library would take database 0.
        raise UsageError(f"{found}: '{path}' is no number of a database")
    return found


def redis_client(url: str, password: Secret | None, seconds: float) -> Redis:
    """Return a client that connects when there is something to say, and waits that long for a connection and an answer.

    Raises:
        UsageError: the URL is none the library understands.

    """
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    more: dict[str, Any] = {"password": password.reveal()} if password else {}
    try:
        client: Redis = Redis.from_url(
            url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0), **more
        )
        client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # it does not connect
    except (ValueError, TypeError) as error:
        raise UsageError(f"{shown_redis(url)}: {error}") from None
    return client


@contextlib.contextmanager
def redis_faults(url: str) -> Iterator[None]:
    """Tell what the server or the network says by the server's name.

    Raises:
        RunError: it does not answer, or refuses.

    """
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError, ValueError, RecursionError) as error:  # the last two of what is no answer in its protocol
        raise RunError(f"{shown_redis(url)}: {str(error).partition(chr(10))[0] or type(error).__name__}") from error
