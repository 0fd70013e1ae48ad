"""The network side of `fetch`: sessions that connect to checked addresses only, and what their errors mean.

This module needs aiohttp, and is imported only when something is fetched.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from transmissions import __version__

from .content_coding import CodingError, encodings
from .egress import fault_of_addresses
from .fetch_errors import BadCoding, BadTLS, BrokenOff, FetchError, NoAddress, NotConnected, Refused, TimedOut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import AddrInfoType
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection

    from .egress import Allowed, Place

_CONNECT: Final = 10.0
"""Seconds a connection may take to be made, at most."""

_HEADER: Final = 16384
"""Bytes of one header, and of the first line, at most; there may be 128 headers."""


class _Resolver(AbstractResolver):
    """Asks for the addresses of a host once for each connection, and passes on only what was checked.

    The connection is made to the very addresses given here, so that a name server cannot answer one thing to the check and
    another to the connection.
    """

    def __init__(self, allowed: Allowed | None) -> None:
        self._allowed = allowed

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """Return the addresses of a host, all of them checked unless the URL is trusted."""
        return [_result(host, port, kind, address) for kind, address in await addresses_of(host, port, self._allowed, family)]

    async def close(self) -> None:
        """Hold nothing open."""


async def addresses_of(
    host: str, port: int, allowed: Allowed | None, family: socket.AddressFamily = socket.AF_UNSPEC
) -> list[tuple[int, str]]:
    """Ask for the addresses of a host, and return each with its family; `allowed` is None if they need not be checked.

    Raises:
        OSError: there are none.
        Refused: one of them is against the rules.

    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
    addresses = [(int(kind), str(place[0])) for kind, _, _, _, place in found]
    fault = fault_of_addresses(host, [address for _, address in addresses], allowed) if allowed else ""
    if fault:
        raise Refused(fault)
    return addresses


def _result(host: str, port: int, kind: int, address: str) -> ResolveResult:
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": kind, "proto": socket.IPPROTO_TCP, "flags": numeric}


class Sockets:
    """The sockets of a session, to be ended whatever is unsent: closing alone would wait for a server that takes nothing."""

    def __init__(self) -> None:
        self._made: list[socket.socket] = []

    def make(self, address: AddrInfoType) -> socket.socket:
        """Make one."""
        made = socket.socket(*address[:3])
        self._made.append(made)
        return made

    def end(self) -> None:
        """End them."""
        for one in self._made:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Response(aiohttp.ClientResponse):
    """Tells whether a body that only the end of its connection ends was cut off: the library takes a reset for that end."""

    _line: ResponseHandler | None = None

    async def start(self, connection: Connection) -> Self:
        """Keep what knows how the connection ends, which is given away with the last of the body."""
        self._line = connection.protocol
        await super().start(connection)
        return self

    def check_end(self) -> None:
        """Raise what ended the connection, where that is what ended the body too."""
        fault = self._line.exception() if self._line is not None else None  # it is a queue, empty by now
        is_told = self.content_length is not None or "chunked" in self.headers.get("transfer-encoding", "").lower()
        if isinstance(fault, OSError) and not is_told:
            raise fault


def check_end(response: aiohttp.ClientResponse) -> None:
    """Raise the OSError that cut a body off, where the library takes it for the end."""
    if isinstance(response, _Response):
        response.check_end()


def open_session(allowed: Allowed | None, timeout: float, sockets: Sockets | None = None) -> aiohttp.ClientSession:
    """Return a session without cookies, proxies and credentials of its own; `allowed` is None for trusted URLs.

    Trusted and guarded requests must not share one: a connection that is open already is not checked again.
    """
    make = sockets.make if sockets else None
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=_Resolver(allowed), use_dns_cache=False, socket_factory=make),
        response_class=_Response,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(sock_connect=min(timeout, _CONNECT), sock_read=timeout),
        headers={"User-Agent": f"transmissions/{__version__}", "Accept-Encoding": ", ".join(encodings())},
        auto_decompress=False,
        max_line_size=_HEADER,
        max_field_size=_HEADER,
    )


@contextmanager
def explained(place: Place, timeout: float) -> Iterator[None]:
    """Turn whatever goes wrong on the network into a FetchError that says what.

    Raises:
        FetchError: something went wrong.
        Refused: an address is against the rules.

    """
    try:
        yield
    except Refused as error:
        raise Refused(f"{place.shown}: {error}") from error
    except (aiohttp.ClientError, OSError, CodingError) as error:
        kind, reason = _explain(error, place, timeout)
        explained = kind(f"{place.shown}: {reason}")
        explained.origin = place.origin
        raise explained from error


def _explain(error: Exception, place: Place, timeout: float) -> tuple[type[FetchError], str]:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NoAddress, f"no address is known for '{place.host}': {_system(error)}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", error)
        return BadTLS, f"TLS failed: the certificate is not good: {reason}"
    if isinstance(error, aiohttp.ClientSSLError):
        return BadTLS, f"TLS failed: {error.os_error}"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TimedOut, f"no connection within {min(timeout, _CONNECT):g} s"
    if isinstance(error, TimeoutError):
        return TimedOut, f"nothing came for {timeout:g} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        return NotConnected, f"no connection to {place.host} port {place.port}: {_system(error)}"
    return BadCoding if isinstance(error, CodingError) else BrokenOff, _reason_on_the_way(error)


def _reason_on_the_way(error: Exception) -> str:
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return f"the answer broke off or is garbled: {error}"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the answer is not proper HTTP: {' '.join(error.message.split())[:200]}"
    if isinstance(error, aiohttp.ClientOSError):
        return f"the connection broke: {_system(error)}"
    return str(error)


def _system(error: aiohttp.ClientOSError) -> str:
    cause = getattr(error, "os_error", error)
    known = os.strerror(cause.errno) if cause.errno and cause.errno > 0 else cause.strerror
    return (known or str(cause)).lower()
