"""What the answers of servers mean. This module needs aiohttp."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from transmissions.errors import describe

from .errors import Disconnected, Refused, StreamError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import SimpleNamespace

    from .options import Options

CLOSING: Final = aiohttp.ClientWSTimeout(ws_close=1.0)  # pyright: ignore[reportCallIssue] - it does not see its fields
"""How long a server has to answer that a socket is closed: whoever leaves does not wait for one that is silent."""
_SUCCESS: Final = range(200, 300)
_LONGEST_ANSWER: Final = 64 << 20
_LONGEST_REFUSAL: Final = 1 << 16


async def ask(session: aiohttp.ClientSession, method: str, url: str, options: Options) -> dict[str, Any]:
    """Return a short answer.

    Raises:
        Refused: it is no success.
        Disconnected: there is none.
        StreamError: it is no JSON object.

    """
    check_open(session)
    with told(session):
        async with asyncio.timeout(options.first_byte_timeout), session.request(method, url, allow_redirects=False) as response:
            await check(response, options)
            text = await _read(response, _LONGEST_ANSWER)
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StreamError(f"the server answered with '{response.content_type}', which is no JSON") from error
    if not isinstance(answer, dict):
        raise StreamError("the server answered with JSON that is no object")
    return answer


def check_open(session: aiohttp.ClientSession) -> None:
    """Raise an error if a client was closed."""
    if session.closed:
        raise StreamError("the client was closed")


async def check(response: aiohttp.ClientResponse, options: Options) -> None:
    """Raise what a server said if it will not."""
    if response.status in _SUCCESS:
        return
    try:
        async with asyncio.timeout(options.first_byte_timeout):
            said = json.loads(await _read(response, _LONGEST_REFUSAL) or b"{}")["error"]
        said = said if isinstance(said, dict) else {"message": said}
    except (ValueError, KeyError, TypeError, RecursionError, TimeoutError, aiohttp.ClientError):
        said = {"message": response.reason}
    raise Refused(response.status, said, _wait(response.headers.get("Retry-After", "")))


def check_stream(response: aiohttp.ClientResponse) -> None:
    """Raise an error if an answer is a page for people: that of a proxy, or of something else than a server of streams."""
    if response.content_type == "text/html":
        raise StreamError(f"the server answered with '{response.content_type}', which is no stream of events")


async def _read(response: aiohttp.ClientResponse, most: int) -> bytearray:
    text = bytearray()
    async for chunk in response.content.iter_any():
        text += chunk
        if len(text) > most:
            raise StreamError(f"an answer is larger than {most} bytes")
    return text


def _wait(asked: str) -> float | None:
    """Return how many seconds to wait, of what may be a date."""
    if asked.isascii() and asked.isdecimal():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def redirects_refused() -> aiohttp.TraceConfig:
    """Return what has no redirect followed, where the library has no word for it: neither token nor message is for others."""
    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(_refuse)
    return config


async def _refuse(_: aiohttp.ClientSession, __: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams) -> None:
    redirect.response.close()
    raise Refused(redirect.response.status, {"message": "redirects are not followed"})


@contextmanager
def told(session: aiohttp.ClientSession) -> Iterator[None]:
    """Say what errors of connections mean."""
    try:
        yield
    except aiohttp.WSServerHandshakeError as error:
        # The library keeps what was said to itself.
        asked = error.headers.get("Retry-After", "") if error.headers else ""
        raise Refused(error.status, {"message": _phrase(error.status)}, _wait(asked)) from error
    except TimeoutError as error:
        raise Disconnected("the server sent nothing for too long") from error
    except aiohttp.ClientConnectorError as error:
        raise Disconnected(f"no connection to {error.host} port {error.port}: {_why(error)}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Disconnected(f"the connection to the server broke: {describe(error)}") from error
    except RuntimeError:
        check_open(session)  # The library says it so where somebody else closed what is read.
        raise


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase.lower() if status in set(HTTPStatus) else ""


def _why(error: aiohttp.ClientConnectorError) -> str:
    """Return the words of the system: those of asyncio name functions, and the addresses once more."""
    if isinstance(error, aiohttp.ClientSSLError):
        return str(getattr(error, "certificate_error", None) or error.os_error)
    number = error.os_error.errno or 0
    return (os.strerror(number) if number > 0 else str(error.os_error.strerror or error.os_error)).lower()
