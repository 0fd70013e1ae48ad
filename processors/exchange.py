"""What is asked of a server and what it answers, and how a redirect changes the question."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from .egress import take_apart
from .fetch_errors import FetchError
from .media_types import media_type, text_in
from .structure import parse_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from .egress import Place

_HARMLESS: Final = {"accept", "accept-language", "user-agent", "content-type", "range", "if-none-match", "if-modified-since"}
"""Headers that go along to another origin. Any other may be a key, whatever its name."""

_CONTROL: Final = re.compile(r"[^\t\x20-\x7e\x80-\U0010ffff]")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Request(NamedTuple):
    """What is asked for."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    timeout: float | None = None
    """Seconds it may take, if less than the door has."""


class Reply(NamedTuple):
    """What came back, of any status."""

    status: int
    reason: str
    url: str
    """Where it came from in the end, after redirects, without credentials."""
    headers: dict[str, str]
    """Names in lower case; several of a name are joined by a comma."""
    body: bytes
    """Decoded from its content-encoding."""
    way: tuple[str, ...] = ()
    """The URLs that redirected to `url`, from the first."""

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case; empty if none is given."""
        return media_type(self.headers.get("content-type", ""))

    def text(self) -> str:
        """Return the body as text, in the charset of the headers, else UTF-8; what is not in it is marked `�`."""
        return text_in(self.headers.get("content-type", ""), self.body)

    def json(self) -> Any:
        """Return the body parsed as JSON.

        Raises:
            RunError: it is not JSON.

        """
        return parse_json(self.text(), take_apart(self.url).shown)


class Answer(NamedTuple):
    """The head of a reply, and its body as it arrives."""

    status: int
    reason: str
    url: str
    headers: dict[str, str]
    pieces: AsyncIterator[bytes]
    """The decoded body, in pieces of at most 64 KiB."""
    way: tuple[str, ...] = ()
    """The URLs that redirected to `url`, from the first."""


def prepared(request: Request, place: Place) -> Request:
    """Return a request whose method and headers cannot be more than that, with the credentials of its URL as a header."""
    broken = next((name for name, value in request.headers.items() if not _is_header(name, value)), None)
    if broken is not None or not _TOKEN.fullmatch(request.method):
        fault = f"header {broken!r}" if broken is not None else f"method {request.method!r}"
        raise FetchError(f"{place.shown}: the {fault} is not one HTTP has room for")
    headers = {name.lower(): value for name, value in request.headers.items()}
    if place.user:
        headers.setdefault("authorization", f"Basic {b64encode(unquote(place.user).encode()).decode()}")
    return request._replace(method=request.method.upper(), headers=headers)


def _is_header(name: str, value: str) -> bool:
    return bool(_TOKEN.fullmatch(name)) and not _CONTROL.search(value)


def is_home(place: Place, target: Place) -> bool:
    """Whether a redirect of a trusted URL stays with its server, be it from http to https."""
    is_upgrade = (place.scheme, place.port, target.scheme, target.port) == ("http", 80, "https", 443)
    return target.host == place.host and (target.origin == place.origin or is_upgrade)


def onward(request: Request, status: int, same_origin: bool) -> Request:
    """Return the request a redirect asks for (RFC 9110, 15.4)."""
    headers = {name: value for name, value in request.headers.items() if same_origin or name in _HARMLESS}
    becomes_get = request.method == "POST" if status in {301, 302} else status == 303 and request.method != "HEAD"  # noqa: PLR2004
    if becomes_get:
        headers = {name: value for name, value in headers.items() if not name.startswith("content-")}
        return request._replace(method="GET", headers=headers, body=None)
    return request._replace(headers=headers)
